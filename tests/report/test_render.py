"""The renderings say what the JSON says: every number of it, no other number, nothing raw, nothing unescaped."""

import copy
import io
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from compress.report import formats as f
from compress.report import (
    headline,
    plots,
    program_tables,
    render,
    render_html,
    render_markdown,
    render_summary,
    sentences,
    stage_tables,
    summary_table,
)
from compress.report.schema import ReportError, leaves, validate

NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
OURS = {"95", "1", "9", "100", "12", "64"}  # 95 % interval, batch 1, deflate -9, × 100, the two text lengths
NOT_TEXT = {"schema_version", "metric_scale"}  # they steer the rendering
ATTACK = '</style><script>alert(1)</script><img src=x onerror=alert(2)>" onload="x" $a_b$ | `c` {{ 7*7 }}'


class Page(HTMLParser):
    """Elements, attributes and visible text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text, self._hidden = "", 0
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))
        self._hidden += tag in ("style", "svg", "pre", "time")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("style", "svg", "pre", "time")
        self.text += " "

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.text += data


def _numbers_in(report: dict[str, Any]) -> Iterator[tuple[dict | list, str | int, float]]:
    """(owner, key, value) of every number."""

    def walk(node: Any) -> Iterator[tuple[dict | list, str | int, float]]:
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            if isinstance(value, dict | list):
                yield from walk(value)
            elif isinstance(value, int | float) and not isinstance(value, bool):
                yield node, key, value

    yield from walk(report)


def _all_spellings(report: dict[str, Any]) -> set[str]:
    """Every way in which a number of the report, or a number in a text of it, may be printed."""
    metric = sentences.metric_format(report)
    spellings = set(OURS)
    for path, value in leaves(report):
        texts = [*path, str(value)]
        if isinstance(value, int | float) and not isinstance(value, bool):
            ways = (f.milliseconds, f.duration, f.percent, f.times, metric.bare, metric.points)
            texts += [way(value) for way in ways] + [f"{value:.3f}", metric.points(abs(value))]
            texts += [f.count(value), f.size(value)] if isinstance(value, int) else []
            texts += [f.times(1 / value)] if value else []
        spellings.update(number for text in texts for number in NUMBER.findall(text))
    lengths = [len(node) for node in (report["verdict"]["seeds"]["dense"]["values"], report["stages"])]
    lengths += [len(program["leftover_ops"]) for program in report["programs"].values()]
    return spellings | {str(length) for length in lengths}


def test_every_number_on_the_page_comes_from_the_json(report: dict[str, Any], html: str) -> None:
    allowed = _all_spellings(report)
    for text in (Page(html).text, render_markdown(report), render_summary(report)):
        assert not [number for number in NUMBER.findall(text) if number not in allowed]


def test_every_number_of_the_json_is_on_the_page(report: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Change one number at a time: the text must change with it."""
    monkeypatch.setattr(plots, "all_plots", lambda _: dict.fromkeys(plots.PLOTS, ""))
    before = (render_html(report), render_markdown(report))
    curves = [point for points in report["training_curves"].values() for point in points]  # only in the page
    silent = []
    for owner, key, value in _numbers_in(report):
        # the band of the dense model's dev metric is drawn, not printed
        if key in NOT_TEXT or owner is report["stages"][0]["metric"]["ci95_dev"]:
            continue
        owner[key] = value * 3 + 7
        after = (render_html(report), render_markdown(report))
        owner[key] = value
        shown = before[0] != after[0] and (before[1] != after[1] or any(owner is point for point in curves))
        silent += [] if shown else [(key, value)]
    assert not silent


def test_every_cell_stands_under_its_heading(report: dict[str, Any]) -> None:
    shown = {
        table.caption: table for table in (program_tables.program_table(report), program_tables.latency_table(report))
    }
    shown |= {table.caption: table for table in (stage_tables.stage_table(report), headline.comparison(report))}
    rows = {
        "Exported programs, measured on the files themselves": "Ticket (phone int8); 23.7 MB; 19.3 MB; 92.0; 91.7; "
        "90.1–93.3; 99.5 %; 98.2 % in 2 pieces",
        "Latency of one call, batch 1": "64 tokens, Ticket (phone int8); 2.37 ms; 2.25 ms; 2.77 ms; 1; 120",
        "Stages in order": "Ticket; 22.7 M; 19.5 M; 30.0 %; 14.2 %; 91.3; 91.0; 89.4–92.6; 3 min 25 s",
        "Dense against ticket": "Download; 83.4 MB; 19.3 MB; 4.3×",
    }
    for caption, row in rows.items():
        assert row.split("; ") in shown[caption].rows
        assert all(len(row) == len(shown[caption].headings) for row in shown[caption].rows)


