"""Dense against ticket: the large numbers, the cards and the short table that a report begins with."""

from typing import Any

from compress.report import formats as f
from compress.report import sentences
from compress.report.tables import Card, Figure, Report, Table, token_lengths


def figures(report: Report) -> list[Figure]:
    """The headline's numbers one by one."""
    verdict, programs = report["verdict"], report["programs"]
    found = []
    if verdict["size_ratio"] is not None:
        ratio, word = sentences.compared(verdict["size_ratio"], *sentences.SIZE_WORDS)
        sizes = f"{f.size(programs['ticket']['bytes'])} against {f.size(programs['dense']['bytes'])}"
        found.append(Figure(ratio, f"{word} to install", sizes))
    for length in token_lengths(report):
        value = (verdict["speed_ratio"] or {}).get(length)
        if value is not None:
            ratio, word = sentences.compared(value, *sentences.SPEED_WORDS)
            medians = [f.milliseconds(programs[n]["latency_ms"][length]["median"]) for n in ("ticket", "dense")]
            found.append(Figure(ratio, f"{word} at {length} tokens", " against ".join(medians)))
    return [*found, *_drop_figure(report)]


def _drop_figure(report: Report) -> list[Figure]:
    drop, interval = report["verdict"]["drop_points"], report["verdict"]["ci95"]
    if drop is None:
        return []
    metric = sentences.metric_format(report)
    lost, gained = ("lost", "gained") if report["task"].get("higher_is_better", True) else ("more", "less")
    detail = "without an interval" if interval is None else f"95 % interval {metric.between(interval)} {lost}"
    return [Figure(metric.points(abs(drop)), f"points of {metric.name} {lost if drop >= 0 else gained}", detail)]


def size_cards(report: Report) -> list[Card]:
    """Installed bytes, download bytes and the program's memory, dense against ticket."""
    kinds = (
        ("Installed", "bytes", "size_ratio", "the program file on the phone"),
        ("Download", "download_bytes", "download_ratio", "the same file after deflate -9"),
        ("Memory of the program", "peak_rss_growth_bytes", "memory_ratio", _memory_hint(report)),
    )
    return [_size_card(report, *kind) for kind in kinds]


def _memory_hint(report: Report) -> str:
    """What is counted: the whole measuring process has Python and torch in it, which no phone has."""
    what = "resident memory that a process gains by loading and running it"
    peaks = [(report["programs"][name] or {}).get("peak_rss_bytes") for name in ("dense", "ticket")]
    return f"{what}; the whole measuring process: {' and '.join(f.size(v) for v in peaks)}" if any(peaks) else what


def _size_card(report: Report, title: str, key: str, ratio_key: str, hint: str) -> Card:
    values: list[Any] = [(report["programs"][name] or {}).get(key) for name in ("dense", "ticket")]
    shares = (100 * values[0] / max(values), 100 * values[1] / max(values)) if all(values) else None
    ratio = report["verdict"].get(ratio_key)
    badge = None if ratio is None else " ".join(sentences.compared(ratio, *sentences.SIZE_WORDS))
    return Card(title, hint, f.size(values[0]), f.size(values[1]), badge, shares)


def comparison(report: Report) -> Table:
    """Dense against ticket in one short table: sizes, latencies, metric."""
    verdict, metric = report["verdict"], sentences.metric_format(report)
    ratios = [f.times(verdict.get(key)) for key in ("size_ratio", "download_ratio", "memory_ratio")]
    rows = [[c.title, c.dense, c.ticket, ratio] for c, ratio in zip(size_cards(report), ratios, strict=True)]
    pair = [report["programs"][name] or {} for name in ("dense", "ticket")]
    for length in token_lengths(report):
        entries = [(program.get("latency_ms") or {}).get(length) or {} for program in pair]
        medians = [f.milliseconds(entry.get("median")) for entry in entries]
        rows.append([f"Latency, {length} tokens", *medians, f.times((verdict["speed_ratio"] or {}).get(length))])
    split = report["task"]["eval_split"]
    reached = [metric.value((program.get("metric") or {}).get(split)) for program in pair]
    drop = f.MISSING if verdict["drop_points"] is None else sentences.drop_words(verdict["drop_points"], report)
    rows.append([f"{split.capitalize()} {metric.name}", *reached, drop.removesuffix(" as")])
    return Table(["", "Dense", "Ticket", "Dense \u00f7 ticket"], rows, "Dense against ticket")
