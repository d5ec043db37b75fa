"""From a finished run's folders to the report's dictionary. No number is made here: each was measured by a stage."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from compress.evaluation.winning_rule import winning_ticket
from compress.files import read_json
from compress.pipeline.about import licenses, target_of
from compress.pipeline.kept import AGREEMENT, after
from compress.pipeline.run import Run, long_cost
from compress.pipeline.stages.stage import Stage
from compress.report.formats import MetricFormat
from compress.report.phones import with_phones
from compress.report.schema import leaves

_ONE_SEED = "it used one seed; the rule needs at least two (pocket-ticket study trains several)"


def assemble(
    run: Run,
    stages: list[Stage],
    *,
    app: dict[str, Any] | str,
    environment: dict[str, Any],
    command: str,
    no_bundle: str | None = None,
) -> dict[str, Any]:
    """report.json of a complete run whose stages before the export were `stages`, in order.

    `app` is the built APK, or why there is none; `no_bundle` says why there is no bundle.
    """
    rows = [stage for stage in stages if stage.has_model]
    task, numbers = run.task, {stage.name: run.metrics(stage.name) for stage in rows}
    found = run.metrics("programs")
    reasons = untimed(found["programs"], run.recipe.model.max_tokens)
    verdict = (
        found["verdict"]
        | _ticket_verdict(run.recipe.ticket.rewind, numbers, reasons)
        | {"controls": _controls(numbers, reasons)}
    )
    dense = numbers["dense"]
    report = {
        "schema_version": 1,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "task": {
            "name": task.name,
            "kind": task.kind,
            "metric": task.metric,
            "train_examples": len(task.train),
            "eval_split": "test",
            "eval_examples": len(task.test),
            "dev_examples": len(task.dev),
            "labels": len(task.labels),
            "baseline": {"name": _baseline(run), "metric": _without_parts(run.metrics("baseline"))},
            **_parts(run, found),
            **_by_label(run, found),
            "notes": [
                *([no_bundle_note(no_bundle)] if no_bundle else []),
                *run.notes,
                *_long_note(run),
                *dense_notes(task.metric, run.metrics("baseline"), dense),
            ],
        },
        "model": {
            "name": run.model_name,
            "parameters": dense["parameters"],
            "prunable_parameters": dense["prunable_parameters"],
        },
        "stages": [*(_row(stage, numbers[stage.name]) for stage in rows), _program_row(numbers[rows[-1].name], found)],
        "programs": found["programs"],
        "verdict": verdict,
        "environment": environment,
        "training_curves": {n: m["curve"] for n, m in numbers.items() if m["curve"]},
        "recipe": {"command": command, "yaml": run.recipe.to_yaml()},
        "licences": licenses(run),
        "target": target_of(run) | ({"limits": f"No bundle was made: {no_bundle}."} if no_bundle else {}),
    }
    if "vectors" in found:
        report["vectors"] = found["vectors"]
    if "ticket" in numbers:
        report["search"] = _search(numbers["ticket"])
    if run.recipe.budget.is_set:
        report["budget"] = read_json(run.dir.stage("budget") / "choice.json")
    if isinstance(app, dict):
        report["apk"] = app
    else:
        reasons["apk"] = app
    return with_phones(report | {"not_measured": reasons | without_interval(report)}, run.dir.root)


def second_try_notes(shown: MetricFormat, simple: float, dense: dict[str, Any]) -> list[str]:
    """That the dense model was trained twice, why, and which training is kept; empty where once was enough."""
    if "second_try" not in dense:
        return []
    first, second = (shown.value(dense[key]) for key in ("first_try_dev", "second_try_dev"))
    kept = "is kept, and all further trainings have its passes and rate" if dense["second_try"] else "is not better"
    return [
        f"the first training of the dense model ({first} on dev) was behind the baseline ({shown.value(simple)}), so "
        f"it was trained a second time, with twice the passes and a rate of 3e-4: that training ({second}) {kept}"
    ]


def no_bundle_note(reason: str) -> str:
    """What a run without a bundle says at its beginning and in its report."""
    return f"no bundle and no app are made, the run ends with the programs and the report: {reason}"


def untimed(programs: dict[str, Any], max_tokens: int) -> dict[str, str]:
    """Why latencies of the programs' entries are null: keys of the report's not_measured → reason."""
    reasons = {}
    for name, program in programs.items():
        for length in [length for length, found in program["latency_ms"].items() if found is None]:
            too_long = int(length) > max_tokens
            limit = f"at most {max_tokens} tokens (--max-tokens)" if too_long else "longer texts only"
            reasons[f"programs.{name}.latency_ms.{length}"] = f"the program takes {limit}"
            reasons[f"verdict.speed_ratio.{length}"] = f"a program takes {limit}"
        if program["first_answer_ms"]["cold"] is None:
            reasons[f"programs.{name}.first_answer_ms.cold"] = "this system can't drop one file from its memory"
    return reasons


def _without_parts(metric: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in metric.items() if key != "parts"}


def _parts(run: Run, found: dict[str, Any]) -> dict[str, Any]:
    """{"parts": a row for each part of test}: its examples, the baseline's metric and each program's."""
    if "parts" not in found:
        return {}
    counts = Counter(str(e.part) for e in run.task.test)
    simple = run.metrics("baseline")["parts"]
    rows = [
        {
            "name": part,
            "eval_examples": count,
            "baseline": simple[part],
            "programs": {name: values[part] for name, values in found["parts"].items()},
        }
        for part, count in sorted(counts.items())
    ]
    return {"parts": rows}


def _by_label(run: Run, found: dict[str, Any]) -> dict[str, Any]:
    """{"by_label": a row for each of several labels}: its test texts, the programs' F1, the ticket's threshold."""
    if "labels" not in found:
        return {}
    counts = run.labels["test"].sum(axis=0)
    rows = [
        {
            "name": name,
            "eval_examples": int(counts[i]),
            "threshold": found["thresholds"][i],
            "f1": {program: f1 for program, values in found["labels"].items() if (f1 := values[i]) is not None},
        }
        for i, name in enumerate(run.task.labels)
    ]
    return {"by_label": rows}


def _long_note(run: Run) -> list[str]:
    """What long texts cost the dense model on dev."""
    dev = run.texts.splits["dev"]
    cost = long_cost(run.texts.task_type, run.task.metric, dev, run.predictions("dense")["dev"])
    return [f"dense model: {cost}"] if cost else []


def without_interval(report: dict[str, Any]) -> dict[str, str]:
    """Why intervals of the report are null: keys of its not_measured → reason."""
    found = {}
    for path, value in leaves(report):
        if value is None and path[-1] in ("ci95", "ci95_dev"):
            each = (path[0], "*", *path[2:]) if path[0] in ("stages", "programs", "search") else path
            found[".".join(each)] = "the split has too few examples for an interval"
    return found


def _search(ticket: dict[str, Any]) -> list[dict[str, Any]]:
    """The rounds of the search, then the ticket's own training."""
    chosen = {
        "round": len(ticket["search"]),
        "sparsity_prunable": ticket["sparsity_prunable"],
        "metric_dev": ticket["metric"]["dev"],
        "seconds": ticket["training_seconds"],
        "chosen": True,
    }
    return [*ticket["search"], chosen]


