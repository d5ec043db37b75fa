"""Tables and numbers of the pages that benchmarks and studies write."""

from collections.abc import Sequence
from statistics import fmean, stdev


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; columns of numbers are set right."""
    rules = ["---:" if _numeric([row[i] for row in rows]) else "---" for i in range(len(head))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rules, *rows))


def _numeric(cells: Sequence[str]) -> bool:
    return all(cell[0].isdigit() or cell[0] == "\u2212" for cell in cells if cell)


def spread(values: Sequence[float], factor: float = 100, digits: int = 1) -> str:
    """mean ± sample standard deviation; the value alone where there is one."""
    deviation = f" ± {stdev(values) * factor:.{digits}f}" if len(values) > 1 else ""
    return f"{fmean(values) * factor:.{digits}f}{deviation}"
