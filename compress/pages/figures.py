"""Plots as SVG files, for the pages that benchmarks and studies write."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from compress.files import write_atomic


def write_svg(path: Path, title: str, draw: Callable[[Axes], None]) -> None:
    """Let `draw` plot into axes and write them; the same numbers give the same file."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    draw(axes)
    axes.set_title(title, fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    stream = io.BytesIO()
    with rc_context({"svg.hashsalt": path.stem, "svg.fonttype": "none"}):
        figure.savefig(stream, format="svg", metadata={"Date": None})
    write_atomic(path, stream.getvalue())


def with_spread(
    axes: Axes, x: Sequence[float], columns: Sequence[Sequence[float]], label: str, factor: float = 100, **style: Any
) -> None:
    """A line of means with bars of one standard deviation; a column holds one value a seed."""
    means = [fmean(column) * factor for column in columns]
    errors = [stdev(column) * factor if len(column) > 1 else 0 for column in columns]
    look: dict[str, Any] = {"marker": "o", "markersize": 3, "capsize": 2, "linewidth": 1.2} | style
    axes.errorbar(x, means, errors, label=label, **look)
