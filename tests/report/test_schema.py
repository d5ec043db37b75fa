"""The schema takes a whole report and refuses every other one, in words that name the place."""

import copy
import math
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from compress.errors import PocketTicketError
from compress.report.schema import ReportError, leaves, reason_for, schema, validate

# The keys that product.md promises to others.
PROMISED = {
    "": ("schema_version", "task", "model", "stages", "programs", "verdict", "environment"),
    "task": ("name", "kind", "metric", "train_examples", "eval_split", "eval_examples"),
    "model": ("name", "parameters"),
    "stages.0": (
        "name",
        "parameters",
        "nonzero_parameters",
        "sparsity_prunable",
        "sparsity_total",
        "metric",
        "seconds",
    ),
    "stages.0.metric": ("dev", "test", "ci95"),
    "programs": ("dense", "ticket"),
    "programs.ticket": (
        "file",
        "bytes",
        "download_bytes",
        "latency_ms",
        "threads",
        "peak_rss_bytes",
        "metric",
        "agreement_with_eager",
        "delegated_fraction",
        "leftover_ops",
    ),
    "programs.ticket.latency_ms": ("12", "64"),
    "programs.ticket.latency_ms.12": ("median", "p10", "p90"),
    "verdict": ("winning_ticket", "rule", "drop_points", "ci95", "size_ratio", "speed_ratio", "controls"),
    "verdict.speed_ratio": ("12", "64"),
    "verdict.controls": ("random_mask", "random_init"),
}
PATHS = [f"{place}.{key}".lstrip(".") for place, keys in PROMISED.items() for key in keys]


def _parent(report: dict[str, Any], path: str) -> tuple[Any, str]:
    *steps, key = path.split(".")
    node: Any = report
    for step in steps:
        node = node[int(step)] if isinstance(node, list) else node[step]
    return node, key


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(schema())


def test_a_whole_report_passes(report: dict[str, Any]) -> None:
    validate(report)


def test_every_additive_key_may_be_left_out(report: dict[str, Any]) -> None:
    for key in set(report) - set(schema()["required"]) - {"not_measured"}:
        del report[key]
    validate(report)


@pytest.mark.parametrize("path", PATHS)
def test_a_missing_key_is_refused_by_name(report: dict[str, Any], path: str) -> None:
    node, key = _parent(report, path)
    del node[key]
    with pytest.raises(ReportError, match=f"lacks.*'{key}'"):
        validate(report)


@pytest.mark.parametrize("path", ["task", "model", "stages.0", "stages.0.metric", "programs.dense", "verdict"])
def test_a_misspelled_key_is_refused_and_an_extension_is_not(report: dict[str, Any], path: str) -> None:
    node, key = _parent(report, path)
    target = node[int(key)] if isinstance(node, list) else node[key]
    target["x_ours"] = None
    validate(report)
    target["nmae"] = 1
    with pytest.raises(ReportError, match="nmae"):
        validate(report)


@pytest.mark.parametrize(
    "path",
    [
        "stages.1.metric.test",
        "stages.1.seconds",
        "programs.ticket",
        "programs.dense.latency_ms",
        "verdict.ci95",
        "verdict.winning_ticket",
        "verdict.controls",
        "programs.dense.leftover_ops",
        "verdict.speed_ratio.64",
    ],
)
def test_a_null_needs_its_reason(report: dict[str, Any], path: str) -> None:
    node, key = _parent(report, path)
    node[key] = None
    with pytest.raises(ReportError, match=r"is null and not_measured does not say why"):
        validate(report)
    report["not_measured"][path.replace("stages.1", "stages.ticket")] = "the machine was switched off"
    validate(report)


def test_a_reason_covers_what_is_below_it_and_a_star_one_step() -> None:
    report = {"not_measured": {"stages.*.metric.test": "no test split", "verdict.controls": "run with --controls"}}
    assert reason_for(report, "stages", "ticket", "metric", "test") == "no test split"
    assert reason_for(report, "verdict", "controls", "random_mask", "dev") == "run with --controls"
    assert reason_for(report, "stages", "ticket", "metric", "dev") is None
    assert reason_for(report, "verdict") is None


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_every_number_must_be_finite(report: dict[str, Any], value: float) -> None:
    report["stages"][0]["seconds"] = value
    with pytest.raises(ReportError, match="seconds"):
        validate(report)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("verdict.ci95", [1.0, -1.0], "ci95"),
        ("programs.dense.latency_ms.12.p10", 99.0, "out of order"),
        ("stages.1.name", "dense", "2 times"),
        ("stages.1.name", "Prunned!", "Prunned!"),
        ("stages.1.sparsity_prunable", 30.0, "sparsity_prunable"),
        ("verdict.size_ratio", 0, "size_ratio"),
        ("programs.dense.bytes", "91 MB", "91 MB"),
        ("schema_version", 2, "1 was expected"),
    ],
)
def test_values_that_can_not_be_are_refused(report: dict[str, Any], path: str, value: Any, words: str) -> None:
    node, key = _parent(report, path)
    node[int(key) if isinstance(node, list) else key] = value
    with pytest.raises(ReportError, match=words):
        validate(report)


def test_all_problems_are_told_at_once(report: dict[str, Any]) -> None:
    del report["task"]["kind"], report["verdict"]["rule"]
    report["color"] = "green"
    with pytest.raises(PocketTicketError) as caught:
        validate(report)
    assert all(word in str(caught.value) for word in ("kind", "rule", "color", "report.schema.json"))


def test_leaves_name_a_stage_by_its_name(report: dict[str, Any]) -> None:
    found = dict(leaves(copy.deepcopy(report)))
    assert found["stages", "ticket", "metric", "test"] == 0.9102
    assert found["search", "3", "round"] == 3
