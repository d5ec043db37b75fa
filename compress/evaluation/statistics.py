"""What a comparison rests on: bootstrap intervals, the papers' rule for a winning ticket, ratios. Pure functions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from compress.errors import PocketTicketError

Metric = Callable[[np.ndarray, np.ndarray], float]
RULE = (
    "a ticket wins if, trained like the dense model, its mean test metric over the seeds is within one standard "
    "deviation of the dense model's, or better"
)


@dataclass(frozen=True)
class Estimate:
    """A number with its interval: `low` ≤ `value` ≤ `high`, in the metric's unit."""

    value: float
    low: float
    high: float

    @property
    def ci(self) -> list[float]:
        """[low, high], as report.json holds it."""
        return [self.low, self.high]

    def scaled(self, factor: float) -> "Estimate":
        """The same in another unit: factor 100 turns a share into points, −1 turns the comparison round."""
        low, high = sorted((self.low * factor, self.high * factor))
        return Estimate(self.value * factor, low, high)


def bootstrap(
    predictions: Sequence[Any] | np.ndarray,
    labels: Sequence[Any] | np.ndarray,
    metric: Metric,
    *,
    resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Percentile bootstrap of a metric over examples (Efron & Tibshirani 1993, chapter 13).

    θ* = metric(predictions[i*], labels[i*]) with N indices i* drawn with replacement, `resamples` times. The interval
    goes from the (1 − level)/2 to the (1 + level)/2 quantile of θ*, widened to the estimate where a biased metric
    leaves it outside. `predictions` and `labels` are (N, ...), one row an example: class ids, scores, or counts such
    as (true positive, false positive, false negative) that `metric` sums, which keeps entity F1 fast. Resamples in
    which the metric is undefined (NaN) are left out.

    Raises PocketTicketError for fewer than two examples, for lengths that differ, or for an undefined metric.
    """
    arrays = _rows(predictions, labels)
    return _interval(lambda i: metric(arrays[0][i], arrays[1][i]), len(arrays[0]), resamples, level, seed)


def paired_bootstrap(
    first: Sequence[Any] | np.ndarray,
    second: Sequence[Any] | np.ndarray,
    labels: Sequence[Any] | np.ndarray,
    metric: Metric,
    *,
    resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Interval of metric(first) − metric(second), both on the same examples (Koehn 2004, section 4).

    Each resample draws one set of examples for both: what is hard for both cancels, so the interval is much narrower
    than that of two separate ones. Identical predictions give exactly 0, [0, 0]; swapping them turns the sign.
    Shapes, unit and errors as in `bootstrap`.
    """
    a, b, y = _rows(first, second, labels)
    return _interval(lambda i: metric(a[i], y[i]) - metric(b[i], y[i]), len(y), resamples, level, seed)


def _rows(*columns: Sequence[Any] | np.ndarray) -> list[np.ndarray]:
    """Arrays of N rows each; ragged sequences (entity lists, answer spans) become arrays of objects."""
    lengths = {len(column) for column in columns}
    if len(lengths) > 1:
        raise PocketTicketError(
            f"predictions and labels have different lengths ({', '.join(map(str, sorted(lengths)))})",
            remedy="pass one prediction for each label",
        )
    if min(lengths) < 2:
        raise PocketTicketError("an interval needs at least two examples", remedy="evaluate on a larger split")
    return [_array(column) for column in columns]


def _array(column: Sequence[Any] | np.ndarray) -> np.ndarray:
    try:
        array = np.asarray(column)
        if array.dtype.kind in "biufUSO":
            return array
    except ValueError:  # ragged
        pass
    array = np.empty(len(column), dtype=object)
    array[:] = list(column)
    return array


def _interval(
    statistic: Callable[[np.ndarray], float], examples: int, resamples: int, level: float, seed: int
) -> Estimate:
    value = float(statistic(np.arange(examples)))
    if not np.isfinite(value):
        raise PocketTicketError(
            "the metric is undefined on these predictions",
            remedy="look whether labels and predictions hold more than one value",
        )
    rng = np.random.default_rng(seed)
    draws = np.array([statistic(rng.integers(0, examples, examples)) for _ in range(resamples)], dtype=float)
    draws = draws[np.isfinite(draws)]
    if len(draws) < resamples / 2:
        raise PocketTicketError(
            "the metric is undefined in most resamples of the examples", remedy="evaluate on a larger split"
        )
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(value, min(float(low), value), max(float(high), value))


@dataclass(frozen=True)
class SeedVerdict:
    """The papers' rule applied: `winning` is None where the seeds can't tell, and `reason` says why."""

    winning: bool | None
    reason: str | None
    dense: tuple[float, ...]
    ticket: tuple[float, ...]
    rule: str = RULE

    def as_report(self) -> dict[str, Any]:
        """The keys winning_ticket, rule and seeds of report.json's verdict."""
        return {
            "winning_ticket": self.winning,
            "rule": self.rule,
            "seeds": {"dense": seed_summary(self.dense), "ticket": seed_summary(self.ticket)},
        }

    def not_measured(self) -> dict[str, str]:
        """The entries of report.json's not_measured that go with `as_report`."""
        reasons = {} if self.reason is None else {"verdict.winning_ticket": self.reason}
        for name, values in (("dense", self.dense), ("ticket", self.ticket)):
            if len(values) < 2:
                reasons[f"verdict.seeds.{name}.std"] = "one seed has no spread"
        return reasons


def winning_ticket(dense: Sequence[float], ticket: Sequence[float], *, higher_is_better: bool = True) -> SeedVerdict:
    """Whether a ticket matches: mean(ticket) ≥ mean(dense) − s(dense), s with n − 1 (Chen et al. 2020, section 3.2).

    `dense` and `ticket` are test metrics over seeds, trained for the same steps; both need at least two seeds, else the
    verdict is None. Where lower is better the rule is mirrored: mean(ticket) ≤ mean(dense) + s(dense).
    """
    if not dense or not ticket:
        raise PocketTicketError("a verdict needs the metric of at least one seed", remedy="evaluate both stages")
    fewest = min(len(dense), len(ticket))
    if fewest < 2:
        reason = "one seed has no standard deviation, which the rule needs: python -m compress.study --seeds 0,1,2"
        return SeedVerdict(None, reason, tuple(dense), tuple(ticket))
    sign = 1 if higher_is_better else -1
    gap = sign * (float(np.mean(dense)) - float(np.mean(ticket)))
    # Equal means with zero spread must win, whatever the last bit of the two sums says.
    winning = gap <= float(np.std(dense, ddof=1)) + 1e-12
    return SeedVerdict(winning, None, tuple(dense), tuple(ticket))


def seed_summary(values: Sequence[float]) -> dict[str, Any]:
    """{"values", "mean", "std"} of a metric over seeds; std is the sample deviation (n − 1), None for one seed."""
    std = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return {"values": [float(v) for v in values], "mean": float(np.mean(values)), "std": std}


def ratio(dense: float | None, ticket: float | None) -> float | None:
    """dense ÷ ticket: 20 means twenty times smaller or faster. None if either was not measured."""
    if dense is None or ticket is None:
        return None
    if dense <= 0 or ticket <= 0:
        raise PocketTicketError(f"a ratio needs positive numbers, not {dense} and {ticket}", remedy="measure again")
    return dense / ticket


def compare_programs(dense: dict[str, Any], ticket: dict[str, Any]) -> dict[str, Any]:
    """The ratios of report.json's verdict (size, download, memory, speed) from its two `programs`.

    Speed compares medians length by length; it is None where a latency is missing.
    Raises PocketTicketError if the two were timed with different numbers of threads.
    """
    fast, slow = ticket["latency_ms"], dense["latency_ms"]
    speed = None
    if fast and slow:
        if dense["threads"] != ticket["threads"]:
            raise PocketTicketError(
                f"the dense program was timed with {dense['threads']} threads, the ticket's with {ticket['threads']}",
                remedy="time both with the same number of threads in one run",
            )
        speed = {
            length: ratio(*(entry[length]["median"] if entry[length] else None for entry in (slow, fast)))
            for length in slow
            if length in fast
        }
    return {
        "size_ratio": ratio(dense["bytes"], ticket["bytes"]),
        "download_ratio": ratio(dense["download_bytes"], ticket["download_bytes"]),
        "memory_ratio": ratio(*(p.get("peak_rss_growth_bytes") or None for p in (dense, ticket))),
        "speed_ratio": speed,
    }
