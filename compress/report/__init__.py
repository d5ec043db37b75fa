"""The honest report of a run: statistics, a checked JSON, and its renderings for people, programs and pull requests."""

from compress.report.render import ReportFiles, render_html, render_markdown, render_summary, write_report
from compress.report.schema import ReportError, validate
from compress.report.terminal import summary_table

__all__ = [
    "ReportError",
    "ReportFiles",
    "render_html",
    "render_markdown",
    "render_summary",
    "summary_table",
    "validate",
    "write_report",
]
