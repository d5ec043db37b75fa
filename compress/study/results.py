"""A study's numbers by role, sparsity and seed, and the verdicts on them."""

from pathlib import Path
from typing import Any

from compress.errors import PocketTicketError
from compress.evaluation.statistics import Estimate
from compress.evaluation.winning_rule import Verdict, judge, paired_sentence
from compress.files import read_json
from compress.report.formats import MetricFormat

FORMAT = "pocket-ticket study 1"
Row = dict[str, Any]


def load_study(folder: Path) -> dict[str, Any]:
    """The study.json of a folder. Raises PocketTicketError for a folder that is no study."""
    file = folder / "study.json"
    study = read_json(file) if file.is_file() else {}
    if study.get("format") != FORMAT:
        raise PocketTicketError(
            "there is no study", where=str(folder), remedy="give the --output folder of pocket-ticket study"
        )
    return study


class Results:
    """Made from a study.json."""

    def __init__(self, study: dict[str, Any]) -> None:
        self.study, self.rows, self.settings = study, study["trainings"], study["settings"]
        self.metric = MetricFormat(study["task"]["metric"])

    def of(self, role: str, sparsity: float = 0.0, source: str | None = None) -> list[Row]:
        """The trainings of a kind, one a seed."""
        return [row for row in self.rows if (row["role"], row["sparsity"], row["source"]) == (role, sparsity, source)]

    def values(
        self, role: str, sparsity: float = 0.0, source: str | None = None, *, split: str = "test"
    ) -> list[float]:
        """Their metrics."""
        return [row[split] for row in self.of(role, sparsity, source)]

    @property
    def sparsities(self) -> list[float]:
        """Those that have tickets."""
        return sorted({row["sparsity"] for row in self.rows if row["role"] == "ticket"})

    def sources(self, role: str) -> list[str]:
        """The controls, the searches, or the studies whose tickets were tried, in order."""
        return list(dict.fromkeys(row["source"] for row in self.rows if row["role"] == role))

    def total_sparsity(self, sparsity: float) -> float:
        """Share of all the model's weights that are zero."""
        return self.of("ticket", sparsity)[0]["sparsity_total"]

    def verdict(self, sparsity: float, split: str = "test", search: str | None = None) -> Verdict:
        """The papers' rule over the seeds, for the iterative search's ticket or that of another search."""
        dense = self.of("dense")
        ticket = self.of("search", sparsity, search) if search else self.of("ticket", sparsity)
        return judge(
            [row[split] for row in dense],
            [row[split] for row in ticket],
            sparsity=sparsity,
            dense_steps=dense[0]["steps"],
            ticket_steps=max(row["steps"] for row in ticket),
            metric=f"{split} {self.metric.name}",
        )

    def winning(self, split: str) -> list[float]:
        """The sparsities that win by the rule on a split."""
        return [s for s in self.sparsities if self.verdict(s, split).winning]

    @property
    def chosen(self) -> float | None:
        """The highest winning sparsity on dev; test only reports."""
        return max(self.winning("dev"), default=None)

    def difference(self, sparsity: float) -> Estimate:
        """Ticket − dense on the same test examples, mean over seeds."""
        row = next(row for row in self.study["paired"] if row["sparsity"] == sparsity)
        return Estimate(row["value"], row["low"], row["high"])

    def cost(self, source: str | None, sparsity: float) -> float:
        """What a search cost until its mask, in dense fine-tunings, mean over seeds; None: the iterative search."""
        found = self.of("ticket", sparsity) if source is None else self.of("search", sparsity, source)
        dense = {row["seed"]: row["steps"] for row in self.of("dense")}
        return sum(row["search_steps"] / dense[row["seed"]] for row in found) / len(found)

    def mask_distance(self, role: str, source: str, sparsity: float) -> float:
        """Share of the prunable weights on which the masks differ from the iterative search's, mean over seeds."""
        found = self.of(role, sparsity, source)
        return sum(row["mask_distance"] for row in found) / len(found)

    def sentence(self) -> str:
        """The verdict in words: the sparsity that dev chose, the rule and the paired bootstrap on test."""
        if len(self.of("dense")) < 2:
            return "Whether any ticket wins is open: one seed has no standard deviation, which the rule needs."
        if self.chosen is None:
            first = self.sparsities[0]
            return (
                "No sparsity of this study has a winning ticket on dev, which is a result like any other. "
                f"The lowest, on test: {self.verdict(first).sentence} {self._paired(first)}"
            )
        return (
            f"Dev chooses a sparsity of {self.chosen:.0%}, the highest that wins there. On test: "
            f"{self.verdict(self.chosen).sentence} {self._paired(self.chosen)}"
        )

    def _paired(self, sparsity: float) -> str:
        metric, examples = f"{self.metric.name} (mean over seeds)", self.study["task"]["examples"]["test"]
        return paired_sentence(self.difference(sparsity), examples, metric=metric)
