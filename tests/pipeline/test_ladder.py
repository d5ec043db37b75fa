"""The search behind a budget, on ladders of numbers: it finds what it promises, in few trainings, and nothing else."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress.errors import RecipeError
from compress.pipeline.ladder import LADDER, SCHEMES, Draft, first_fitting, search
from compress.recipe.budget import BudgetSection
from compress.recipe.load import load_recipe
from compress.recipe.sections import StructureSection


class Ladder:
    """Programs of known size and quality; counts what is drafted and trained."""

    def __init__(self, sizes: list[int], metrics: list[float]) -> None:
        self.sizes, self.metrics = sizes, metrics
        self.drafted, self.trained = [], []

    def draft(self, rung: int, scheme: str) -> Draft:
        self.drafted.append((rung, scheme))
        size = self.sizes[rung] // (2 if scheme == "int4" else 1)
        return Draft(size, size / 1e6)

    def train(self, rung: int):
        self.trained.append(rung)
        for scheme in SCHEMES:
            size = self.sizes[rung] // (2 if scheme == "int4" else 1)
            yield scheme, Draft(size, size / 1e6), self.metrics[rung] - (0.002 if scheme == "int4" else 0)

    def search(self, dense: float = 0.9, **asked):
        budget, rungs = BudgetSection(**asked), len(self.sizes)
        first = first_fitting(budget, rungs, self.draft)
        return first and search(budget, rungs, first=first, train=self.train, dense_dev=dense)


def ladder() -> Ladder:
    return Ladder([12_000_000, 8_000_000, 6_000_000, 4_000_000, 3_000_000], [0.899, 0.897, 0.893, 0.88, 0.86])


def test_the_smallest_within_a_drop() -> None:
    ladders = ladder()
    found = ladders.search(max_drop=1.0)
    assert found.met and (found.chosen.rung, found.chosen.scheme) == (2, "int4")  # 0.891: 0.9 points below
    assert len(ladders.trained) <= 3 and not ladders.drafted


def test_a_drop_that_nothing_keeps_gives_the_most_accurate_and_says_so() -> None:
    found = ladder().search(max_drop=0.0)
    assert not found.met and found.chosen == max(found.tried, key=lambda t: t.metric_dev)


def test_the_most_accurate_that_fits() -> None:
    ladders = ladder()
    found = ladders.search(max_size="4.5MB")
    # int8 fits from rung 3, int4 from rung 1: both are trained, and nothing else
    assert sorted(ladders.trained) == [1, 3]
    assert (found.chosen.rung, found.chosen.scheme) == (1, "int4") and found.chosen.draft.bytes <= 4_500_000


def test_latency_limits_like_size() -> None:
    assert ladder().search(max_latency="4.1ms@12").chosen.draft.milliseconds <= 4.1


def test_what_can_not_fit_is_none_and_nothing_is_trained() -> None:
    ladders = ladder()
    assert ladders.search(max_size="1MB") is None and ladders.trained == []


def test_both_limits_hold_together() -> None:
    found = ladder().search(max_size="3.5MB", max_drop=3.0)
    assert found.met and found.chosen.draft.bytes == 2_000_000 and found.chosen.rung == 3


@given(
    st.lists(st.integers(1_000, 10**8), min_size=1, max_size=9, unique=True),
    st.lists(st.floats(0, 1), min_size=9, max_size=9),
    st.floats(0, 30),
    st.integers(1, 10**5),
)
def test_no_promise_is_broken(sizes: list[int], metrics: list[float], drop: float, kilobytes: int) -> None:
    """Whatever the ladder is like, a choice that is called met fits and keeps the drop, at logarithmic cost."""
    ladders = Ladder(sorted(sizes, reverse=True), metrics)
    found = ladders.search(max_drop=drop, max_size=f"{kilobytes}kB")
    if found is None:
        assert min(ladders.sizes) // 2 > 1000 * kilobytes
        return
    assert found.chosen.draft.bytes <= 1000 * kilobytes and found.chosen in found.tried
    assert found.met == any(
        100 * (0.9 - t.metric_dev) <= drop for t in found.tried if t.draft.bytes <= 1000 * kilobytes
    )
    if found.met:
        assert 100 * (0.9 - found.chosen.metric_dev) <= drop
    assert len(ladders.trained) == len(set(ladders.trained)) <= len(sizes).bit_length()


@given(st.lists(st.floats(0.5, 0.9), min_size=6, max_size=6), st.floats(0, 30))
def test_where_smaller_loses_more_the_smallest_is_found(metrics: list[float], drop: float) -> None:
    metrics = sorted(metrics, reverse=True)
    ladders = Ladder([6, 5, 4, 3, 2, 1], metrics)
    found = ladders.search(max_drop=drop)
    passing = [rung for rung, metric in enumerate(metrics) if 100 * (0.9 - metric) <= drop]
    assert found.met == bool(passing)
    if passing:
        assert max(t.rung for t in found.tried if 100 * (0.9 - t.metric_dev) <= drop) == passing[-1]


def test_the_ladder_only_goes_down() -> None:
    for larger, smaller in pairwise(LADDER):
        StructureSection(**smaller)
        for key in larger:
            assert smaller[key] <= (larger[key] or float("inf"))  # 0 words: all of them


def test_a_budget_means_structure() -> None:
    recipe = load_recipe(flags={"budget.max_size": "4.5 MB", "budget.max_latency": "1ms@12"})
    assert recipe.ticket.kind == "structure" and recipe.budget.is_set
    assert recipe.budget.most_bytes == 4_500_000 and recipe.budget.slowest == (1.0, 12)
    assert load_recipe().ticket.kind == "weights" and not load_recipe().budget.is_set


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        ({"budget.max_size": "4.5"}, "4.5MB"),
        ({"budget.max_size": "-1MB"}, "4.5MB"),
        ({"budget.max_latency": "1ms"}, "1ms@12"),
        ({"budget.max_latency": "1ms@1"}, "1ms@12"),
        ({"budget.max_latency": "1ms@200"}, "more than the 128 tokens"),
        ({"budget.max_drop": "-1"}, "greater than or equal to 0"),
        ({"budget.max_drop": "1", "ticket.kind": "weights"}, "do not set ticket.kind"),
        ({"budget.max_drop": "1", "distill.enabled": "false"}, "distill.enabled"),
    ],
)
def test_a_wrong_budget_is_one_sentence(flags: dict[str, str], sentence: str) -> None:
    with pytest.raises(RecipeError, match=sentence):
        load_recipe(flags=flags)
