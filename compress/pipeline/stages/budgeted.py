"""The stage behind a budget: drafts and trainings along the ladder (`pipeline.budget`), and the chosen one."""

import dataclasses
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from compress.errors import RecipeError
from compress.files import read_json, write_json
from compress.models.load import save
from compress.models.structure import Structure, full_structure
from compress.pipeline.budget import LADDER, SCHEMES, Choice, Draft, Tried, first_fitting, search
from compress.pipeline.run import Run
from compress.pipeline.stages.scoring import program_predictions
from compress.pipeline.stages.shrunk import cut, run_shrunk, sizes_of
from compress.recipe.sections import BudgetSection, Recipe

CHOICE, FIRST = "choice.json", "first.json"


def run_drafts(run: Run, folder: Path) -> None:
    """Find from where on the ladder fits size and speed, before anything is trained.

    Raises RecipeError when nothing on the ladder is small or fast enough.
    """
    budget = run.recipe.budget
    first = first_fitting(budget, len(LADDER), _drafts(run, folder))
    if first is None:
        least = _drafts(run, folder)(len(LADDER) - 1, SCHEMES[-1])
        limits = {"--max-size": budget.max_size, "--max-latency": budget.max_latency}
        raise RecipeError(
            f"no structure on the ladder fits: the smallest has {least.bytes / 1e6:.2f} MB{_speed(budget, least)}",
            where=" and ".join(flag for flag, limit in limits.items() if limit),
            remedy="raise the limit",
        )
    write_json(folder / FIRST, first)


def run_budget(run: Run, folder: Path) -> None:
    """Search what meets the budget. Every training is kept in `folder`, so that it is not repeated."""
    budget, drafts = run.recipe.budget, run.dir.stage("drafts")
    draft = _drafts(run, drafts)

    def train(rung: int) -> Iterator[tuple[str, Draft, float]]:
        place = folder / f"rung-{rung}"
        run.console.note(f"  rung {rung} of 0 to {len(LADDER) - 1}: {_words(rung)}")
        if not (place / "metrics.json").exists():  # the last file that a training writes
            place.mkdir(exist_ok=True)
            run_shrunk(dataclasses.replace(run, recipe=_at(run.recipe, rung)), place)
        for scheme in SCHEMES:
            size, metric = _program(run, place, scheme)
            milliseconds = draft(rung, scheme).milliseconds if budget.slowest else None
            yield scheme, Draft(size, milliseconds), metric

    dense_dev = run.metrics("dense")["metric"]["dev"]
    choice = search(budget, len(LADDER), first=read_json(drafts / FIRST), train=train, dense_dev=dense_dev)
    write_json(folder / CHOICE, _told(choice, budget, dense_dev))


def run_chosen(run: Run, folder: Path) -> None:
    """Take over the chosen training from the search."""
    chosen = run.dir.stage("budget") / f"rung-{_chosen(run)['rung']}"
    for file in chosen.iterdir():
        if not file.name.startswith(SCHEMES):
            shutil.copyfile(file, folder / file.name)


def settled(run: Run) -> Recipe:
    """The recipe with the structure and the storage that the search chose."""
    chosen = _chosen(run)
    scheme = run.recipe.quantize.model_copy(update={"scheme": chosen["scheme"]})
    return _at(run.recipe, chosen["rung"]).model_copy(update={"quantize": scheme})


def _chosen(run: Run) -> dict[str, Any]:
    tried = read_json(run.dir.stage("budget") / CHOICE)["tried"]
    return next(t for t in tried if t["chosen"])


def _at(recipe: Recipe, rung: int) -> Recipe:
    return recipe.model_copy(update={"structure": recipe.structure.model_copy(update=LADDER[rung])})


def _drafts(run: Run, folder: Path) -> Callable[[int, str], Draft]:
    """Drafts by rung and storage, each measured once and kept in `folder`."""

    def draft(rung: int, scheme: str) -> Draft:
        kept = folder / f"draft-{rung}-{scheme}.json"
        if not kept.exists():
            write_json(kept, dataclasses.asdict(_draft(run, rung, scheme)))
        return Draft(**read_json(kept))

    return draft


def _draft(run: Run, rung: int, scheme: str) -> Draft:
    """Export a rung's untrained program, with the units that happen to come first, and measure it."""
    from mobile_export.lowering.lower import lower
    from mobile_export.programs.latency import latency

    recipe, slowest = _at(run.recipe, rung), run.recipe.budget.slowest
    start = run.pretrained()
    structure = Structure.first(sizes_of(recipe.structure, full_structure(start)))
    model, texts, *_ = cut(dataclasses.replace(run, recipe=recipe), structure, start)
    step = f"draft: rung {rung}, {scheme}"
    with run.console.step(step, 1) as advance, tempfile.TemporaryDirectory() as scratch:
        save(model, texts.tokenizer, Path(scratch))
        program = lower(Path(scratch), Path(scratch, "draft.pte"), scheme=scheme)
        milliseconds = None
        if slowest:
            threads, tokens = run.recipe.measure.threads, slowest[1]
            timed = latency({"draft": program}, lengths=(tokens,), threads=threads)["draft"][str(tokens)]
            milliseconds = timed["median"]
        advance(1)
    return Draft(program.bytes, milliseconds)


def _program(run: Run, place: Path, scheme: str) -> tuple[int, float]:
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
        metric = texts.task_type.score(found, texts.splits["dev"], run.task.metric)
        write_json(kept, {"bytes": program.bytes, "metric_dev": metric})
    numbers = read_json(kept)
    return numbers["bytes"], numbers["metric_dev"]


def _told(choice: Choice, budget: BudgetSection, dense_dev: float) -> dict[str, Any]:
    """The search for report.json, in the order of the trials."""

    def told(trial: Tried) -> dict[str, Any]:
        cost = {"bytes": trial.draft.bytes, "milliseconds": trial.draft.milliseconds}
        result = {"metric_dev": trial.metric_dev, "drop_dev": 100 * (dense_dev - trial.metric_dev)}
        shape = LADDER[trial.rung]
        name = {"rung": trial.rung, "scheme": trial.scheme}
        return _given({**name, **shape, **cost, **result, "chosen": trial == choice.chosen})

    return {"asked": _given(budget.model_dump()), "met_on_dev": choice.met, "tried": [told(t) for t in choice.tried]}


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _words(rung: int) -> str:
    shape = LADDER[rung]
    shares = ", ".join(f"{shape[part]:.0%} of the {part}" for part in ("layers", "heads", "neurons"))
    words = f"{shape['vocabulary']:,}" if shape["vocabulary"] else "all"
    rank = f" of rank {shape['embedding_rank']}" if shape["embedding_rank"] else ""
    return f"{shares}, {words} words{rank}"


def _speed(budget: BudgetSection, draft: Draft) -> str:
    return f" and takes {draft.milliseconds:.2f} ms at {budget.slowest[1]} tokens" if budget.slowest else ""
