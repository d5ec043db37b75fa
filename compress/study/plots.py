"""The page's plots: metric against sparsity, and ticket against dense step by step (Damadi 2021)."""

from functools import partial
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from matplotlib.axes import Axes

from compress.pages.figures import with_spread, write_svg
from compress.study.results import Results
from compress.study.settings import CONTROLS


def draw(r: Results, folder: Path) -> dict[str, str]:
    """Write the plots. Returns file name → what it shows."""
    name = r.study["task"]["name"]
    plots = {
        "study-sparsity.svg": (f"{name}: test {r.metric.name} against sparsity, ± one standard deviation", _sparsity),
        "study-curves.svg": (f"{name}: dev {r.metric.name} step by step, dense model and tickets", _curves),
    }
    for file, (title, plot) in plots.items():
        write_svg(folder / file, title, partial(plot, r))
    return {file: title for file, (title, _) in plots.items()}


def _sparsity(r: Results, axes: Axes) -> None:
    scale, dense = r.metric.scale, r.values("dense")
    middle, deviation = scale * fmean(dense), scale * stdev(dense) if len(dense) > 1 else 0.0
    axes.axhspan(middle - deviation, middle + deviation, color="gray", alpha=0.2, linewidth=0)
    axes.axhline(middle, color="gray", linestyle="--", label="dense")
    levels = r.sparsities
    columns = [r.values("ticket", s) for s in levels]
    with_spread(axes, [100 * s for s in levels], columns, "ticket", scale, color="C0")
    for color, name in enumerate(r.sources("control"), 1):
        there = [s for s in levels if r.of("control", s, name)]
        columns = [r.values("control", s, name) for s in there]
        with_spread(axes, [100 * s for s in there], columns, CONTROLS[name], scale, color=f"C{color}")
    axes.set_xlabel("sparsity of the prunable weights, %")
    axes.set_ylabel(f"test {r.metric.heading}")
    axes.legend(frameon=False)


def _curves(r: Results, axes: Axes) -> None:
    for role, level in [("dense", 0.0), *(("ticket", s) for s in r.sparsities)]:
        rows = r.of(role, level)
        points = zip(*([point["metric_dev"] for point in row["curve"]] for row in rows), strict=True)
        means = [r.metric.scale * fmean(column) for column in points]
        look: dict[str, Any] = {"color": "black", "linestyle": "--"} if role == "dense" else {}
        steps = [point["step"] for point in rows[0]["curve"]]
        label = "dense" if role == "dense" else f"ticket, {level:.0%}"
        axes.plot(steps, means, marker="o", markersize=3, linewidth=1.2, label=label, **look)
    axes.set_xlabel("training step")
    axes.set_ylabel(f"dev {r.metric.heading}")
    axes.legend(frameon=False)
