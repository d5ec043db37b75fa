"""Tables on text vectors: what each program keeps of the dense one's search, and smaller indexes."""

from compress.report import formats as f
from compress.report.tables import Report, Table, program_title


def quality_table(report: Report) -> Table | None:
    """A row each program: every metric on test, points lost against dense with the interval, neighbors kept."""
    vectors = report.get("vectors")
    if not vectors:
        return None
    names = list(vectors["programs"]["dense"]["metrics"])
    headings = ["Program", "Numbers", *(f.MetricFormat(n).heading for n in names), "Dense neighbors kept", "95 %"]
    kept = f.MetricFormat("neighbors_kept")
    rows = []
    for name, program in vectors["programs"].items():
        cells = []
        for each in names:
            shown, entry = f.MetricFormat(each), program["metrics"][each]
            lost = "" if name == "dense" or entry["ci95"] is None else f" (lost: {shown.between(entry['ci95'])})"
            cells.append(f"{shown.bare(entry['test'])}{lost}")
        near = program["neighbors_kept"]
        rows.append([program_title(report, name), f.count(program["size"]), *cells, kept.value(near["value"])])
        rows[-1].append(kept.interval(near["ci95"]))
    return Table(headings, rows, "Vectors: what the programs find on test")


def index_table(report: Report) -> Table | None:
    """A row each length and storage of the ticket's vectors."""
    vectors = report.get("vectors")
    if not vectors:
        return None
    shown, kept = f.MetricFormat(report["task"]["metric"]), f.MetricFormat("neighbors_kept")
    rows = [
        [
            f"{row['size']} numbers, {row['storage']}",
            f.size(row["bytes"]),
            shown.bare(row["test"]),
            shown.points(row["drop_points"]),
            shown.between(row["ci95"]),
            kept.value(row["neighbors_kept"]),
        ]
        for row in vectors["index"]
    ]
    count = f.count(vectors["index"][0]["vectors"])
    headings = ["Stored as", f"{count} vectors", f"Test {shown.heading}", "Points lost against dense", "95 % interval"]
    return Table([*headings, "Own neighbors kept"], rows, "The ticket's index")
