"""Bootstrap intervals and ratios. Pure functions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from compress.errors import PocketTicketError

Metric = Callable[[np.ndarray, np.ndarray], float]


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
        """The same in another unit: factor 100 turns a share into points, −1 reverses the comparison."""
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
    than that of two separate ones. Identical predictions give exactly 0, [0, 0]; swapping the two models changes
    the sign. Shapes, unit and errors as in `bootstrap`.
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
            remedy="check that labels and predictions have more than one value",
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
