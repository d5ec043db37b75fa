"""The plots of a report: each draws what the report has numbers for, or nothing."""

from collections.abc import Callable
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from compress.report import formats as f
from compress.report import tables
from compress.report.sentences import metric_format
from compress.report.svg import DENSE, EXTRA, INK, TICKET, svg

Report = dict[str, Any]


def all_plots(report: Report) -> dict[str, str]:
    """Name → SVG of every plot that the report has numbers for: drop, search, budget, training, size, latency."""
    drawn = {name: plot(report) for name, plot in PLOTS.items()}
    return {name: svg for name, svg in drawn.items() if svg is not None}


def search_plot(report: Report) -> str | None:
    """Metric on dev against sparsity, round by round, with the dense model's line and its 95 % band."""
    metric = metric_format(report)
    rounds = [point for point in report.get("search", []) if point["metric_dev"] is not None]
    if not rounds:
        return None

    def draw(ax: Axes) -> None:
        x = [100 * point["sparsity_prunable"] for point in rounds]
        y = [metric.scale * point["metric_dev"] for point in rounds]
        _dense_line(ax, report, metric.scale)
        bars = [(a, point["ci95"]) for a, point in zip(x, rounds, strict=True) if point.get("ci95")]
        for a, (low, high) in bars:
            ax.plot([a, a], [metric.scale * low, metric.scale * high], color=TICKET, alpha=0.45, linewidth=1.5)
        ax.plot(x, y, color=TICKET, marker="o", label="ticket, each round")
        chosen = [i for i, point in enumerate(rounds) if point.get("chosen")]
        if chosen:
            ax.plot([x[i] for i in chosen], [y[i] for i in chosen], "o", color=TICKET, markersize=10, label="chosen")
        ax.set_xlabel("Sparsity of the prunable weights, %")
        ax.set_ylabel(f"Dev {metric.heading}")
        ax.set_xlim(-3, max(20, *x) + 3)
        _spread(ax)

    return svg("search", draw)


def budget_plot(report: Report) -> str | None:
    """Metric on dev against the program's size, for all that a budget's search tried, with the best of each size."""
    if not report.get("budget"):
        return None
    metric, tried = metric_format(report), sorted(report["budget"]["tried"], key=lambda trial: trial["bytes"])

    def draw(ax: Axes) -> None:
        _dense_line(ax, report, metric.scale)
        points = [(trial["bytes"] / 1e6, metric.scale * trial["metric_dev"], trial) for trial in tried]
        front = [p for i, p in enumerate(points) if all(p[1] > q[1] for q in points[:i])]
        ax.plot([p[0] for p in front], [p[1] for p in front], color=TICKET, linewidth=1.2, label="best of its size")
        for scheme, marker in (("int8", "o"), ("int4", "s")):
            chosen = [(x, y) for x, y, trial in points if trial["scheme"] == scheme]
            if chosen:
                ax.plot(*zip(*chosen, strict=True), marker, color=TICKET, label=scheme)
        x, y = next((x, y) for x, y, trial in points if trial["chosen"])
        ax.plot([x], [y], "o", color=TICKET, markersize=13, markerfacecolor="none", markeredgecolor=TICKET)
        ax.annotate("chosen", (x, y), (9, -9), textcoords="offset points", va="top")
        ax.set_xlabel("Program, MB")
        ax.set_ylabel(f"Dev {metric.heading}")
        ax.set_xlim(left=0)
        _spread(ax)

    return svg("budget", draw)


def _dense_line(ax: Axes, report: Report, scale: int) -> None:
    dense = next((stage["metric"] for stage in report["stages"] if stage["name"] == "dense"), None)
    if dense is None or dense["dev"] is None:
        return
    if dense.get("ci95_dev"):
        low, high = (scale * end for end in dense["ci95_dev"])
        ax.axhspan(low, high, color=DENSE, alpha=0.16, linewidth=0, label="its 95 % interval")
    ax.axhline(scale * dense["dev"], color=DENSE, linestyle=(0, (5, 3)), label="dense model")


def training_plot(report: Report) -> str | None:
    """Metric on dev (loss, where that is all there is) against the training step, stage by stage."""
    metric = metric_format(report)
    curves = report.get("training_curves") or {}
    key = "metric_dev" if any("metric_dev" in p for points in curves.values() for p in points) else "loss"
    series = {name: [(p["step"], p[key]) for p in points if key in p] for name, points in curves.items()}
    series = {name: points for name, points in series.items() if points}
    if not series:
        return None

    def draw(ax: Axes) -> None:
        scale = metric.scale if key == "metric_dev" else 1
        for name, points in series.items():
            steps, values = zip(*points, strict=True)
            title = tables.titles(report).get(name, name).lower()
            dashes = (0, (5, 3)) if name == "dense" else "-"
            ax.plot(steps, [scale * v for v in values], color=_color(name), linestyle=dashes, marker="o", label=title)
        ax.set_xlabel("Training step")
        ax.set_ylabel(f"Dev {metric.heading}" if key == "metric_dev" else "Training loss")
        _spread(ax)

    return svg("training", draw)


