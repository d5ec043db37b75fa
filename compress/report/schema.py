"""Checks a report against report.schema.json and that each null has a reason in `not_measured`."""

import json
import math
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from compress.errors import PocketTicketError

SCHEMA_FILE = Path(__file__).with_name("report.schema.json")
FREE_FORM = ("environment",)  # top-level keys whose nulls need no reason
Steps = tuple[str, ...]


class ReportError(PocketTicketError):
    """A report that breaks the schema or holds a null without a reason."""


@cache
def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of report.json."""
    return json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))


def validate(report: dict[str, Any]) -> None:
    """Return quietly if `report` is a whole, honest report.

    Raises ReportError that lists every problem: keys missing or unknown, values of the wrong kind, numbers that are
    not finite, intervals the wrong way round, stages twice, nulls that `not_measured` does not explain.
    """
    problems = [_explain(error) for error in Draft202012Validator(schema()).iter_errors(report)]
    if not problems:  # the finer checks rely on the shape
        problems = [*_numbers(report), *_orders(report), *_stage_names(report), *_unexplained(report)]
    if problems:
        raise ReportError(
            "; ".join(sorted(set(problems))), where="report.json", remedy="see compress/report/report.schema.json"
        )


def _explain(error: ValidationError) -> str:
    """One problem in words. Of the branches of null-or-object, the one that was meant is explained."""
    if error.validator == "oneOf" and error.context:
        meant = [e for e in error.context if e.validator != "type" or len(e.absolute_path) > len(error.absolute_path)]
        if meant:
            return "; ".join(_explain(e) for e in meant)
    place = ".".join(str(step) for step in error.absolute_path) or "the report"
    if error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        return f"{place} lacks {', '.join(repr(key) for key in missing)}"
    message = error.message if len(error.message) < 160 else f"{error.message[:157]}..."
    return f"{place}: {message}"


def leaves(node: Any, path: Steps = ()) -> Iterator[tuple[Steps, Any]]:
    """Every (path, value) that is not a dict or list. A stage's step is its name: ("stages", "ticket", "seconds")."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from leaves(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            name = value["name"] if path == ("stages",) else str(index)
            yield from leaves(value, (*path, name))
    else:
        yield path, node


def _numbers(report: dict[str, Any]) -> Iterator[str]:
    for path, value in leaves(report):
        if isinstance(value, float) and not math.isfinite(value):
            yield f"{'.'.join(path)} is {value}, not a finite number"


def _orders(node: Any, path: str = "") -> Iterator[str]:
    """Intervals as [low, high]; p10 ≤ median ≤ p90."""
    if isinstance(node, list):
        for index, value in enumerate(node):
            yield from _orders(value, f"{path}{index}.")
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        if key in ("ci95", "ci95_dev") and value is not None and value[0] > value[1]:
            yield f"{path}{key}: {value[0]} is above {value[1]}"
        yield from _orders(value, f"{path}{key}.")
    if {"median", "p10", "p90"} <= node.keys() and not node["p10"] <= node["median"] <= node["p90"]:
        yield f"{path[:-1]}: p10, median and p90 are out of order"


def _stage_names(report: dict[str, Any]) -> Iterator[str]:
    names = [stage["name"] for stage in report["stages"]]
    for name in {name for name in names if names.count(name) > 1}:
        yield f"stages: '{name}' occurs {names.count(name)} times"


def reason_for(report: dict[str, Any], *path: str) -> str | None:
    """Why the value at `path` was not measured, or None if `not_measured` does not say.

    A pattern covers a path when each of its steps equals the path's (or is *); the path may go deeper.
    """
    for pattern, reason in report.get("not_measured", {}).items():
        steps = pattern.split(".")
        if len(steps) <= len(path) and all(s in ("*", p) for s, p in zip(steps, path, strict=False)):
            return reason
    return None


def _unexplained(report: dict[str, Any]) -> Iterator[str]:
    for path, value in leaves(report):
        extension = any(step.startswith("x_") for step in path)
        if value is None and path[0] not in FREE_FORM and not extension and reason_for(report, *path) is None:
            yield f"{'.'.join(path)} is null and not_measured does not say why"
