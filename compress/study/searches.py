"""Ways to a mask: the papers' iterative search and cheaper ones. All end in a mask for each sparsity, and a price.

The price is in optimizer steps of the dense model's kind: every training before the ticket's own, the dense one where
it is used. A teacher's answers cost a third of a pass (a forward pass of three: forward, backward by two).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from compress.lottery import Mask, prune
from compress.lottery.convergence import votes
from compress.lottery.observe import round_seed
from compress.study.trainings import Bench, Spec, Training

SETTLED = 0.01  # of the prunable weights change sides between two looks
VOTERS, VOTER_EPOCHS, SHORT_EPOCHS = 3, 0.5, 1.0
_ANSWERING = 1 / 3


@dataclass(frozen=True)
class Found:
    """A mask and what finding it cost, in steps."""

    mask: Mask
    steps: float


Search = Callable[[Bench, int, Sequence[float]], dict[float, Found]]


def dense(bench: Bench, seed: int, searches: Sequence[str] = ()) -> Training:
    """The dense model, with what the searches want of it."""
    named = {"taylor": "taylor", "movement": "movement_pruning", "distilled": "model"}
    keep = (bench.run.recipe.ticket.criterion, *(named[name] for name in searches if name in named))
    return bench.train(Spec(seed, "dense", keep=tuple(dict.fromkeys(keep))))


def iterative(bench: Bench, seed: int, levels: Sequence[float]) -> tuple[dict[float, Found], dict[float, Training]]:
    """Iterative pruning: train, prune to the next sparsity, rewind to θ0. Returns the masks and the trained tickets.

    Where a round trains as long as the dense model, it is the ticket's own training, and one training serves both.
    """
    settings, last = bench.run.recipe.ticket, dense(bench, seed)
    mask, cost, found, tickets = Mask.dense(last.scores(settings.criterion)), last.steps, {}, {}
    for number, level in enumerate(levels, 2):
        mask = prune(last.scores(settings.criterion), mask, level, settings.scope)
        found[level] = Found(mask, cost)
        whole = round_epochs(bench) is None
        kept = (settings.criterion,) if whole else ()
        tickets[level] = last = bench.train(Spec(seed, f"ticket-{level:g}", mask, keep=kept))
        if not whole and level != levels[-1]:
            last = _round(bench, seed, number, mask, epochs=round_epochs(bench))
        cost += last.steps
    return found, tickets


def round_epochs(bench: Bench) -> float | None:
    """Passes of a round where the recipe names them and they are not the dense model's; None: whole trainings."""
    recipe = bench.run.recipe
    named = "round_epochs" in recipe.ticket.model_fields_set
    return recipe.ticket.round_epochs if named and recipe.ticket.round_epochs != recipe.training.epochs else None


def _round(bench: Bench, seed: int, number: int, mask: Mask | None, **how: object) -> Training:
    keep = (bench.run.recipe.ticket.criterion,)
    return bench.train(
        Spec(seed, f"round-{number}", mask, order=round_seed(seed, number), keep=keep, scored=False, **how)
    )


def pretrained(bench: Bench, seed: int, levels: Sequence[float]) -> dict[float, Found]:
    """The magnitude of θ0, which takes no training: what all others must beat."""
    return _one_shot(bench.initial_magnitudes(seed), bench, levels, 0)


def one_shot(bench: Bench, seed: int, levels: Sequence[float], criterion: str | None = None) -> dict[float, Found]:
    """All weights at once, from the dense model."""
    criterion = criterion or bench.run.recipe.ticket.criterion
    trained = bench.train(Spec(seed, "dense", keep=(criterion,)))
    return _one_shot(trained.scores(criterion), bench, levels, trained.steps)


def taylor(bench: Bench, seed: int, levels: Sequence[float]) -> dict[float, Found]:
    """One-shot by |w·∂L/∂w| at the end of the dense training."""
    return one_shot(bench, seed, levels, "taylor")


def movement(bench: Bench, seed: int, levels: Sequence[float]) -> dict[float, Found]:
    """One-shot by movement over the dense training."""
    return one_shot(bench, seed, levels, "movement_pruning")


def short(bench: Bench, seed: int, levels: Sequence[float]) -> dict[float, Found]:
    """Iterative; rounds after the dense training have one pass."""
    return _rounds(bench, seed, levels)


def distilled(bench: Bench, seed: int, levels: Sequence[float]) -> dict[float, Found]:
    """The same with the dense model as the rounds' teacher."""
    return _rounds(bench, seed, levels, taught=True)


def early(bench: Bench, seed: int, levels: Sequence[float]) -> dict[float, Found]:
    """Iterative; each round, the dense one included, ends when the mask that it would leave has settled."""
    settings = bench.run.recipe.ticket
    mask, cost, found = None, 0.0, {}
    for number, level in enumerate(levels, 1):
        last = _round(bench, seed, number, mask, settle=(level, SETTLED))
        scores = last.scores(settings.criterion)
        mask = prune(scores, mask or Mask.dense(scores), level, settings.scope)
        cost += last.steps
        found[level] = Found(mask, cost)
    return found


def averaged(bench: Bench, seed: int, levels: Sequence[float]) -> dict[float, Found]:
    """The vote of several short trainings, each with its own order and dropout."""
    settings = bench.run.recipe.ticket
    runs = [_round(bench, seed, 100 + n, None, epochs=VOTER_EPOCHS) for n in range(VOTERS)]
    scores = [run.scores(settings.criterion) for run in runs]
    nothing, cost, found = Mask.dense(scores[0]), sum(run.steps for run in runs), {}
    for level in levels:
        masks = [prune(score, nothing, level, settings.scope) for score in scores]
        found[level] = Found(prune(votes(masks, scores), nothing, level, settings.scope), cost)
    return found


SEARCH: dict[str, Search] = {
    f.__name__: f for f in (pretrained, one_shot, taylor, movement, short, early, averaged, distilled)
}


def expected_steps(name: str, levels: int, steps: Callable[[float | None], int]) -> int:
    """About what a search trains besides the dense model, of `steps(epochs)`; early rounds are taken for a half."""
    if name in ("short", "distilled"):
        return (levels - 1) * steps(SHORT_EPOCHS)
    if name == "early":
        return levels * steps(None) // 2
    return VOTERS * steps(VOTER_EPOCHS) if name == "averaged" else 0


def _rounds(bench: Bench, seed: int, levels: Sequence[float], *, taught: bool = False) -> dict[float, Found]:
    settings = bench.run.recipe.ticket
    last = bench.train(Spec(seed, "dense", keep=(settings.criterion, *(("model",) if taught else ()))))
    a_pass = math.ceil(len(bench.run.task.train) / bench.run.recipe.training.batch_size)
    mask, found = Mask.dense(last.scores(settings.criterion)), {}
    cost = last.steps + (_ANSWERING * a_pass if taught and len(levels) > 1 else 0.0)
    for number, level in enumerate(levels, 2):
        mask = prune(last.scores(settings.criterion), mask, level, settings.scope)
        found[level] = Found(mask, cost)
        if level != levels[-1]:
            last = _round(bench, seed, number, mask, epochs=SHORT_EPOCHS, taught=taught)
            cost += last.steps
    return found


def _one_shot(scores: dict, bench: Bench, levels: Sequence[float], cost: float) -> dict[float, Found]:
    nothing, scope = Mask.dense(scores), bench.run.recipe.ticket.scope
    return {level: Found(prune(scores, nothing, level, scope), cost) for level in levels}
