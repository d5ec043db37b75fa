"""Cross-validation: a run for each fold, and the programs' results over the test texts of all of them."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from compress.console import Console
from compress.errors import RecipeError
from compress.evaluation.statistics import bootstrap, paired_bootstrap
from compress.files import write_json
from compress.pipeline.order import Pipeline
from compress.pipeline.run import Run, load_predictions
from compress.pipeline.stages import final_stage
from compress.pipeline.stages.scoring import value_and_interval
from compress.recipe.recipe import Recipe
from compress.report.formats import MetricFormat

_PROGRAMS = ("dense", "ticket")


def cross_validate(recipe: Recipe, folds: int, output: Path, console: Console) -> dict[str, Any]:
    """Do the run of every fold in a folder of `output`, show the results and write them to folds.json.

    Raises RecipeError for a search for a budget, whose programs differ from fold to fold.
    """
    if recipe.budget.is_set:
        raise RecipeError(
            "a search for a budget chooses another program in each fold",
            where="budget",
            remedy="name the structure, such as --recipe balanced",
        )
    runs = []
    for number in range(1, folds + 1):
        console.note(f"fold {number} of {folds}")
        data = recipe.data.model_copy(update={"fold": f"{number}/{folds}"})
        changed = recipe.model_copy(update={"data": data})
        pipeline = Pipeline(changed, output / f"fold-{number}", console, with_app=False)
        pipeline.run()
        runs.append(pipeline.inputs.in_folder(output / f"fold-{number}"))
    found = pooled(runs)
    write_json(output / "folds.json", found)
    console.show(_table(found), folds=found)
    return found


def pooled(runs: Sequence[Run]) -> dict[str, Any]:
    """The metric of each fold's dense program and ticket on its test texts; over all of them, with intervals; the drop.

    Values are in the metric's unit, the drop in points.
    """
    metric = runs[0].texts.task_type.metrics[runs[0].task.metric]
    inputs = {name: [_inputs(run, name) for run in runs] for name in _PROGRAMS}
    labels = [run.labels["test"] for run in runs]
    folds = [
        {
            "eval_examples": len(labels[i]),
            "baseline": run.metrics("baseline")["test"],
            **{name: float(metric(inputs[name][i], labels[i])) for name in _PROGRAMS},
        }
        for i, run in enumerate(runs)
    ]
    dense, ticket = (np.concatenate(inputs[name]) for name in _PROGRAMS)
    every = np.concatenate(labels)
    together: dict[str, Any] = {"eval_examples": len(every)}
    for name, rows in (("dense", dense), ("ticket", ticket)):
        value, interval = value_and_interval(partial(bootstrap, rows, every, metric), partial(metric, rows, every))
        together[name] = {"value": value, "ci95": interval}
    drop, interval = value_and_interval(
        lambda: paired_bootstrap(dense, ticket, every, metric).scaled(100),
        lambda: 100 * (metric(dense, every) - metric(ticket, every)),
    )
    return {"metric": runs[0].task.metric, "folds": folds, "all": together | {"drop_points": drop, "ci95": interval}}


def _inputs(run: Run, program: str) -> np.ndarray:
    """The metric inputs (N, ...) of a run's program on its test texts."""
    stage = "dense" if program == "dense" else final_stage(run.recipe)
    predictions = load_predictions(run.dir.stage("programs"))[f"{program}.test"]
    return run.texts.task_type.metric_inputs(predictions, run.texts_of(stage).splits["test"])


def _table(found: dict[str, Any]) -> Table:
    shown, every = MetricFormat(found["metric"]), found["all"]
    title = f"{shown.name} on test, each text in one fold"
    table = Table("fold", "texts", "baseline", "dense", "ticket\u2019s program", title=title)
    for number, fold in enumerate(found["folds"], 1):
        cells = (shown.value(fold[name]) for name in ("baseline", *_PROGRAMS))
        table.add_row(str(number), f"{fold['eval_examples']:,}", *cells)
    table.add_section()
    values = [_with_interval(shown, every[name]["value"], every[name]["ci95"]) for name in _PROGRAMS]
    table.add_row("all", f"{every['eval_examples']:,}", "", *values)
    interval = f" ({shown.between(every['ci95'])})" if every["ci95"] else ""
    table.add_row("points lost", "", "", "", f"{shown.points(every['drop_points'])}{interval}")
    return table


def _with_interval(shown: MetricFormat, value: float, interval: list[float] | None) -> str:
    return f"{shown.value(value)} ({shown.interval(interval)})" if interval else shown.value(value)
