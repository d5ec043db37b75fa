"""A report as tables and cards of ready strings: the one source of the HTML, Markdown and terminal renderings."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from compress.report import formats as f
from compress.report import prose
from compress.report.schema import leaves

Report = dict[str, Any]
BLANK = "\u2013"  # a cell that has no meaning, unlike one that was not measured
CONTROL_TITLES = {
    "random_mask": "Random mask",
    "random_init": "Ticket\u2019s mask, random weights",
    "shuffled_weights": "Ticket\u2019s mask, shuffled weights",
}


@dataclass(frozen=True)
class Table:
    """Rows of strings; the first column heads its row. `numeric` columns are set right."""

    headings: list[str]
    rows: list[list[str]]
    caption: str
    emphasised: list[int] = field(default_factory=list)  # rows that matter most

    def numeric(self, column: int) -> bool:
        """Whether a column holds numbers: its first non-missing cell starts with a digit or a minus."""
        cells = [row[column] for row in self.rows if row[column] not in (f.MISSING, BLANK)]
        return column > 0 and bool(cells) and (cells[0][:1].isdigit() or cells[0].startswith(f.MINUS))


@dataclass(frozen=True)
class Card:
    """One size, dense against ticket. `shares` are bar lengths in percent of the longer one."""

    title: str
    hint: str
    dense: str
    ticket: str
    badge: str | None
    shares: tuple[float, float] | None


@dataclass(frozen=True)
class Figure:
    """One large number of the headline."""

    value: str
    label: str
    detail: str


def program_title(report: Report, name: str) -> str:
    """A program's name with what it is: "Dense (stock fp32)"."""
    label = (report["programs"].get(name) or {}).get("label")
    return f"{name.replace('_', ' ').capitalize()} ({label})" if label else name.replace("_", " ").capitalize()


def measured_programs(report: Report) -> dict[str, dict[str, Any]]:
    """The programs that exist, dense and ticket first."""
    return {name: program for name, program in report["programs"].items() if program is not None}


def token_lengths(report: Report) -> list[str]:
    """Every text length that a program was timed at, in order."""
    lengths = {length for p in measured_programs(report).values() for length in p["latency_ms"] or {}}
    return sorted(lengths, key=int)


def figures(report: Report) -> list[Figure]:
    """The headline's numbers one by one."""
    verdict, programs = report["verdict"], report["programs"]
    found = []
    if verdict["size_ratio"] is not None:
        ratio, word = prose.compared(verdict["size_ratio"], *prose.SIZE_WORDS)
        sizes = f"{f.size(programs['ticket']['bytes'])} against {f.size(programs['dense']['bytes'])}"
        found.append(Figure(ratio, f"{word} to install", sizes))
    for length in token_lengths(report):
        value = (verdict["speed_ratio"] or {}).get(length)
        if value is not None:
            ratio, word = prose.compared(value, *prose.SPEED_WORDS)
            medians = [f.milliseconds(programs[n]["latency_ms"][length]["median"]) for n in ("ticket", "dense")]
            found.append(Figure(ratio, f"{word} at {length} tokens", " against ".join(medians)))
    return [*found, *_drop_figure(report)]


def _drop_figure(report: Report) -> list[Figure]:
    drop, interval = report["verdict"]["drop_points"], report["verdict"]["ci95"]
    if drop is None:
        return []
    metric = prose.metric_format(report)
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
    badge = None if ratio is None else " ".join(prose.compared(ratio, *prose.SIZE_WORDS))
    return Card(title, hint, f.size(values[0]), f.size(values[1]), badge, shares)