def drop_plot(report: Report) -> str | None:
    """The programs' difference in points with its 95 % interval, against zero."""
    metric, drop, interval = metric_format(report), report["verdict"]["drop_points"], report["verdict"]["ci95"]
    if drop is None or interval is None:
        return None

    def draw(ax: Axes) -> None:
        ax.axvline(0, color=DENSE, linestyle=(0, (5, 3)))
        ax.annotate("dense", (0, 1), (4, -2), xycoords=("data", "axes fraction"), textcoords="offset points", va="top")
        ax.plot(interval, [0, 0], color=TICKET, linewidth=3, solid_capstyle="round")
        ax.plot([drop], [0], "o", color=TICKET, markersize=11)
        side, away = ("left", 6) if drop >= 0 else ("right", -6)  # from the dense model's line
        ax.annotate(metric.points(drop), (drop, 0), (away, -8), textcoords="offset points", ha=side, va="top")
        reach = 1.25 * max(abs(drop), *map(abs, interval), 0.5 * metric.scale / 100)
        ax.set_xlim(-reach, reach)
        ax.set_ylim(-1, 1)
        ax.set_yticks([])
        ax.xaxis.set_major_locator(MaxNLocator(5))
        ax.set_xlabel(f"Drop in {metric.name}, points (right of zero: worse)")

    return svg("drop", draw, width=320 / 72, height=150 / 72)


def size_plot(report: Report) -> str | None:
    """Installed and download megabytes, program by program."""
    programs = tables.measured_programs(report)
    groups = {
        title: {name: (p[key], None) for name, p in programs.items() if p.get(key)}
        for title, key in (("installed", "bytes"), ("download", "download_bytes"), ("memory", "peak_rss_growth_bytes"))
    }
    return _bars("size", groups, f.size, "Megabytes", 1e-6)


def latency_plot(report: Report) -> str | None:
    """Median latency with p10–p90 whiskers, by text length and program."""
    groups: dict[str, dict[str, Any]] = {}
    for length in tables.token_lengths(report):
        entries = {n: (p["latency_ms"] or {}).get(length) for n, p in tables.measured_programs(report).items()}
        group = {n: (e["median"], (e["p10"], e["p90"])) for n, e in entries.items() if e}
        groups[f"{length} tokens"] = group
    return _bars("latency", groups, f.milliseconds, "Milliseconds a call, median; line: p10 to p90", 1.0)


def _bars(
    name: str, groups: dict[str, dict[str, Any]], text: Callable[[Any], str], unit: str, factor: float
) -> str | None:
    """Horizontal bars in groups, the value written at each bar's end: (value, None or (low, high)) by program."""
    groups = {title: bars for title, bars in groups.items() if bars}
    if not groups:
        return None
    number = sum(len(bars) for bars in groups.values())

    def draw(ax: Axes) -> None:
        y, ticks, seen = 0.0, [], set()
        for title, bars in groups.items():
            ticks.append((y + (len(bars) - 1) / 2, title))
            for program, (value, spread) in bars.items():
                label = None if program in seen else program.replace("_", " ")
                seen.add(program)
                ax.barh(y, value * factor, height=0.78, color=_color(program), label=label)
                end = max(value, spread[1] if spread else value) * factor
                if spread:
                    ax.plot([s * factor for s in spread], [y, y], color=INK, linewidth=1.5)
                ax.annotate(text(value), (end, y), (6, 0), textcoords="offset points", va="center")
                y += 1
            y += 0.7
        ax.set_yticks([t for t, _ in ticks], [title for _, title in ticks])
        ax.invert_yaxis()
        ax.set_xlabel(unit)
        ax.margins(x=0.22)
        ax.xaxis.set_major_locator(MaxNLocator(5))
        ax.grid(axis="x", linewidth=0.8)
        ax.spines["bottom"].set_visible(False)
        ax.tick_params(axis="x", length=0)

    return svg(name, draw, height=(96 + 27 * number + 19 * len(groups)) / 72)


def _spread(ax: Axes) -> None:
    """Grid and ticks of a line plot; at least two points of range, so that noise does not look large."""
    low, high = ax.get_ylim()
    if high - low < 2:
        middle = (low + high) / 2
        ax.set_ylim(middle - 1, middle + 1)
    ax.grid(axis="y", linewidth=0.8)
    ax.yaxis.set_major_locator(MaxNLocator(6))


def _color(name: str) -> str:
    return {"dense": DENSE, "ticket": TICKET}.get(name, EXTRA)


PLOTS: dict[str, Callable[[Report], str | None]] = {
    "drop": drop_plot,
    "search": search_plot,
    "budget": budget_plot,
    "training": training_plot,
    "size": size_plot,
    "latency": latency_plot,
}
