"""The measured numbers by experiment and level, for the page and the plots."""

from statistics import fmean

from compress.evaluation.winning_rule import Verdict, judge

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

    def gentle(self, index: int, key: str = "accuracy") -> list[float]:
        return [seed["gentle"][index][key] for seed in self.seeds]

    @property
    def gentle_levels(self) -> range:
        """Levels of the search in gentler rounds, the dense net's left out."""
        return range(1, len(self.seeds[0]["gentle"]))

    @property
    def gentle_small(self) -> int:
        """Its first level at or below SMALL of the weights, or its sparsest."""
        return next(
            (i for i in self.gentle_levels if fmean(self.gentle(i, "density")) <= SMALL), self.gentle_levels[-1]
        )

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
        return self.judged(self.iterative(0), self.iterative(level), self.density(level))

    def gentle_verdict(self, index: int) -> Verdict:
        return self.judged(self.gentle(0), self.gentle(index), fmean(self.gentle(index, "density")))

    def judged(self, dense: list[float], ticket: list[float], density: float) -> Verdict:
        """Of tickets with this share of the weights against dense nets; all trainings have the same steps."""
        steps = self.settings["steps"]
        return judge(dense, ticket, sparsity=1 - density, dense_steps=steps, ticket_steps=steps)
