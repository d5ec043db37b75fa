"""What was run on what, where and when, and what was not measured: (name, value) pairs."""

from datetime import UTC, datetime

from compress.report import formats as f
from compress.report import sentences
from compress.report.schema import leaves
from compress.report.tables import Report


def run_facts(report: Report) -> list[tuple[str, str]]:
    """What was run on what: the lines under the headline."""
    task, model = report["task"], report["model"]
    prunable = model.get("prunable_parameters")
    of_which = "" if prunable is None else f", {f.count(prunable)} of them prunable"
    found = [
        ("Model", model["name"]),
        ("Parameters", f"{f.count(model['parameters'])}{of_which}"),
        ("Task", f"{task['name']} ({task['kind'].replace('_', ' ')})"),
        ("Metric", sentences.metric_format(report).name),
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
