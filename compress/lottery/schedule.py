"""How sparsity grows over the rounds."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from compress.errors import PocketTicketError

Schedule = Callable[[float, int], list[float]]


def points_of_original(sparsity: float, rounds: int) -> list[float]:
    """The same number of weights each round: s·r/R. What the public BERT-Tickets code does; our default."""
    return [sparsity * number / rounds for number in range(1, rounds + 1)]


def share_of_remaining(sparsity: float, rounds: int) -> list[float]:
    """The same share of what remains each round: 1 - (1 - s)^(r/R). Frankle & Carbin 2019."""
    return [1 - (1 - sparsity) ** (number / rounds) for number in range(1, rounds)] + [sparsity]


def one_shot(sparsity: float, rounds: int) -> list[float]:
    """All at once, after the first training; `rounds` makes no difference."""
    return [sparsity]


def cubic(sparsity: float, rounds: int) -> list[float]:
    """Much early, little late: s·(1 - (1 - r/R)³). Zhu & Gupta 2017, eq. 1, from a sparsity of 0."""
    return [sparsity * (1 - (1 - number / rounds) ** 3) for number in range(1, rounds + 1)]


SCHEDULES: dict[str, Schedule] = {f.__name__: f for f in (points_of_original, share_of_remaining, one_shot, cubic)}


def sparsities(schedule: str | Schedule | Sequence[float], sparsity: float, rounds: int) -> list[float]:
    """The sparsity after each round. A sequence of numbers is its own schedule and must end at `sparsity`.

    Raises PocketTicketError for an unknown name, for numbers outside [0, 1), and for a sparsity that falls.
    """
    if not 0 <= sparsity < 1:
        raise PocketTicketError(f"the sparsity is {sparsity}", remedy="choose 0 to less than 1")
    if rounds < 1:
        raise PocketTicketError(f"the number of rounds is {rounds}", remedy="choose 1 or more")
    if isinstance(schedule, str):
        if schedule not in SCHEDULES:
            known = ", ".join(SCHEDULES)
            raise PocketTicketError(f"there is no schedule '{schedule}'", remedy=f"use one of {known}")
        schedule = SCHEDULES[schedule]
    steps = schedule(sparsity, rounds) if callable(schedule) else list(schedule)
    if not steps or any(not 0 <= s < 1 for s in steps) or any(b < a for a, b in pairwise(steps)):
        raise PocketTicketError(f"the schedule {steps} is not valid", remedy="give growing numbers, 0 to less than 1")
    if abs(steps[-1] - sparsity) > 1e-9:
        raise PocketTicketError(f"the schedule ends at {steps[-1]}, not at {sparsity}", remedy="make them the same")
    return steps


def slowed(steps: Sequence[float], rate: float) -> list[float]:
    """The sparsities of a tensor that loses only `rate` times the share of its remaining weights that others lose.

    Frankle & Carbin 2019 prune the output layer at half the rate: 20 % of what remains a round, 10 % there.
    """
    if not 0 <= rate <= 1:
        raise PocketTicketError(f"the pruning rate is {rate}", remedy="choose one from 0 to 1")
    before, density, result = 1.0, 1.0, []
    for sparsity in steps:
        density *= 1 - rate * (1 - (1 - sparsity) / before)
        before = 1 - sparsity
        result.append(1 - density)
    return result
