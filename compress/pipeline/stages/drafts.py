"""The drafts: untrained programs along the ladder of structures, whose size and speed are known before any training."""

import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from compress.errors import RecipeError
from compress.files import read_json, write_json
from compress.models.store import save
from compress.models.surgery import Structure, full_structure
from compress.pipeline.ladder import LADDER, SCHEMES, Draft, Storage, first_fitting
from compress.pipeline.run import Run
from compress.pipeline.stages.shrunk import cut, sizes_of
from compress.pipeline.stages.stage import Cost, Stage
from compress.recipe.budget import BudgetSection
from compress.recipe.recipe import Recipe

FIRST = "first.json"


def run_drafts(run: Run, folder: Path) -> None:
    """Find from where on the ladder fits size and speed, before anything is trained.

    Raises RecipeError when nothing on the ladder is small or fast enough.
    """
    budget = run.recipe.budget
    first = first_fitting(budget, len(LADDER), drafts_in(run, folder))
    if first is None:
        least = drafts_in(run, folder)(len(LADDER) - 1, SCHEMES[-1])
        limits = {"--max-size": budget.max_size, "--max-latency": budget.max_latency}
        raise RecipeError(
            f"no structure of the ladder fits: the smallest has {least.bytes / 1e6:.2f} MB{_speed(budget, least)}",
            where=" and ".join(flag for flag, limit in limits.items() if limit),
            remedy="raise the limit",
        )
    write_json(folder / FIRST, first)


def drafts_in(run: Run, folder: Path) -> Callable[[int, Storage], Draft]:
    """Drafts by rung and storage, each measured once and kept in `folder`."""

    def draft(rung: int, scheme: Storage) -> Draft:
        kept = folder / f"draft-{rung}-{scheme}.json"
        if not kept.exists():
            write_json(kept, asdict(_draft(run, rung, scheme)))
        return Draft(**read_json(kept))

    return draft


def _draft(run: Run, rung: int, scheme: Storage) -> Draft:
    """Export a rung's untrained program, with the units that happen to come first, and measure it."""
    from mobile_export.lowering.lower import lower
    from mobile_export.programs.latency import latency

    recipe, slowest = at_rung(run.recipe, rung), run.recipe.budget.slowest
    start = run.pretrained()
    structure = Structure.first(sizes_of(recipe.structure, full_structure(start)))
    model, texts, *_ = cut(run.with_recipe(structure=recipe.structure), structure, start)
    step = f"draft: structure {rung}, {scheme}"
    with run.console.step(step, 1) as advance, tempfile.TemporaryDirectory() as scratch:
        save(model, texts.tokenizer, Path(scratch))
        program = lower(Path(scratch), Path(scratch, "draft.pte"), scheme=scheme)
        milliseconds = None
        if slowest:
            threads, tokens = run.recipe.measure.threads, slowest[1]
            timed = latency({"draft": program}, lengths=(tokens,), threads=threads)["draft"][str(tokens)]
            milliseconds = timed["median"] if timed else None
        advance(1)
    return Draft(program.bytes, milliseconds)


def at_rung(recipe: Recipe, rung: int) -> Recipe:
    """The recipe with the structure of a rung of the ladder."""
    return recipe.model_copy(update={"structure": recipe.structure.model_copy(update=LADDER[rung])})


def _speed(budget: BudgetSection, draft: Draft) -> str:
    return f" and takes {draft.milliseconds:.2f} ms at {budget.slowest[1]} tokens" if budget.slowest else ""


STAGE = Stage(
    "drafts",
    "Drafts",
    run_drafts,
    settings=("model", "budget", "measure", "embedding"),
    cost=lambda recipe, data: Cost(seconds=90.0),
    has_model=False,
)
