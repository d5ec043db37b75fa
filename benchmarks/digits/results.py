"""The measured numbers, asked by experiment and level: what page and plots are made from."""

from statistics import fmean

from compress.lottery.verdict import Verdict, judge

SMALL = 0.20  # "winning tickets at 10-20 % of the weights"


class Results:
    """Columns of the measured numbers; every list has one value a seed."""

    def __init__(self, measured: dict) -> None:
        self.settings, self.seeds = measured["settings"], measured["seeds"]

    def iterative(self, level: int, key: str = "accuracy") -> list[float]:
        return [seed["iterative"][level][key] for seed in self.seeds]

    def other(self, part: str, name: str, level: int, key: str = "accuracy") -> list[float]:
        """A control ("controls") or treatment ("treatments") at one of its levels."""
        levels = self.settings["levels" if part == "controls" else "treated_levels"]
        return [seed[part][name][levels.index(level)][key] for seed in self.seeds]

    def criterion(self, name: str, index: int, key: str = "accuracy") -> list[float]:
        return [seed["criteria"][name][index][key] for seed in self.seeds]

    def supermask(self, name: str, key: str = "accuracy") -> list[float]:
        return [seed["supermasks"][name][key] for seed in self.seeds]

    def density(self, level: int) -> float:
        return fmean(self.iterative(level, "density"))

    @property
    def small(self) -> int:
        """The first level at or below SMALL of the weights."""
        return next((level for level in range(self.low + 1) if self.density(level) <= SMALL), self.low)

    @property
    def low(self) -> int:
        """The sparsest level."""
        return self.settings["rounds"]

    def verdict(self, level: int) -> Verdict:
        steps = self.settings["steps"]
        return judge(
            self.iterative(0),
            self.iterative(level),
            sparsity=1 - self.density(level),
            dense_steps=steps,
            ticket_steps=steps,
        )
