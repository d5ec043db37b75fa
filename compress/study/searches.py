"""Ways to a mask: the papers' iterative search and cheaper ones. All end in a mask for each sparsity, and a price.

The price is in optimizer steps of the dense model's kind: every training before the ticket's own, the dense one where
it is used. A teacher's logits for the training texts cost a third of a pass over them: one forward pass.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from compress.lottery import Mask, prune, step, targets
from compress.lottery.convergence import votes
from compress.lottery.observe import round_seed
from compress.study.trainings import Bench, Spec, Training

SETTLED = 0.01  # of the prunable weights change sides between two looks
VOTERS, VOTER_EPOCHS, SHORT_EPOCHS = 3, 0.5, 1.0
_FORWARD = 1 / 3  # of a training step: a backward pass takes as long as two forward passes


@dataclass(frozen=True)
class Found:
    """A mask and what finding it cost, in steps."""

    mask: Mask
    steps: float


Search = Callable[[Bench, int, Sequence[float]], dict[float, Found]]


def dense(bench: Bench, seed: int, searches: Sequence[str] = ()) -> Training:
    """The dense model, with the scores that the searches need."""
    named = {"taylor": "taylor", "movement_pruning": "movement_pruning", "distilled": "model"}
    keep = (bench.run.recipe.ticket.criterion, *(named[name] for name in searches if name in named))
    return bench.train(Spec(seed, "dense", keep=tuple(dict.fromkeys(keep))))


def iterative(bench: Bench, seed: int, levels: Sequence[float]) -> tuple[dict[float, Found], dict[float, Training]]:
    """Iterative pruning: train, prune to the next sparsity, rewind to θ0. Returns the masks and the trained tickets.

    Where a round trains as long as the dense model, it is the ticket's own training, and one training serves both.
    """
    criterion, epochs = bench.run.recipe.ticket.criterion, round_epochs(bench)
    tickets: dict[float, Training] = {}

    def ticket(level: float, mask: Mask) -> Training:
        kept = (criterion,) if epochs is None else ()
        tickets[level] = bench.train(Spec(seed, f"ticket-{level:g}", mask, keep=kept))
        return tickets[level]

    def train(number: int, mask: Mask) -> Training:
        own = ticket(levels[number - 2], mask)
        return own if epochs is None else _round(bench, seed, number, mask, epochs=epochs)

    found = _prune_in_rounds(bench, levels, dense(bench, seed), train)
    ticket(levels[-1], found[levels[-1]].mask)
    return found, tickets


def _prune_in_rounds(
    bench: Bench,
    levels: Sequence[float],
    last: Training,
    train: Callable[[int, Mask], Training],
    price: float = 0.0,
) -> dict[float, Found]:
    """Prune `last` to the first sparsity, then `train(number, mask)` (2, 3, …) and prune again, to the last one.

    `price` is what finding the masks costs besides the trainings, in steps.
    """
    settings = bench.run.recipe.ticket
    mask, found = Mask.dense(last.scores(settings.criterion)), {}
    steps = targets(mask, levels, settings.scope)
    for number, (level, target) in enumerate(zip(levels, steps, strict=True), 2):
        mask, price = step(last.scores(settings.criterion), mask, target), price + last.steps
        found[level] = Found(mask, price)
        if level != levels[-1]:
            last = train(number, mask)
    return found


def round_epochs(bench: Bench) -> float | None:
    """Passes of a round where the recipe names them and they are not the dense model's; None: whole trainings."""
    recipe = bench.run.recipe
    named = "round_epochs" in recipe.ticket.model_fields_set
    return recipe.ticket.round_epochs if named and recipe.ticket.round_epochs != recipe.training.epochs else None


def _round(bench: Bench, seed: int, number: int, mask: Mask | None, **how: Any) -> Training:
    keep = (bench.run.recipe.ticket.criterion,)
    return bench.train(
        Spec(seed, f"round-{number}", mask, order=round_seed(seed, number), keep=keep, scored=False, **how)
    )


