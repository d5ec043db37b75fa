"""Tables on how the ticket was made: stages, rounds of the search, programs tried for a budget, curves, controls."""

from typing import Any

from compress.report import formats as f
from compress.report import sentences
from compress.report.tables import BLANK, Report, Table, metric_cells, title_of, titles

CONTROL_TITLES = {
    "random_mask": "Random mask",
    "random_init": "Ticket\u2019s mask, random weights",
    "shuffled_weights": "Ticket\u2019s mask, shuffled weights",
}


def stage_table(report: Report) -> Table:
    """One row a stage: parameters, sparsities, metric with interval, time."""
    metric = sentences.metric_format(report)
    headings = ["Stage", "Parameters", "Nonzero", "Sparsity, prunable", "Sparsity, all weights"]
    headings += [f"Dev {metric.heading}", f"Test {metric.heading}", "95 % interval", "Time"]
    rows = [
        [
            title_of(stage),
            f.count(stage["parameters"]),
            f.count(stage["nonzero_parameters"]),
            f.percent(stage["sparsity_prunable"]),
            f.percent(stage["sparsity_total"]),
            *metric_cells(stage["metric"], metric),
            f.duration(stage["seconds"]),
        ]
        for stage in report["stages"]
    ]
    if baseline := report["task"].get("baseline"):
        cells = metric_cells(baseline["metric"], metric)
        rows.insert(0, [f"Baseline: {baseline['name']}", BLANK, BLANK, BLANK, BLANK, *cells, BLANK])
    return Table(headings, rows, "Stages in order", [len(rows) - 1])


def stage_notes(report: Report) -> list[tuple[str, str]]:
    """(stage, how it was done) for the stages that say so."""
    return [(title_of(s), s["note"]) for s in report["stages"] if "note" in s]


def search_table(report: Report) -> Table | None:
    """The rounds of the ticket search."""
    if not report.get("search"):
        return None
    metric = sentences.metric_format(report)
    rows = [
        [
            str(point["round"]) + (" (chosen)" if point.get("chosen") else ""),
            f.percent(point["sparsity_prunable"]),
            metric.bare(point["metric_dev"]),
            metric.interval(point["ci95"]) if point.get("ci95") else BLANK,
            f.duration(point["seconds"]),
        ]
        for point in report["search"]
    ]
    headings = ["Round", "Sparsity, prunable", f"Dev {metric.heading}", "95 % interval", "Time"]
    return Table(headings, rows, "Rounds of the search")


def budget_table(report: Report) -> Table | None:
    """Every program that the search for a budget tried, smallest first."""
    if not report.get("budget"):
        return None
    metric = sentences.metric_format(report)
    tried = sorted(report["budget"]["tried"], key=lambda trial: trial["bytes"])
    timed = any("milliseconds" in trial for trial in tried)
    rows = [
        [
            f"{f.size(trial['bytes'])} {trial['scheme']}",
            _rung(trial),
            *([f.milliseconds(trial.get("milliseconds"))] if timed else []),
            metric.bare(trial["metric_dev"]),
            metric.points(trial["drop_dev"] * metric.scale / 100),
        ]
        for trial in tried
    ]
    latency = [f"{report['budget']['asked']['max_latency'].partition('@')[2].strip()} tokens"] if timed else []
    headings = ["Program", "Structure", *latency, f"Dev {metric.heading}", "Drop, points"]
    chosen = [i for i, trial in enumerate(tried) if trial["chosen"]]
    return Table(headings, rows, "Programs tried for the budget", chosen)


def _rung(trial: dict[str, Any]) -> str:
    shares = ", ".join(f"{f.percent(trial[part])} of the {part}" for part in ("layers", "heads", "neurons"))
    words = f.count(trial["vocabulary"]) if trial["vocabulary"] else "all"
    rank = f" of rank {trial['embedding_rank']}" if trial["embedding_rank"] else ""
    return f"structure {trial['rung']}: {shares}; {words} words{rank}"


def curve_table(report: Report) -> Table | None:
    """The training curves, stage by stage, step by step."""
    curves = report.get("training_curves")
    if not curves:
        return None
    metric, names = sentences.metric_format(report), titles(report)
    rows = [
        [
            names.get(stage, stage.capitalize()),
            f.count(point["step"]),
            metric.bare(point["metric_dev"]) if "metric_dev" in point else BLANK,
            f"{point['loss']:.3f}" if "loss" in point else BLANK,
        ]
        for stage, points in curves.items()
        for point in points
    ]
    return Table(["Training", "Step", f"Dev {metric.heading}", "Loss"], rows, "Training, step by step")


def control_table(report: Report) -> Table | None:
    """The controls beside the ticket."""
    controls = report["verdict"]["controls"]
    if not controls or not any(controls.values()):
        return None
    metric = sentences.metric_format(report)
    ticket = next((stage for stage in report["stages"] if stage["name"] == "ticket"), None)
    rows = [["Ticket", *metric_cells(ticket["metric"], metric)]] if ticket else []
    for name, control in controls.items():
        cells = [f.MISSING] * 3 if control is None else metric_cells(control, metric)
        rows.append([CONTROL_TITLES.get(name, name.replace("_", " ").capitalize()), *cells])
    headings = ["Trained alike", f"Dev {metric.heading}", f"Test {metric.heading}", "95 % interval"]
    return Table(headings, rows, "Ticket and controls", [0] if ticket else [])