def comparison(report: Report) -> Table:
    """Dense against ticket in one short table: sizes, latencies, metric."""
    verdict, metric = report["verdict"], prose.metric_format(report)
    ratios = [f.times(verdict.get(key)) for key in ("size_ratio", "download_ratio", "memory_ratio")]
    rows = [[c.title, c.dense, c.ticket, ratio] for c, ratio in zip(size_cards(report), ratios, strict=True)]
    pair = [report["programs"][name] or {} for name in ("dense", "ticket")]
    for length in token_lengths(report):
        entries = [(program.get("latency_ms") or {}).get(length) or {} for program in pair]
        medians = [f.milliseconds(entry.get("median")) for entry in entries]
        rows.append([f"Latency, {length} tokens", *medians, f.times((verdict["speed_ratio"] or {}).get(length))])
    split = report["task"]["eval_split"]
    reached = [metric.value((program.get("metric") or {}).get(split)) for program in pair]
    drop = f.MISSING if verdict["drop_points"] is None else prose.drop_words(verdict["drop_points"], report)
    rows.append([f"{split.capitalize()} {metric.name}", *reached, drop.removesuffix(" as")])
    return Table(["", "Dense", "Ticket", "Dense \u00f7 ticket"], rows, "Dense against ticket")


def title_of(stage: dict[str, Any]) -> str:
    """A stage's title; reports of earlier versions have its name alone."""
    return stage.get("title") or stage["name"].capitalize()


def titles(report: Report) -> dict[str, str]:
    """Name → title of each stage."""
    return {stage["name"]: title_of(stage) for stage in report["stages"]}


def stage_table(report: Report) -> Table:
    """One row a stage: parameters, sparsities, metric with interval, time."""
    metric = prose.metric_format(report)
    headings = ["Stage", "Parameters", "Nonzero", "Sparsity, prunable", "Sparsity, whole"]
    headings += [f"Dev {metric.heading}", f"Test {metric.heading}", "95 % interval", "Time"]
    rows = [
        [
            title_of(stage),
            f.count(stage["parameters"]),
            f.count(stage["nonzero_parameters"]),
            f.percent(stage["sparsity_prunable"]),
            f.percent(stage["sparsity_total"]),
            *_metric_cells(stage["metric"], metric),
            f.duration(stage["seconds"]),
        ]
        for stage in report["stages"]
    ]
    if baseline := report["task"].get("baseline"):
        cells = _metric_cells(baseline["metric"], metric)
        rows.insert(0, [f"Baseline: {baseline['name']}", BLANK, BLANK, BLANK, BLANK, *cells, BLANK])
    return Table(headings, rows, "Stages in order", [len(rows) - 1])


def _metric_cells(metric: dict[str, Any], shown: f.MetricFormat) -> list[str]:
    return [shown.bare(metric["dev"]), shown.bare(metric["test"]), shown.interval(metric["ci95"])]


def stage_notes(report: Report) -> list[tuple[str, str]]:
    """(stage, how it was done) for the stages that say so."""
    return [(title_of(s), s["note"]) for s in report["stages"] if "note" in s]


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


def program_table(report: Report) -> Table:
    """One row a program: sizes, metric of the file itself, agreement, delegation."""
    metric = prose.metric_format(report)
    headings = ["Program", "Installed", "Download", f"Dev {metric.heading}", f"Test {metric.heading}"]
    headings += ["95 % interval", "Same answer as PyTorch", "Operators delegated"]
    rows = [
        [
            program_title(report, name),
            f.size(program["bytes"]),
            f.size(program["download_bytes"]),
            *_metric_cells(program["metric"], metric),
            f.percent(program["agreement_with_eager"]),
            _delegation(program),
        ]
        for name, program in measured_programs(report).items()
    ]
    return Table(headings, rows, "Exported programs, measured on the files themselves")


def program_notes(report: Report) -> list[tuple[str, str]]:
    """(program, what of its model it does without) for the programs that could leave something out."""
    return [
        (
            program_title(report, name),
            f"the zeros of its weights leave {f.count(idle)} {'neuron' if idle == 1 else 'neurons'} nothing to add; "
            "the program does without them and answers the same",
        )
        for name, program in measured_programs(report).items()
        if (idle := program.get("idle_neurons"))
    ]


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


def _delegation(program: dict[str, Any]) -> str:
    share = f.percent(program["delegated_fraction"])
    pieces = program.get("delegated_pieces")
    return share if pieces is None else f"{share} in {pieces} {'piece' if pieces == 1 else 'pieces'}"


