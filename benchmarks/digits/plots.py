"""The page's plots, as SVG."""

from pathlib import Path
from statistics import fmean, stdev

from matplotlib.axes import Axes

from benchmarks.digits.results import Results
from compress.pages.figures import with_spread, write_svg

CONTROLS = {"one_shot": "one-shot", "reinitialized": "re-initialized", "random_mask": "random mask"}


def draw(r: Results, folder: Path) -> dict[str, str]:
    """Write the plots into the folder. Returns file name → what it shows."""
    plots = {
        "digits-accuracy.svg": (_accuracy, "Test accuracy against the share of weights left: tickets and controls"),
        "digits-curves.svg": (_curves, "Test accuracy step by step: the dense net and tickets"),
        "digits-speed.svg": (_speed, "Steps to the goal against the share of weights left"),
        "digits-signs.svg": (_signs, "Sign experiments and freezing at the sparsest level"),
        "digits-supermasks.svg": (_supermasks, "Test accuracy of untrained weights under supermasks"),
    }
    for name, (plot, title) in plots.items():
        write_svg(folder / name, title, lambda axes, plot=plot: plot(r, axes))
    return {name: title for name, (_, title) in plots.items()}


def _density_axis(axes: Axes) -> None:
    axes.set_xscale("log")
    axes.invert_xaxis()
    axes.set_xticks([100, 50, 20, 10, 5, 2], ["100", "50", "20", "10", "5", "2"])
    axes.minorticks_off()
    axes.set_xlabel("weights left, %")
    axes.legend(frameon=False)


def _by_density(r: Results, axes: Axes, key: str, factor: float) -> None:
    every, some = list(range(r.low + 1)), r.settings["levels"]
    with_spread(axes, [100 * r.density(n) for n in every], [r.iterative(n, key) for n in every], "ticket", factor)
    for name, label in CONTROLS.items():
        columns = [r.other("controls", name, level, key) for level in some]
        with_spread(axes, [100 * r.density(level) for level in some], columns, label, factor)
    _density_axis(axes)


def _accuracy(r: Results, axes: Axes) -> None:
    _by_density(r, axes, "accuracy", 100)
    axes.set_ylim(bottom=85)  # random masks fall far below at the low end; the table has their numbers
    axes.set_ylabel("test accuracy, % (from 85)")


def _speed(r: Results, axes: Axes) -> None:
    _by_density(r, axes, "speed", 1)
    axes.set_ylabel("steps to the goal on dev")


def _curves(r: Results, axes: Axes) -> None:
    for level in dict.fromkeys((0, r.small, (r.small + r.low) // 2, r.low)):
        curves = [seed["curves"][str(level)] for seed in r.seeds]
        mean = [100 * fmean(points) for points in zip(*(c["test"] for c in curves), strict=True)]
        label = "dense" if level == 0 else f"ticket of {r.density(level):.1%}"
        axes.plot(curves[0]["steps"], mean, label=label, linewidth=1.2)
    axes.set_xlim(0, min(200, curves[0]["steps"][-1]))
    axes.set_xlabel("optimizer step")
    axes.set_ylabel("test accuracy, %")
    axes.legend(frameon=False)


def _signs(r: Results, axes: Axes) -> None:
    names = {name: name.replace("/", " magnitudes, signs ") for name in r.seeds[0]["treatments"]}
    _points(axes, {words: r.other("treatments", name, r.low) for name, words in names.items()})


def _supermasks(r: Results, axes: Axes) -> None:
    _points(axes, {name: r.supermask(name) for name in r.seeds[0]["supermasks"]})
    axes.axvline(10, color="gray", linewidth=0.8, linestyle="--")
    axes.set_xlim(0, 100)


def _points(axes: Axes, columns: dict[str, list[float]]) -> None:
    means = [100 * fmean(column) for column in columns.values()]
    errors = [100 * stdev(column) if len(column) > 1 else 0 for column in columns.values()]
    axes.errorbar(means, list(columns), xerr=errors, fmt="o", capsize=3)
    axes.invert_yaxis()
    axes.set_xlabel("test accuracy, %")