def pretrained(bench: Bench, seed: int, levels: Sequence[float]) -> dict[float, Found]:
    """The magnitude of θ0, which takes no training: all others must be better."""
    return _one_shot(bench.initial_magnitudes(seed), bench, levels, 0)


def one_shot(bench: Bench, seed: int, levels: Sequence[float], criterion: str | None = None) -> dict[float, Found]:
    """All weights at once, from the dense model."""
    criterion = criterion or bench.run.recipe.ticket.criterion
    trained = bench.train(Spec(seed, "dense", keep=(criterion,)))
    return _one_shot(trained.scores(criterion), bench, levels, trained.steps)


def taylor(bench: Bench, seed: int, levels: Sequence[float]) -> dict[float, Found]:
    """One-shot by |w·∂L/∂w| at the end of the dense training."""
    return one_shot(bench, seed, levels, "taylor")


def movement_pruning(bench: Bench, seed: int, levels: Sequence[float]) -> dict[float, Found]:
    """One-shot by movement pruning's scores over the dense training."""
    return one_shot(bench, seed, levels, "movement_pruning")


def short(bench: Bench, seed: int, levels: Sequence[float]) -> dict[float, Found]:
    """Iterative; rounds after the dense training have one pass."""
    return _rounds(bench, seed, levels)


def distilled(bench: Bench, seed: int, levels: Sequence[float]) -> dict[float, Found]:
    """The same with the dense model as the rounds' teacher."""
    return _rounds(bench, seed, levels, distilled=True)


def early(bench: Bench, seed: int, levels: Sequence[float]) -> dict[float, Found]:
    """Iterative; each round, the dense one included, ends when the mask that it would leave has settled."""

    def train(number: int, mask: Mask | None) -> Training:
        return _round(bench, seed, number, mask, settle=(levels[number - 1], SETTLED))

    return _prune_in_rounds(bench, levels, train(1, None), train)


def averaged(bench: Bench, seed: int, levels: Sequence[float]) -> dict[float, Found]:
    """The combined masks of several short trainings, each with its own order and dropout."""
    settings = bench.run.recipe.ticket
    runs = [_round(bench, seed, 100 + n, None, epochs=VOTER_EPOCHS) for n in range(VOTERS)]
    scores = [run.scores(settings.criterion) for run in runs]
    nothing, cost, found = Mask.dense(scores[0]), sum(run.steps for run in runs), {}
    for level in levels:
        masks = [prune(score, nothing, level, settings.scope) for score in scores]
        found[level] = Found(prune(votes(masks, scores), nothing, level, settings.scope), cost)
    return found


SEARCH: dict[str, Search] = {
    f.__name__: f for f in (pretrained, one_shot, taylor, movement_pruning, short, early, averaged, distilled)
}


def expected_steps(name: str, levels: int, steps: Callable[[float | None], int]) -> int:
    """About what a search trains besides the dense model, of `steps(epochs)`; early rounds are taken for a half."""
    if name in ("short", "distilled"):
        return (levels - 1) * steps(SHORT_EPOCHS)
    if name == "early":
        return levels * steps(None) // 2
    return VOTERS * steps(VOTER_EPOCHS) if name == "averaged" else 0


def _rounds(bench: Bench, seed: int, levels: Sequence[float], *, distilled: bool = False) -> dict[float, Found]:
    criterion = bench.run.recipe.ticket.criterion
    last = bench.train(Spec(seed, "dense", keep=(criterion, *(("model",) if distilled else ()))))
    a_pass = math.ceil(len(bench.run.task.train) / bench.run.recipe.training.batch_size)
    price = _FORWARD * a_pass if distilled and len(levels) > 1 else 0.0

    def train(number: int, mask: Mask) -> Training:
        return _round(bench, seed, number, mask, epochs=SHORT_EPOCHS, distilled=distilled)

    return _prune_in_rounds(bench, levels, last, train, price)


def _one_shot(scores: dict[str, Tensor], bench: Bench, levels: Sequence[float], cost: float) -> dict[float, Found]:
    nothing, scope = Mask.dense(scores), bench.run.recipe.ticket.scope
    return {level: Found(prune(scores, nothing, level, scope), cost) for level in levels}
