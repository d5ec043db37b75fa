"""Theorems of the statistics, on random predictions."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sample_report import sample

from compress.errors import PocketTicketError
from compress.evaluation import statistics as s
from compress.evaluation.winning_rule import winning_ticket

FAST = settings(max_examples=30, deadline=None)
labels = st.integers(2, 60).flatmap(lambda n: arrays(np.int64, (3, n), elements=st.integers(0, 2)))
metrics = st.lists(st.floats(0, 1), min_size=2, max_size=6)


def accuracy(predictions: np.ndarray, truth: np.ndarray) -> float:
    return float(np.mean(predictions == truth))


def f1_from_counts(counts: np.ndarray, _: np.ndarray) -> float:
    true_positive, false_positive, false_negative = counts.sum(axis=0)
    return float(2 * true_positive / (2 * true_positive + false_positive + false_negative))


@FAST
@given(labels)
def test_an_interval_holds_its_estimate_and_stays_in_the_metrics_range(rows: np.ndarray) -> None:
    found = s.bootstrap(rows[0], rows[1], accuracy, resamples=200)
    assert found.value == accuracy(rows[0], rows[1])
    assert 0 <= found.low <= found.value <= found.high <= 1


@FAST
@given(labels, st.integers(0, 9))
def test_the_same_seed_gives_the_same_interval(rows: np.ndarray, seed: int) -> None:
    first, second = (s.bootstrap(rows[0], rows[1], accuracy, resamples=100, seed=seed) for _ in range(2))
    assert first == second


@FAST
@given(labels)
def test_a_higher_level_gives_a_wider_interval(rows: np.ndarray) -> None:
    narrow, wide = (s.bootstrap(rows[0], rows[1], accuracy, resamples=200, level=level) for level in (0.8, 0.99))
    assert wide.low <= narrow.low and narrow.high <= wide.high


@FAST
@given(labels)
def test_identical_predictions_differ_by_exactly_nothing(rows: np.ndarray) -> None:
    assert s.paired_bootstrap(rows[0], rows[0].copy(), rows[1], accuracy, resamples=100) == s.Estimate(0.0, 0.0, 0.0)


@FAST
@given(labels)
def test_swapping_the_two_turns_the_sign(rows: np.ndarray) -> None:
    forth = s.paired_bootstrap(rows[0], rows[1], rows[2], accuracy, resamples=200)
    back = s.paired_bootstrap(rows[1], rows[0], rows[2], accuracy, resamples=200).scaled(-1)
    assert forth.value == back.value
    assert forth.ci == pytest.approx(back.ci, abs=1e-12)


def test_pairing_narrows_the_interval_of_two_models_that_err_alike() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 400)
    first = np.where(rng.random(400) < 0.2, 1 - truth, truth)
    second = first.copy()
    second[:4] = 1 - second[:4]
    paired = s.paired_bootstrap(first, second, truth, accuracy)
    alone = s.bootstrap(first, truth, accuracy)
    assert paired.high - paired.low < 0.5 * (alone.high - alone.low)


def test_the_interval_is_scipys_and_nearly_the_normal_one() -> None:
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 3, 500)
    guess = np.where(rng.random(500) < 0.9, truth, 2 - truth)
    found = s.bootstrap(guess, truth, accuracy, resamples=8000)
    right = (guess == truth).astype(float)
    theirs = scipy.stats.bootstrap((right,), np.mean, n_resamples=8000, method="percentile", rng=1).confidence_interval
    assert found.ci == pytest.approx([theirs.low, theirs.high], abs=0.004)
    half = 1.96 * right.std() / np.sqrt(500)
    assert found.ci == pytest.approx([right.mean() - half, right.mean() + half], abs=0.004)


def test_a_95_percent_interval_covers_the_truth_about_95_times_in_100() -> None:
    rng = np.random.default_rng(2)
    truth, covered = 0.8, 0
    for trial in range(200):
        right = (rng.random(300) < truth).astype(int)
        found = s.bootstrap(right, np.ones(300, int), accuracy, resamples=300, seed=trial)
        covered += found.low <= truth <= found.high
    assert 0.90 <= covered / 200 <= 0.99


def test_counts_make_an_entity_f1_and_ragged_rows_are_taken() -> None:
    counts = np.array([[3, 1, 0], [2, 0, 1], [0, 1, 1], [4, 0, 0]])
    found = s.bootstrap(counts, np.zeros(4), f1_from_counts, resamples=300)
    assert found.value == pytest.approx(18 / 22)
    answers = [["a"], ["b", "c"], [], ["d"]]
    exact = s.bootstrap(answers, answers, lambda p, y: float(np.mean([a == b for a, b in zip(p, y, strict=True)])))
    assert exact == s.Estimate(1.0, 1.0, 1.0)


def test_resamples_without_a_metric_are_left_out_and_too_many_are_an_error() -> None:
    def correlation(p: np.ndarray, y: np.ndarray) -> float:
        return float(np.corrcoef(p, y)[0, 1]) if p.std() and y.std() else float("nan")

    assert s.bootstrap([1.0, 2.0, 3.0, 5.0], [1.0, 2.1, 2.9, 5.0], correlation).low > 0.9
    with pytest.raises(PocketTicketError, match="undefined on these predictions"):
        s.bootstrap([1.0, 1.0, 1.0], [1.0, 2.0, 3.0], correlation)
    rare = [0.0] * 40 + [1.0]
    with pytest.raises(PocketTicketError, match="most resamples"):
        s.bootstrap(
            rare, rare, lambda p, y: 1.0 if p.sum() == 1 and len(set(p.tolist())) == 2 and p[-1] else float("nan")
        )


@pytest.mark.parametrize(("predictions", "truth"), [([1], [1]), ([], []), ([1, 2, 3], [1, 2])])
def test_too_few_or_unequal_rows_are_an_error(predictions: list[int], truth: list[int]) -> None:
    with pytest.raises(PocketTicketError):
        s.bootstrap(predictions, truth, accuracy)


@FAST
@given(metrics)
def test_the_dense_model_itself_is_a_winning_ticket(values: list[float]) -> None:
    assert winning_ticket(values, values).winning is True


@FAST
@given(metrics, metrics, st.floats(0, 1))
def test_a_better_ticket_never_turns_a_win_into_a_loss(dense: list[float], ticket: list[float], gain: float) -> None:
    if winning_ticket(dense, ticket).winning:
        assert winning_ticket(dense, [value + gain for value in ticket]).winning


@FAST
@given(metrics, metrics)
def test_where_lower_is_better_the_rule_is_mirrored(dense: list[float], ticket: list[float]) -> None:
    mirrored = winning_ticket([-v for v in dense], [-v for v in ticket], higher_is_better=False)
    assert mirrored.winning == winning_ticket(dense, ticket).winning


def test_the_rule_on_worked_numbers() -> None:
    dense = [0.90, 0.92, 0.94]  # mean 0.92, deviation 0.02
    assert winning_ticket(dense, [0.901, 0.901]).winning is True
    assert winning_ticket(dense, [0.899, 0.899]).winning is False
    assert winning_ticket(dense, [0.899, 0.899]).as_report()["seeds"]["dense"]["std"] == pytest.approx(0.02)


@pytest.mark.parametrize(("dense", "ticket"), [([0.9], [0.9]), ([0.9, 0.8], [0.9]), ([0.9], [0.9, 0.8])])
def test_one_seed_gives_no_verdict_but_a_reason(dense: list[float], ticket: list[float]) -> None:
    found = winning_ticket(dense, ticket)
    assert found.winning is None
    assert "--seeds" in found.not_measured()["verdict.winning_ticket"]


@pytest.fixture
def report() -> dict:
    return sample()


def test_ratios_are_dense_by_ticket(report: dict) -> None:
    programs = report["programs"]
    found = s.compare_programs(programs["dense"], programs["ticket"])
    assert found["size_ratio"] == pytest.approx(report["verdict"]["size_ratio"], abs=1e-4)
    assert found["download_ratio"] == pytest.approx(report["verdict"]["download_ratio"], abs=1e-4)
    assert found["speed_ratio"] == pytest.approx(report["verdict"]["speed_ratio"], abs=1e-4)
    assert found["memory_ratio"] is None


def test_speeds_at_different_threads_are_not_compared(report: dict) -> None:
    report["programs"]["dense"]["threads"] = 2
    with pytest.raises(PocketTicketError, match="2 threads, the ticket's with 1"):
        s.compare_programs(*(report["programs"][name] for name in ("dense", "ticket")))


@pytest.mark.parametrize(("dense", "ticket"), [(0, 1), (1, 0), (-1, 1)])
def test_a_ratio_needs_positive_numbers(dense: float, ticket: float) -> None:
    with pytest.raises(PocketTicketError):
        s.ratio(dense, ticket)