def test_the_plots_follow_their_numbers(report: dict[str, Any]) -> None:
    before = plots.all_plots(report)
    assert set(before) == {"drop", "search", "budget", "training", "size", "latency"}
    report["stages"][0]["metric"]["ci95_dev"] = [0.80, 0.99]
    report["programs"]["ticket"]["latency_ms"]["64"]["p90"] = 5.0
    after = plots.all_plots(report)
    assert {name for name in before if before[name] != after[name]} == {"search", "budget", "latency"}


def test_plots_carry_page_colors_and_text_but_no_color_of_their_own(report: dict[str, Any]) -> None:
    for name, svg in plots.all_plots(report).items():
        assert "<text" in svg and "var(--ticket)" in svg and "font-family" not in svg
        assert not re.findall(r"#[0-9a-f]{6}\b", svg.replace(f"#{name}-", "")), name


def test_a_report_without_extras_or_with_nothing_measured_still_reads(report: dict[str, Any]) -> None:
    bare = {
        k: v for k, v in report.items() if k not in ("search", "budget", "training_curves", "recipe", "apk", "licences")
    }
    bare["programs"] |= {"ticket": None}
    verdict = bare["verdict"]
    verdict |= {"winning_ticket": None, "drop_points": None, "ci95": None, "size_ratio": None, "speed_ratio": None}
    verdict |= {"download_ratio": None, "controls": None}
    del verdict["seeds"], bare["task"]["baseline"], bare["created"]
    for stage in bare["stages"]:
        stage |= {"seconds": None, "parameters": None, "metric": {"dev": None, "test": None, "ci95": None}}
    bare["not_measured"] = {"stages": "killed", "programs.ticket": "no exporter here", "verdict": "no ticket program"}
    validate(bare)
    for text in (Page(render_html(bare)).text, render_markdown(bare), render_summary(bare)):
        assert "No phone program was made: no exporter here." in text
        assert not re.search(r"\b(None|nan|null|inf|Undefined)\b", text)


def test_a_whole_page_prints_nothing_raw(report: dict[str, Any], html: str) -> None:
    for text in (Page(html).text, render_markdown(report), render_summary(report)):
        assert not re.search(r"\b(None|nan|null|inf|Undefined|True|False)\b|\{\{|\{%", text)


def _poison(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _poison(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_poison(value) for value in node]
    return ATTACK if isinstance(node, str) else node


def test_text_from_outside_is_never_markup(report: dict[str, Any]) -> None:
    poisoned = _poison(copy.deepcopy(report))
    for stage, original in zip(poisoned["stages"], report["stages"], strict=True):
        stage["name"] = original["name"]
    poisoned["task"]["eval_split"] = "test"
    poisoned["programs"][ATTACK] = copy.deepcopy(poisoned["programs"]["ticket"])
    poisoned["verdict"]["controls"][ATTACK] = None
    poisoned["training_curves"][ATTACK] = report["training_curves"]["dense"]
    poisoned["not_measured"][ATTACK] = ATTACK
    html = render_html(poisoned)
    page = Page(html)
    assert not [tag for tag, _ in page.elements if tag in ("script", "img", "iframe", "link", "object", "base")]
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert "49" not in NUMBER.findall(page.text)  # {{ 7*7 }} was not evaluated
    for text in (render_markdown(poisoned), render_summary(poisoned)):
        outside_code = re.sub(r"(?ms)^(`{3,}).*?^\1$", "", text)
        assert "<script" not in outside_code and "<img" not in outside_code
        for table in re.findall(r"(?m)(?:^\|.*\n)+", outside_code):
            columns = {len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}
            assert len(columns) == 1, table
    Console(width=200, file=io.StringIO()).print(summary_table(poisoned))


def test_the_page_is_one_file(html: str) -> None:
    page = Page(html)
    links = [a[k] for _, a in page.elements for k in ("href", "src", "xlink:href", "srcset", "data") if k in a]
    assert links and all(link.startswith("#") for link in links)
    assert not re.findall(r"url\((?!#)|@import", html)
    policy = next(a["content"] for _, a in page.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")


def test_the_page_is_well_formed_for_assistive_technology(html: str) -> None:
    page = Page(html)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    references = [
        a[k].lstrip("#") for _, a in page.elements for k in ("href", "xlink:href", "aria-labelledby") if k in a
    ]
    assert set(references) <= set(ids)
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    drawings = [attributes for _, attributes in page.elements if attributes.get("role") == "img"]
    assert len(drawings) == 6 and all(attributes["aria-label"] for attributes in drawings)


def test_rendering_twice_gives_the_same_bytes(report: dict[str, Any], html: str) -> None:
    assert render_html(report) == html


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"size_ratio": 0.8}, "1.25× larger"),
        ({"speed_ratio": {"12": 0.5, "64": 1.0}}, "2.0× slower at 12 tokens and 1.00× as fast at 64 tokens"),
        ({"drop_points": -0.52, "ci95": [-1.0, -0.1]}, "0.5 points above"),
        ({"drop_points": 1.0, "ci95": [0.2, 1.9]}, "1.0 point below"),
        ({"drop_points": 0.01, "ci95": [-0.2, 0.2]}, "is the same as"),
    ],
)
def test_the_headline_says_which_way(report: dict[str, Any], changes: dict[str, Any], words: str) -> None:
    report["verdict"] |= changes
    assert words in sentences.headline(report)


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        ([-0.4, 1.2], "do not differ measurably"),
        ([0.1, 1.2], "is worse"),
        ([-2.0, -0.3], "is better"),
        ([0.0, 0.0], "do not differ"),
    ],
)
def test_the_interval_decides_what_may_be_said(report: dict[str, Any], interval: list[float], words: str) -> None:
    report["verdict"]["ci95"] = interval
    assert words in sentences.verdict_sentences(report)[-1]


