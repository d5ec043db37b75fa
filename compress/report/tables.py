"""A report as tables and cards of ready strings, for the HTML, Markdown and terminal renderings alike."""

from dataclasses import dataclass, field
from typing import Any

from compress.report import formats as f

Report = dict[str, Any]
BLANK = "\u2013"  # a cell that has no meaning, unlike one that was not measured


@dataclass(frozen=True)
class Table:
    """Rows of strings; the first column heads its row. `numeric` columns are set right."""

    headings: list[str]
    rows: list[list[str]]
    caption: str
    emphasized: list[int] = field(default_factory=list)  # rows that matter most

    def numeric(self, column: int) -> bool:
        """Whether a column holds numbers: its first non-missing cell starts with a digit or a minus."""
        cells = [row[column] for row in self.rows if row[column] not in (f.MISSING, BLANK)]
        return column > 0 and bool(cells) and (cells[0][:1].isdigit() or cells[0].startswith(f.MINUS))


@dataclass(frozen=True)
class Card:
    """One size, dense against ticket. `shares` are bar lengths in percent of the longer one."""

    title: str
    hint: str
    dense: str
    ticket: str
    badge: str | None
    shares: tuple[float, float] | None


@dataclass(frozen=True)
class Figure:
    """One large number of the headline."""

    value: str
    label: str
    detail: str


def program_title(report: Report, name: str) -> str:
    """A program's name with what it is: "Dense (stock fp32)"."""
    label = (report["programs"].get(name) or {}).get("label")
    return f"{name.replace('_', ' ').capitalize()} ({label})" if label else name.replace("_", " ").capitalize()


def measured_programs(report: Report) -> dict[str, dict[str, Any]]:
    """The programs that exist, dense and ticket first."""
    return {name: program for name, program in report["programs"].items() if program is not None}


def token_lengths(report: Report) -> list[str]:
    """Every text length that a program was timed at, in order."""
    lengths = {length for p in measured_programs(report).values() for length in p["latency_ms"] or {}}
    return sorted(lengths, key=int)


def title_of(stage: dict[str, Any]) -> str:
    """A stage's title; reports of earlier versions have its name alone."""
    return stage.get("title") or stage["name"].capitalize()


def titles(report: Report) -> dict[str, str]:
    """Name → title of each stage."""
    return {stage["name"]: title_of(stage) for stage in report["stages"]}


def metric_cells(metric: dict[str, Any], shown: f.MetricFormat) -> list[str]:
    return [shown.bare(metric["dev"]), shown.bare(metric["test"]), shown.interval(metric["ci95"])]
