"""The table that a run ends with at the terminal."""

from typing import Any

from rich.table import Table
from rich.text import Text

from compress.report import headline, sentences


def summary_table(report: dict[str, Any]) -> Table:
    """Dense against ticket, a row a measure, with the verdict below. Text from the report is never read as markup."""
    comparison = headline.comparison(report)
    table = Table(
        title=Text(f"{report['task']['name']} on {report['model']['name']}"),
        caption=Text(_caption(report)),
        caption_justify="left",
        title_justify="left",
        title_style="bold",
    )
    for index, heading in enumerate(comparison.headings):
        style = {len(comparison.headings) - 2: "bold", len(comparison.headings) - 1: "bold green"}.get(index, "")
        table.add_column(Text(heading), justify="right" if index else "left", style=style, overflow="fold")
    for row in comparison.rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def _caption(report: dict[str, Any]) -> str:
    verdict = f"{sentences.verdict_title(report)}. {sentences.verdict_sentences(report)[-1]}"
    return "\n".join(filter(None, (sentences.budget_sentence(report), verdict)))
