"""Writes a report as report.json, report.md and one self-contained report.html, whole or not at all."""

import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
from markupsafe import Markup

from compress.files import write_atomic
from compress.report import facts, formats, headline, program_tables, sentences, stage_tables, tables, vector_tables
from compress.report.schema import ReportError, validate

Report = dict[str, Any]
TEMPLATES = Path(__file__).with_name("templates")


class ReportFiles(NamedTuple):
    """The three files that `write_report` leaves."""

    json: Path
    markdown: Path
    html: Path


def write_report(report: Report, folder: Path) -> ReportFiles:
    """Check `report` against the schema and write its three renderings into `folder`, which is made if need be.

    Raises ReportError for a report that breaks the schema; then nothing is written.
    """
    report = plain(report)
    validate(report)
    files = ReportFiles(folder / "report.json", folder / "report.md", folder / "report.html")
    texts = (json.dumps(report, indent=2, ensure_ascii=False) + "\n", render_markdown(report), render_html(report))
    for path, text in zip(files, texts, strict=True):
        write_atomic(path, text)
    return files


def plain(report: Report) -> Report:
    """The report as json would read it back: NumPy numbers become Python's, tuples lists, paths strings."""

    def convert(value: Any) -> Any:
        if hasattr(value, "tolist"):
            return value.tolist()
        if isinstance(value, os.PathLike):
            return os.fspath(value)
        raise ReportError(f"a {type(value).__name__} can't be written as JSON", remedy="turn it into numbers or text")

    return json.loads(json.dumps(report, default=convert))


def render_html(report: Report) -> str:
    """One HTML page without scripts or external resources, light and dark."""
    from compress.report import plots  # here, as matplotlib takes a second to import and only the page needs it

    style = Markup((TEMPLATES / "style.css").read_text(encoding="utf-8"))  # from this package, not from a report
    drawings = {name: Markup(svg) for name, svg in plots.all_plots(report).items()}
    return _environment(html=True).get_template("report.html.j2").render(_context(report), style=style, plots=drawings)


def render_markdown(report: Report) -> str:
    """The whole report as Markdown."""
    return _environment(html=False).get_template("report.md.j2").render(_context(report))


def render_summary(report: Report) -> str:
    """A few lines of Markdown for a pull request: the headline, one table, the verdict."""
    return _environment(html=False).get_template("summary.md.j2").render(_context(report))


def _context(report: Report) -> dict[str, Any]:
    shown = (facts, headline, program_tables, sentences, stage_tables, tables, vector_tables)
    modules = {module.__name__.rpartition(".")[2]: module for module in shown}
    return {"report": report, "f": formats, "comparison": headline.comparison(report), **modules}


@cache
def _environment(*, html: bool) -> jinja2.Environment:
    """Everything that comes from a report is escaped: by autoescape in HTML, by the filter `md` in Markdown."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=html,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["md"] = markdown_text
    environment.filters["fence"] = fenced
    environment.filters["keep"] = keep_units
    return environment


def markdown_text(text: Any) -> str:
    """`text` on one line with every character that Markdown or HTML would read as markup escaped."""
    line = " ".join(str(text).split())
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\\{c}" if c in "\\`*_[]|~#$" else c for c in line)


def keep_units(text: str) -> str:
    """No line break between a number and its unit."""
    return re.sub(r"(?<=\d) (?=(%|[kMG]?B|ms|s|h|min|points?|tokens)\b|%)", "\u00a0", text)


def fenced(text: str, language: str = "") -> str:
    """`text` as a code block whose fence is longer than any run of backticks in it."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"
