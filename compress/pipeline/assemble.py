"""From a finished run's folders to the report's dictionary. No number is made here: each was measured by a stage."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from compress.evaluation.verdict import winning_ticket
from compress.files import read_json
from compress.report.formats import MetricFormat
from compress.report.phones import with_phones

if TYPE_CHECKING:
    from compress.pipeline.run import Run

_ONE_SEED = "it used one seed; the rule needs at least two (python -m compress.study trains several)"


def assemble(
    run: "Run",
    stages: list[str],
    *,
    app: dict[str, Any] | str,
    environment: dict[str, Any],
    command: str,
    licences: list[dict[str, str]],
    target: dict[str, str],
) -> dict[str, Any]:
    """report.json of a complete run whose training stages were `stages`, in order.

    `app` is the built APK, or why there is none.
    """
    task, numbers = run.task, {name: run.metrics(name) for name in stages}
    found, reasons = run.metrics("programs"), {}
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
            "baseline": {"name": run.texts.task_type.baseline, "metric": run.metrics("baseline")},
            "notes": [*task.notes, *_cut_notes(run), *weakness(task.metric, run.metrics("baseline"), dense)],
        },
        "model": {
            "name": run.model_name,
            "parameters": dense["parameters"],
            "prunable_parameters": dense["prunable_parameters"],
        },
        "stages": [*(_stage(name, n) for name, n in numbers.items()), _program_stage(run, numbers[stages[-1]], found)],
        "programs": found["programs"],
        "verdict": verdict,
        "environment": environment,
        "training_curves": {n: m["curve"] for n, m in numbers.items() if m["curve"]},
        "recipe": {"command": command, "yaml": run.recipe.to_yaml()},
        "licences": licences,
        "target": target,
    }
    if "ticket" in numbers:
        report["search"] = _search(numbers["ticket"])
    if run.recipe.budget.is_set:
        report["budget"] = read_json(run.dir.stage("budget") / "choice.json")
    if isinstance(app, dict):
        report["apk"] = app
    else:
        reasons["apk"] = app
    return with_phones(report | {"not_measured": reasons}, run.dir.root)


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


def _stage(name: str, numbers: dict[str, Any]) -> dict[str, Any]:
    keys = ("parameters", "nonzero_parameters", "sparsity_prunable", "sparsity_total", "metric", "seconds")
    stage = {"name": name, **{key: numbers[key] for key in keys}}
    notes = [_shrunk_note(numbers)] if "structure" in numbers else []
    notes += also_note(numbers)
    return stage | {"note": "; ".join(notes)} if notes else stage


def also_note(numbers: dict[str, Any]) -> list[str]:
    """The kind's further numbers on test, in words: "exact match 61.2 % on test"."""
    return [
        f"{(shown := MetricFormat(n)).name} {shown.value(value)} on test"
        for n, value in numbers.get("also", {}).items()
    ]


def _shrunk_note(numbers: dict[str, Any]) -> str:
    """What a structured ticket has kept, what its smaller vocabulary changes, and what else it has learned from."""
    sizes, words = numbers["structure"], numbers["vocabulary"]
    layers = [f"{h} heads and {n:,} neurons" for h, n in zip(sizes["heads"], sizes["neurons"], strict=True)]
    same = len(set(layers)) == 1
    numbered = ", ".join(str(i + 1) for i in sizes["layers"])
    kept = f"layers {numbered}, {layers[0]} in each" if same else f"layers {numbered} with {'; '.join(layers)}"
    if places := sizes.get("merge_after"):
        kept += f"; tokens become half as many behind layer {' and '.join(map(str, places))} of them"
    note = f"{kept}; {words['words']:,} words"
    if dev := words.get("dev"):
        changed, longer, unknown = (f"{100 * dev[k]:.1f} %" for k in ("texts_changed", "tokens_added", "unknown_added"))
        note += f" (of the dev texts {changed} are read otherwise, in {longer} more tokens, {unknown} of them unknown)"
    if more := numbers.get("unlabeled"):
        note += f"; its teacher's answers to {more:,} unlabeled texts were taught, too"
    return note


def _program_stage(run: "Run", source: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """The exported ticket has its model's weights; its metric is the file's own."""
    kept = {k: source[k] for k in ("parameters", "nonzero_parameters", "sparsity_prunable", "sparsity_total")}
    metric = found["programs"]["ticket"]["metric"]
    stage = {"name": "program", **kept, "metric": metric, "seconds": found["seconds"]}
    notes = also_note(found)
    return stage | {"note": "; ".join(notes)} if notes else stage


def _ticket_verdict(rewind: str, numbers: dict[str, Any], reasons: dict[str, str]) -> dict[str, Any]:
    dense = [numbers["dense"]["metric"]["test"]]
    if "shrunk" in numbers:
        reasons["verdict.winning_ticket"] = "its structured ticket learned from a teacher, with a training of its own"
        return {"winning_ticket": None, "rule": "the papers' rule is for a ticket that trains like the dense model"}
    if "ticket" not in numbers:
        reasons["verdict.winning_ticket"] = "it searched no ticket"
        return {"winning_ticket": None, "rule": "no ticket was searched"}
    if rewind != "pretrained":
        reasons["verdict.winning_ticket"] = "its ticket went on from trained weights (ticket.rewind)"
        return {
            "winning_ticket": None,
            "rule": "the papers' rule is for a ticket that starts from the pre-trained weights",
        }
    outcome = winning_ticket(dense, [numbers["ticket"]["metric"]["test"]])
    reasons.update(outcome.not_measured())
    if outcome.winning is None:
        reasons["verdict.winning_ticket"] = _ONE_SEED
    return outcome.as_report()


def _controls(numbers: dict[str, Any], reasons: dict[str, str]) -> dict[str, Any] | None:
    control = numbers.get("ticket", {}).get("random_mask")
    if control is None:
        reasons["verdict.controls"] = "controls were not asked for (--controls)"
        return None
    reasons["verdict.controls.random_init"] = "only the random mask is trained as a control in a run"
    return {"random_mask": control, "random_init": None}


def weakness(metric: str, baseline: dict[str, Any], dense: dict[str, Any]) -> list[str]:
    """What to do about a dense model that a method which knows words alone beats on dev: it proves nothing."""
    own, simple, shown = dense["metric"]["dev"], baseline["dev"], MetricFormat(metric)
    if own >= simple:
        return []
    return [
        f"the dense model ({shown.value(own)} on dev) is behind the baseline ({shown.value(simple)}): it has not "
        "learned the task, so train it longer (--epochs) or faster (--learning-rate)"
    ]


def _cut_notes(run: "Run") -> list[str]:
    limit, notes = run.recipe.model.max_tokens, []
    for name in ("train", "dev", "test"):
        if run.texts.splits[name].cut:
            notes.append(f"{run.texts.splits[name].cut:,} {name} texts are longer than {limit} tokens and are cut")
    return notes
