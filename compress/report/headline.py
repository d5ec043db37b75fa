"""Dense against ticket: the large numbers, the cards and the short table that a report begins with."""

from typing import Any

from compress.report import formats as f
from compress.report import sentences
from compress.report.tables import BLANK, Card, Figure, Report, Table, token_lengths


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


SIZES = (
    ("Installed", "bytes", "size_ratio"),
    ("Download", "download_bytes", "download_ratio"),
    ("Memory of the program", "peak_rss_growth_bytes", "memory_ratio"),
)


def size_cards(report: Report) -> list[Card]:
    """Installed bytes, download bytes and the program's memory, dense against ticket."""
    hints = ("the program file on the phone", "the same file after deflate -9", _memory_hint(report))
    return [_size_card(report, *kind, hint) for kind, hint in zip(SIZES, hints, strict=True)]


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


PROGRAMS = {"dense": "Dense", "dense_int8": "Dense, int8", "ticket": "Ticket"}


def comparison(report: Report) -> Table:
    """The programs side by side in one short table: sizes, latencies, metric; what int8 alone gives is between."""
    verdict, metric = report["verdict"], sentences.metric_format(report)
    shown = [name for name in PROGRAMS if name != "dense_int8" or report["programs"].get(name)]
    programs = [report["programs"][name] or {} for name in shown]
    rows = []
    for title, key, ratio in SIZES:
        sizes = [f.size(program.get(key)) for program in programs]
        rows.append([title, *sizes, f.times(verdict.get(ratio))])
    for length in token_lengths(report):
        entries = [(program.get("latency_ms") or {}).get(length) or {} for program in programs]
        medians = [f.milliseconds(entry.get("median")) for entry in entries]
        rows.append([f"Latency, {length} tokens", *medians, f.times((verdict["speed_ratio"] or {}).get(length))])
    split = report["task"]["eval_split"]
    reached = [metric.value((program.get("metric") or {}).get(split)) for program in programs]
    drop = f.MISSING if verdict["drop_points"] is None else sentences.drop_words(verdict["drop_points"], report)
    rows.append([f"{split.capitalize()} {metric.name}", *reached, drop.removesuffix(" as")])
    for part in report["task"].get("parts", ()):
        values = [metric.value(part["programs"].get(name)) for name in shown]
        change = (part["programs"]["dense"] - part["programs"]["ticket"]) * metric.scale
        drop = sentences.drop_words(change, report).removesuffix(" as")
        rows.append([f"\u2026 {part['name']} ({f.count(part['eval_examples'])} texts)", *values, drop])
    return Table(["", *(PROGRAMS[name] for name in shown), "Dense \u00f7 ticket"], rows, "Dense against ticket")


def parts_table(report: Report) -> Table | None:
    """The metric on each part of the test split, beside the baseline's."""
    parts = report["task"].get("parts")
    if not parts:
        return None
    metric, names = sentences.metric_format(report), list(report["programs"])
    rows = [
        [
            part["name"],
            f.count(part["eval_examples"]),
            metric.bare(part["baseline"]),
            *(metric.bare(part["programs"].get(name)) for name in names),
        ]
        for part in parts
    ]
    simple = report["task"]["baseline"]["name"].capitalize()
    titles = [PROGRAMS.get(name, name.capitalize()) for name in names]
    return Table(["Part", "Texts", simple, *titles], rows, f"Test {metric.heading} by part of the data")


def labels_table(report: Report) -> Table | None:
    """Each of several labels: its test texts, its threshold and its F1, the most frequent first."""
    labels = report["task"].get("by_label")
    if not labels:
        return None
    names, metric = list(report["programs"]), f.MetricFormat("f1")
    rows = [
        [
            label["name"],
            f.count(label["eval_examples"]),
            f"{label['threshold']:.2f}",
            *(metric.bare(label["f1"][name]) if name in label["f1"] else BLANK for name in names),
        ]
        for label in sorted(labels, key=lambda label: -label["eval_examples"])
    ]
    titles = [PROGRAMS.get(name, name.capitalize()) for name in names]
    caption = "F1 of each label on test; a text has a label where its probability reaches the threshold"
    return Table(["Label", "Texts", "Threshold", *titles], rows, caption)