def test_a_lost_ticket_is_a_normal_result_and_a_missing_verdict_says_why(report: dict[str, Any]) -> None:
    assert "normal result" in sentences.verdict_sentences(report)[0]
    report["verdict"]["winning_ticket"] = True
    assert sentences.verdict_title(report) == "A winning ticket"
    report["verdict"]["winning_ticket"] = None
    report["not_measured"]["verdict.winning_ticket"] = "one seed was run"
    assert "one seed was run" in sentences.verdict_sentences(report)[0]


def test_a_loss_keeps_its_unit_and_its_direction(report: dict[str, Any]) -> None:
    report["task"] |= {"metric": "loss", "metric_scale": 1, "higher_is_better": False}
    report["verdict"] |= {"drop_points": 0.0312, "ci95": [0.0101, 0.0522]}
    assert "0.031 points above the unpruned model’s" in sentences.headline(report)
    assert sentences.metric_format(report).value(2.0312) == "2.031"


def test_write_report_leaves_three_whole_files_and_takes_numpy(report: dict[str, Any], tmp_path: Path) -> None:
    report["verdict"]["drop_points"] = np.float32(0.5)
    report["verdict"]["ci95"] = (np.float64(-0.25), np.float64(1.25))
    report["task"]["labels"] = np.int64(19)
    report["environment"]["folder"] = Path("runs/a")
    files = render.write_report(report, tmp_path / "run")
    written = json.loads(files.json.read_text(encoding="utf-8"))
    validate(written)
    assert written["verdict"]["ci95"] == [-0.25, 1.25] and written["environment"]["folder"] == "runs/a"
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["report.html", "report.json", "report.md"]


def test_a_broken_report_writes_nothing(report: dict[str, Any], tmp_path: Path) -> None:
    report["verdict"]["drop_points"] = float("nan")
    with pytest.raises(ReportError):
        render.write_report(report, tmp_path)
    with pytest.raises(ReportError, match="object can't be written"):
        render.write_report(report | {"x_thing": object()}, tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_terminal_table_holds_the_comparison(report: dict[str, Any]) -> None:
    console = Console(width=100, file=io.StringIO())
    console.print(summary_table(report))
    text = console.file.getvalue()
    assert all(
        words in text for words in ("23.7 MB", "3.8×", "1.02 ms", "91.7 %", "Not a winning ticket", "not measured")
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f.size(999), "999 B"),
        (f.size(1000), "1.00 kB"),
        (f.size(23_712_345), "23.7 MB"),
        (f.size(999_999), "1.00 MB"),
        (f.count(6920), "6,920"),
        (f.count(22_713_216), "22.7 M"),
        (f.milliseconds(0.0512), "0.05 ms"),
        (f.milliseconds(9.996), "10.0 ms"),
        (f.milliseconds(254.4), "254 ms"),
        (f.duration(9.96), "10 s"),
        (f.duration(59.7), "1 min 00 s"),
        (f.duration(3840), "1 h 04 min"),
        (f.times(1.994), "1.99×"),
        (f.times(1.996), "2.0×"),
        (f.times(99.96), "100×"),
        (f.MetricFormat("accuracy").points(-0.04), "0.0"),
        (f.MetricFormat("accuracy").points(-0.44), "−0.4"),
        (f.MetricFormat("accuracy").value(0.91749), "91.7 %"),
        (f.MetricFormat("matthews").heading, "Matthews correlation ×\u00a0100"),
        (f.MetricFormat("matthews").value(-0.0502), "−5.0"),
    ],
)
def test_numbers_as_people_read_them(text: str, expected: str) -> None:
    assert text == expected
