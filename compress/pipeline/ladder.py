"""The search behind --max-drop, --max-size and --max-latency: which structure and storage, in few trainings.

The plan has two parts. Size and speed depend on shapes only: untrained drafts are exported and measured, and by
bisection along a ladder of ever smaller structures the first rungs that fit are found, for each storage. Accuracy has
to be trained for: for the most accurate program the largest structure that fits is trained for each storage; for the
smallest within a drop the ladder is bisected, assuming that smaller loses more. Each training gives a program for each
storage, and the choice is the best of all that were tried, on dev.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from compress.recipe.budget import BudgetSection

Storage = Literal["int8", "int4"]
SCHEMES: tuple[Storage, ...] = ("int8", "int4")
# (layers, heads, neurons, vocabulary, embedding_rank), largest first; no rung is larger than the one before in any of
# them. The first is the dense model as it is: where nothing may be lost, its storage alone becomes smaller. 0: whole.
# The recipes accurate, balanced and tiny stand on it: many words in a narrow table lose less than few in a wide one.
_RUNGS = (
    (1.0, 1.0, 1.0, 0, 0),
    (1.0, 0.84, 0.75, 20000, 192),
    (1.0, 0.67, 0.5, 16000, 160),
    (0.84, 0.5, 0.34, 16000, 160),
    (0.67, 0.5, 0.34, 16000, 96),
    (0.67, 0.5, 0.25, 16000, 64),
    (0.5, 0.5, 0.25, 12000, 64),
    (0.5, 0.34, 0.17, 8000, 48),
    (0.34, 0.34, 0.17, 6000, 32),
)
_PARTS = ("layers", "heads", "neurons", "vocabulary", "embedding_rank")
LADDER = tuple(dict(zip(_PARTS, rung, strict=True)) for rung in _RUNGS)


@dataclass(frozen=True)
class Draft:
    """What a rung's program costs, trained or not: `bytes`, and `milliseconds` at the budget's tokens if it has any."""

    bytes: int
    milliseconds: float | None

    def fits(self, budget: BudgetSection) -> bool:
        """Whether size and speed are within the budget."""
        fast = budget.slowest is None or (self.milliseconds is not None and self.milliseconds <= budget.slowest[0])
        return fast and self.bytes <= budget.most_bytes


@dataclass(frozen=True)
class Tried:
    """A trained program: its rung and storage, what it costs, and the metric (0–1 or as it is) of the file on dev."""

    rung: int
    scheme: Storage
    draft: Draft
    metric_dev: float


@dataclass(frozen=True)
class Choice:
    """The result of the search. `met`: whether it keeps the budget on dev."""

    tried: tuple[Tried, ...]
    chosen: Tried
    met: bool


def first_fitting(
    budget: BudgetSection, rungs: int, draft: Callable[[int, Storage], Draft]
) -> dict[Storage, int] | None:
    """For each storage the largest rung that fits size and speed, where one does; None when none does for any.

    `draft(rung, scheme)` measures a program without training it; it is called about log2(rungs) times for each storage.
    """
    if budget.max_size is None and budget.slowest is None:
        return dict.fromkeys(SCHEMES, 0)

    def first(scheme: Storage) -> int | None:
        return _first(lambda rung: draft(rung, scheme).fits(budget), rungs)

    found = {scheme: first(scheme) for scheme in SCHEMES}
    return {scheme: rung for scheme, rung in found.items() if rung is not None} or None


def search(
    budget: BudgetSection,
    rungs: int,
    *,
    first: Mapping[Storage, int],
    train: Callable[[int], Iterable[tuple[Storage, Draft, float]]],
    dense_dev: float,
) -> Choice:
    """Follow the plan on a ladder of `rungs`; `first` is, for each storage, the first rung that fits.

    `train(rung)` trains the rung once and yields (scheme, draft, metric on dev) of its program for each storage;
    `dense_dev` is the dense model's metric.
    """
    tried: list[Tried] = []

    def attempt(rung: int) -> list[Tried]:
        found = [Tried(rung, scheme, cost, metric) for scheme, cost, metric in train(rung)]
        tried.extend(found)
        return [t for t in found if t.draft.fits(budget)]

    def within(programs: Sequence[Tried]) -> list[Tried]:
        most = float("inf") if budget.max_drop is None else budget.max_drop
        return [t for t in programs if 100 * (dense_dev - t.metric_dev) <= most]

    fitting = sorted(set(first.values()))
    if budget.max_drop is None:
        for rung in fitting:
            attempt(rung)
    else:
        low, high = fitting[0], rungs - 1  # every rung below `low` is too large or has passed
        while low <= high:
            middle = (low + high) // 2
            if within(attempt(middle)):
                low = middle + 1
            else:
                high = middle - 1
    fit = [t for t in tried if t.draft.fits(budget)]
    good = within(fit) if budget.max_drop is not None else []
    best = max(fit, key=lambda t: (t.metric_dev, -t.draft.bytes))
    chosen = min(good, key=lambda t: t.draft.bytes, default=best)
    return Choice(tuple(tried), chosen, budget.max_drop is None or bool(good))


def _first(passes: Callable[[int], bool], count: int) -> int | None:
    """The first number below `count` that passes, by bisection: all after one that passes do, too. None: none does."""
    if not passes(count - 1):
        return None
    low, high = 0, count - 1
    while low < high:
        middle = (low + high) // 2
        if passes(middle):
            high = middle
        else:
            low = middle + 1
    return low
