"""The search behind a budget: structures of the ladder are trained and stored in each way; the best one is used."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from compress.files import read_json, write_json
from compress.pipeline.ladder import LADDER, SCHEMES, Choice, Draft, Storage, Tried, search
from compress.pipeline.run import Run
from compress.pipeline.stages.drafts import FIRST, at_rung, drafts_in
from compress.pipeline.stages.scoring import program_predictions
from compress.pipeline.stages.shrunk import chosen_stage, run_shrunk, shrinking_cost
from compress.pipeline.stages.stage import Cost, Data, Stage
from compress.recipe.budget import BudgetSection
from compress.recipe.recipe import Recipe

CHOICE = "choice.json"


def run_budget(run: Run, folder: Path) -> None:
    """Search what meets the budget. Every training is kept in `folder`, so that it is not repeated."""
    budget, drafts = run.recipe.budget, run.dir.stage("drafts")
    draft = drafts_in(run, drafts)

    def train(rung: int) -> Iterator[tuple[Storage, Draft, float]]:
        place = folder / f"rung-{rung}"
        run.console.note(
            f"  structure {rung} of the ladder (0 is the dense model's, {len(LADDER) - 1} the smallest): {_words(rung)}"
        )
        if not (place / "metrics.json").exists():  # the last file that a training writes
            place.mkdir(exist_ok=True)
            run_shrunk(run.with_recipe(structure=at_rung(run.recipe, rung).structure), place)
        for scheme in SCHEMES:
            size, metric = _program(run, place, scheme)
            milliseconds = draft(rung, scheme).milliseconds if budget.slowest else None
            yield scheme, Draft(size, milliseconds), metric

    dense_dev = run.metrics("dense")["metric"]["dev"]
    choice = search(budget, len(LADDER), first=read_json(drafts / FIRST), train=train, dense_dev=dense_dev)
    write_json(folder / CHOICE, _as_report(choice, budget, dense_dev))


def run_chosen(run: Run, folder: Path) -> None:
    """Take over the chosen training from the search."""
    chosen = run.dir.stage("budget") / f"rung-{_chosen(run)['rung']}"
    for file in chosen.iterdir():
        if not file.name.startswith(SCHEMES):
            shutil.copyfile(file, folder / file.name)


def settled(run: Run) -> Run:
    """The run with the structure and the storage that the search chose."""
    chosen = _chosen(run)
    quantize = run.recipe.quantize.model_copy(update={"scheme": chosen["scheme"]})
    return run.with_recipe(structure=at_rung(run.recipe, chosen["rung"]).structure, quantize=quantize)


def _chosen(run: Run) -> dict[str, Any]:
    tried = read_json(run.dir.stage("budget") / CHOICE)["tried"]
    return next(t for t in tried if t["chosen"])


def _program(run: Run, place: Path, scheme: Storage) -> tuple[int, float]:
    """Bytes of a trained rung's program, and the metric of the file itself on dev."""
    from mobile_export.lowering.lower import lower
    from mobile_export.programs.runtime import LoadedProgram

    kept = place / f"{scheme}-dev.json"
    if not kept.exists():
        with run.console.step(f"{scheme} program on dev", 1) as advance:
            program = lower(place, place / f"{scheme}.pte", scheme=scheme)
            texts = run.texts_in(place)
            found = program_predictions(LoadedProgram.of(program), texts, "dev")
            advance(1)
        metric = texts.task_type.score_on_dev(found, texts.splits["dev"], run.task.metric)
        write_json(kept, {"bytes": program.bytes, "metric_dev": metric})
    numbers = read_json(kept)
    return numbers["bytes"], numbers["metric_dev"]


def _as_report(choice: Choice, budget: BudgetSection, dense_dev: float) -> dict[str, Any]:
    """The search for report.json, in the order of the trials."""

    def row(trial: Tried) -> dict[str, Any]:
        cost = {"bytes": trial.draft.bytes, "milliseconds": trial.draft.milliseconds}
        result = {"metric_dev": trial.metric_dev, "drop_dev": 100 * (dense_dev - trial.metric_dev)}
        shape, name = LADDER[trial.rung], {"rung": trial.rung, "scheme": trial.scheme}
        return _without_none({**name, **shape, **cost, **result, "chosen": trial == choice.chosen})

    limits = _without_none(budget.model_dump())
    return {"asked": limits, "met_on_dev": choice.met, "tried": [row(trial) for trial in choice.tried]}


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _words(rung: int) -> str:
    shape = LADDER[rung]
    shares = ", ".join(f"{shape[part]:.0%} of the {part}" for part in ("layers", "heads", "neurons"))
    words = f"{shape['vocabulary']:,}" if shape["vocabulary"] else "all"
    rank = f" of rank {shape['embedding_rank']}" if shape["embedding_rank"] else ""
    return f"{shares}, {words} words{rank}"


def _cost(recipe: Recipe, data: Data) -> Cost:
    """Of the middle of the ladder and one or two rungs more, which is about what a search trains."""
    rungs = LADDER[3:6] if recipe.budget.max_drop is not None else LADDER[3:5]
    costs = [shrinking_cost(recipe, data, **rung) for rung in rungs]
    return Cost(sum(cost.steps for cost in costs), sum(cost.weight for cost in costs))


STAGE = Stage(
    "budget",
    "Budget",
    run_budget,
    needs=("drafts", "dense"),
    settings=("seed", "structure", "distill", "budget", "measure", "embedding"),
    cost=_cost,
    has_model=False,
)
CHOSEN = chosen_stage(run_chosen)
