"""Tables on the exported programs and the demo app: sizes, metrics, latency, storage, operators, files."""

from typing import Any

from compress.report import formats as f
from compress.report import sentences
from compress.report.tables import BLANK, Report, Table, measured_programs, metric_cells, program_title, token_lengths


def program_table(report: Report) -> Table:
    """One row a program: sizes, metric of the file itself, agreement, delegation."""
    metric = sentences.metric_format(report)
    headings = ["Program", "Installed", "Download", f"Dev {metric.heading}", f"Test {metric.heading}"]
    headings += ["95 % interval", "Same answer as PyTorch", "Operators delegated"]
    rows = [
        [
            program_title(report, name),
            f.size(program["bytes"]),
            f.size(program["download_bytes"]),
            *metric_cells(program["metric"], metric),
            f.percent(program["agreement_with_eager"]),
            _delegation(program),
        ]
        for name, program in measured_programs(report).items()
    ]
    return Table(headings, rows, "Exported programs, measured on the files themselves")


def _delegation(program: dict[str, Any]) -> str:
    share = f.percent(program["delegated_fraction"])
    pieces = program.get("delegated_pieces")
    return share if pieces is None else f"{share} in {pieces} {'piece' if pieces == 1 else 'pieces'}"


def program_notes(report: Report) -> list[tuple[str, str]]:
    """(program, what of its model it leaves out) for the programs that could leave something out."""
    return [
        (
            program_title(report, name),
            f"zero weights make {f.count(idle)} {'neuron' if idle == 1 else 'neurons'} idle; the program leaves "
            "them out and gives the same outputs",
        )
        for name, program in measured_programs(report).items()
        if (idle := program.get("idle_neurons"))
    ]


def latency_table(report: Report) -> Table:
    """One row a length and program: median, p10, p90, threads, timed runs."""
    rows = []
    for length in token_lengths(report):
        for name, program in measured_programs(report).items():
            entry = (program["latency_ms"] or {}).get(length) or {}
            times = [f.milliseconds(entry.get(key)) for key in ("median", "p10", "p90")]
            runs = f.count(entry["runs"]) if "runs" in entry else BLANK
            rows.append([f"{length} tokens, {program_title(report, name)}", *times, f.count(program["threads"]), runs])
    return Table(["Text", "Median", "p10", "p90", "Threads", "Runs"], rows, "Latency of one call, batch 1")


def start_table(report: Report) -> Table | None:
    """How long each program takes from its file to the first answer."""
    starts = {n: s for n, p in measured_programs(report).items() if (s := p.get("first_answer_ms"))}
    if not starts:
        return None
    rows = [[program_title(report, n), f.milliseconds(s["warm"]), f.milliseconds(s["cold"])] for n, s in starts.items()]
    headings = ["Program", "File in memory", "File not in memory"]
    return Table(headings, rows, "From the file to the first answer, 12 tokens")


def storage_table(report: Report) -> Table | None:
    """In how many bits the values of each program are stored: a tensor left in fp32 would show here."""
    stored = {n: s for n, p in measured_programs(report).items() if (s := p.get("storage_bytes"))}
    if not stored:
        return None
    bits = sorted({b for s in stored.values() for b in s}, key=int)
    rows = [[program_title(report, n), *(f.size(s[b]) if b in s else BLANK for b in bits)] for n, s in stored.items()]
    return Table(["Program", *(f"{b} bits" for b in bits)], rows, "Stored values by width, scales included")


def files(report: Report) -> list[tuple[str, str]]:
    """(program, its file and hash)."""
    return [
        (
            program_title(report, name),
            program["file"] + (f", sha256 {program['sha256']}" if "sha256" in program else ""),
        )
        for name, program in measured_programs(report).items()
    ]


def leftovers(report: Report) -> list[tuple[str, list[tuple[str, str]]]]:
    """(program, [(operator, count)]) of what stays outside the delegate, most frequent first."""
    return [
        (program_title(report, name), [(op, f.count(n)) for op, n in sorted(ops.items(), key=lambda i: (-i[1], i[0]))])
        for name, program in measured_programs(report).items()
        if (ops := program["leftover_ops"]) is not None
    ]


def apk_table(report: Report) -> Table | None:
    """The demo app's size by part."""
    apk = report.get("apk")
    if not apk:
        return None
    rows = [[part, f.size(value)] for part, value in apk["parts"].items()]
    return Table(
        ["Part", "Size"], [*rows, [f"Whole APK ({apk['file']})", f.size(apk["bytes"])]], "Size of the demo app"
    )