def leftovers(report: Report) -> list[tuple[str, list[tuple[str, str]]]]:
    """(program, [(operator, count)]) of what stays outside the delegate, most frequent first."""
    return [
        (program_title(report, name), [(op, f.count(n)) for op, n in sorted(ops.items(), key=lambda i: (-i[1], i[0]))])
        for name, program in measured_programs(report).items()
        if (ops := program["leftover_ops"]) is not None
    ]


def search_table(report: Report) -> Table | None:
    """The rounds of the ticket search."""
    if not report.get("search"):
        return None
    metric = prose.metric_format(report)
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
    metric = prose.metric_format(report)
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
    return f"rung {trial['rung']}: {shares}; {words} words{rank}"


def curve_table(report: Report) -> Table | None:
    """The training curves, stage by stage, step by step."""
    curves = report.get("training_curves")
    if not curves:
        return None
    metric, names = prose.metric_format(report), titles(report)
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
    return Table(["Training", "Step", f"Dev {metric.heading}", "Loss"], rows, "Training, step for step")


def control_table(report: Report) -> Table | None:
    """The controls beside the ticket."""
    controls = report["verdict"]["controls"]
    if not controls or not any(controls.values()):
        return None
    metric = prose.metric_format(report)
    ticket = next((stage for stage in report["stages"] if stage["name"] == "ticket"), None)
    rows = [["Ticket", *_metric_cells(ticket["metric"], metric)]] if ticket else []
    for name, control in controls.items():
        cells = [f.MISSING] * 3 if control is None else _metric_cells(control, metric)
        rows.append([CONTROL_TITLES.get(name, name.replace("_", " ").capitalize()), *cells])
    headings = ["Trained alike", f"Dev {metric.heading}", f"Test {metric.heading}", "95 % interval"]
    return Table(headings, rows, "Ticket and controls", [0] if ticket else [])


def apk_table(report: Report) -> Table | None:
    """The demo app's size by part."""
    apk = report.get("apk")
    if not apk:
        return None
    rows = [[part, f.size(value)] for part, value in apk["parts"].items()]
    return Table(
        ["Part", "Size"], [*rows, [f"Whole APK ({apk['file']})", f.size(apk["bytes"])]], "Size of the demo app"
    )


def facts(report: Report) -> list[tuple[str, str]]:
    """What was run on what: the lines under the headline."""
    task, model = report["task"], report["model"]
    prunable = model.get("prunable_parameters")
    of_which = "" if prunable is None else f", {f.count(prunable)} of them prunable"
    found = [
        ("Model", model["name"]),
        ("Parameters", f"{f.count(model['parameters'])}{of_which}"),
        ("Task", f"{task['name']} ({task['kind'].replace('_', ' ')})"),
        ("Metric", prose.metric_format(report).name),
        ("Training examples", f.count(task["train_examples"])),
        (f"{task['eval_split'].capitalize()} examples", f"{f.count(task['eval_examples'])}, all evaluated"),
    ]
    if target := report.get("target"):
        found.append(("Target", f"{target['name']}. {target['limits']}"))
    for title, key in (("Dev examples", "dev_examples"), ("Labels", "labels")):
        if key in task:
            found.append((title, f.count(task[key])))
    return found


def created(report: Report) -> str | None:
    """When the report was written: "21 November 2026, 11:30 UTC"; as it stands where it is no ISO date."""
    text = report.get("created")
    try:
        return text and datetime.fromisoformat(text).astimezone(UTC).strftime("%-d %B %Y, %H:%M UTC")
    except ValueError:
        return text


def not_measured(report: Report) -> list[tuple[str, str]]:
    """(what, why) in words: "programs › ticket › peak rss bytes"."""
    entries = report.get("not_measured", {}).items()
    return [(_words(path.replace("*", "all").split(".")), reason) for path, reason in entries]


def environment(report: Report) -> list[tuple[str, str]]:
    """The environment as flat (name, value) pairs."""
    return [(_words(path), "none" if value is None else str(value)) for path, value in leaves(report["environment"])]


def _words(steps: tuple[str, ...] | list[str]) -> str:
    return " \u203a ".join(step.replace("_", " ") for step in steps)