_COUNTS = ("parameters", "nonzero_parameters", "sparsity_prunable", "sparsity_total")


def _row(stage: Stage, numbers: dict[str, Any]) -> dict[str, Any]:
    row = {"name": stage.name, "title": stage.title, **{key: numbers[key] for key in (*_COUNTS, "metric", "seconds")}}
    notes = stage.note(numbers) + also_note(numbers)
    return row | {"note": "; ".join(notes)} if notes else row


def also_note(numbers: dict[str, Any]) -> list[str]:
    """The kind's further numbers on test, in words: "exact match 61.2 % on test"."""
    return [
        f"{(shown := MetricFormat(n)).name} {shown.value(value)} on test"
        for n, value in numbers.get("also", {}).items()
    ]


def _program_row(source: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """The exported ticket has the weights of its model `source`; its metric is the file's own."""
    metric = found["programs"]["ticket"]["metric"]
    counts = {key: source[key] for key in _COUNTS}
    row = {"name": "program", "title": "Phone program", **counts, "metric": metric, "seconds": found["seconds"]}
    notes = also_note(found)
    return row | {"note": "; ".join(notes)} if notes else row


def _ticket_verdict(rewind: str, numbers: dict[str, Any], reasons: dict[str, str]) -> dict[str, Any]:
    dense = [numbers["dense"]["metric"]["test"]]
    if "shrunk" in numbers:
        reasons["verdict.winning_ticket"] = "its structured ticket was distilled, with a training of its own"
        return {"winning_ticket": None, "rule": "the papers' rule is for a ticket that trains like the dense model"}
    if "ticket" not in numbers:
        reasons["verdict.winning_ticket"] = "no ticket was searched"
        return {"winning_ticket": None, "rule": "no ticket was searched"}
    if rewind != "pretrained":
        reasons["verdict.winning_ticket"] = "its ticket continued from trained weights (ticket.rewind)"
        return {
            "winning_ticket": None,
            "rule": "the papers' rule is for a ticket that starts from the pre-trained weights",
        }
    if not numbers["dense"]["steps"]:
        reasons["verdict.winning_ticket"] = "its dense model is the given checkpoint, which the run did not train"
        return {"winning_ticket": None, "rule": "the papers' rule compares equal trainings of ticket and dense model"}
    outcome = winning_ticket(dense, [numbers["ticket"]["metric"]["test"]])
    reasons.update(outcome.not_measured())
    if outcome.winning is None:
        reasons["verdict.winning_ticket"] = _ONE_SEED
    return outcome.as_report()


def _controls(numbers: dict[str, Any], reasons: dict[str, str]) -> dict[str, Any] | None:
    control = numbers.get("ticket", {}).get("random_mask")
    if control is None:
        reasons["verdict.controls"] = "controls were not requested (--controls)"
        return None
    reasons["verdict.controls.random_init"] = "only the random mask is trained as a control in a run"
    return {"random_mask": control, "random_init": None}


def _baseline(run: Run) -> str:
    own = ", trained on the given model's answers" if run.task.metric == AGREEMENT else ""
    return f"{run.texts.task_type.baseline}{own}"


def dense_notes(metric: str, baseline: dict[str, Any], dense: dict[str, Any]) -> list[str]:
    """What became of a fine-tuned checkpoint, and what to do about a dense model that its baseline beats on dev.

    The baseline is a method that knows words alone: a comparison with a model below it proves nothing.
    """
    notes = after(metric, baseline, dense)
    own, simple, shown = dense["metric"]["dev"], baseline["dev"], MetricFormat(metric)
    notes += second_try_notes(shown, simple, dense)
    if own >= simple:
        return notes
    behind = (
        f"the dense model ({shown.value(own)} on dev) scores below the baseline ({shown.value(simple)}): it has not "
    )
    if not dense["steps"]:
        return [*notes, f"{behind}learned this task, so train it (--dense train) or give its own labels"]
    return [*notes, f"{behind}learned the task, so train it longer (--epochs) or faster (--learning-rate)"]
