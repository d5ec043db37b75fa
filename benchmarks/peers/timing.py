"""Latency of all contestants in one process, in turning order, so that what else the machine does hits all alike."""

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.peers.engines import Call

WARM_UP = 3  # calls before the timed ones of a turn: the engine before has taken the caches
PAUSE = 0.02  # seconds before a turn: waiting threads of the engine before spin for a while


@dataclass(frozen=True)
class Times:
    """Milliseconds of every timed call of one contestant at one length: `rounds` rows of equal length."""

    rounds: tuple[tuple[float, ...], ...]

    def summary(self) -> dict[str, float]:
        """Median, p10 and p90 over all calls, in ms."""
        calls = [call for row in self.rounds for call in row]
        tenths = statistics.quantiles(calls, n=10, method="inclusive") if len(calls) > 1 else calls
        return {"median": statistics.median(calls), "p10": tenths[0], "p90": tenths[-1]}

    def ratio(self, other: "Times") -> float:
        """This one's time ÷ the other's: the median over rounds of the ratio of the rounds' medians."""
        pairs = zip(self.rounds, other.rounds, strict=True)
        return statistics.median(statistics.median(mine) / statistics.median(theirs) for mine, theirs in pairs)


def order(names: Sequence[str], turn: int) -> list[str]:
    """The order of a round: it moves on by one every second round, and the round between runs backwards.

    So each contestant comes at many places, and after different ones.
    """
    start = turn // 2 % max(1, len(names))
    turned = [*names[start:], *names[:start]]
    return turned[::-1] if turn % 2 else turned


def measure(calls: Mapping[str, Call], *, rounds: int, runs: int) -> dict[str, Times]:
    """Time each call `runs` times in each of `rounds` rounds."""
    taken: dict[str, list[tuple[float, ...]]] = {name: [] for name in calls}
    for turn in range(rounds):
        for name in order(list(calls), turn):
            time.sleep(PAUSE)
            taken[name].append(_turn(calls[name], runs))
    return {name: Times(tuple(rows)) for name, rows in taken.items()}


def _turn(call: Call, runs: int) -> tuple[float, ...]:
    for _ in range(WARM_UP):
        call()
    taken = []
    for _ in range(runs):
        began = time.perf_counter()
        call()
        taken.append((time.perf_counter() - began) * 1e3)
    return tuple(taken)
