"""How every training stage ends: the model saved, its answers on dev and test predictions, its numbers written."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors.numpy import save as to_safetensors
from transformers import PreTrainedModel

from compress.data.task import Task
from compress.errors import PocketTicketError
from compress.evaluation.statistics import Estimate, bootstrap, paired_bootstrap
from compress.files import write_atomic, write_json
from compress.kinds.encode import Texts
from compress.lottery import Mask
from compress.models.anatomy import prunable_parameters
from compress.models.store import save
from compress.pipeline.run import PREDICTIONS, Inputs
from compress.training.trainer import Fitted, predict

if TYPE_CHECKING:
    from mobile_export.programs.runtime import LoadedProgram

EVALUATED = ("dev", "test")
THRESHOLD = "threshold"


def finish(
    run: Inputs,
    model: PreTrainedModel,
    folder: Path,
    fitted: Fitted,
    *,
    mask: Mask | None = None,
    texts: Texts | None = None,
    **extra: Any,
) -> None:
    """Save the model with its tokenizer, its predictions and its numbers (metrics.json)."""
    texts = texts or run.texts
    save(model, texts.tokenizer, folder)
    predictions = predictions_of(model, texts)
    save_predictions(predictions, folder)
    numbers = {
        "parameters": sum(p.numel() for p in model.parameters()),
        "nonzero_parameters": sum(int(p.count_nonzero()) for p in model.parameters()),
        "prunable_parameters": sum(p.numel() for p in prunable_parameters(model).values()),
        "sparsity_prunable": mask.sparsity if mask else 0.0,
        "sparsity_total": mask.sparsity_of(model) if mask else 0.0,
        **quality(run, predictions, texts),
        "seconds": fitted.seconds + sum(r["seconds"] for r in extra.get("search", ())),
        "training_seconds": fitted.seconds,
        "steps": fitted.steps,
        "curve": list(fitted.curve),
    }
    write_json(folder / "metrics.json", numbers | extra)


def save_predictions(predictions: Mapping[str, np.ndarray], folder: Path) -> None:
    """Write what `predictions_of` returned into a folder, for `load_predictions`."""
    write_atomic(folder / PREDICTIONS, to_safetensors(dict(predictions)))


def predictions_of(model: PreTrainedModel, texts: Texts) -> dict[str, np.ndarray]:
    """A model's predictions (N, ...) for "dev" and "test", and the "threshold" of its decisions where it has one."""
    return decided({name: predict(model, texts.splits[name], texts.tokenizer) for name in EVALUATED}, texts)


def decided(predictions: Mapping[str, np.ndarray], texts: Texts) -> dict[str, np.ndarray]:
    """Predictions (N, ...) for "dev" and "test" with the threshold that dev chooses, which is "threshold"."""
    threshold = texts.task_type.threshold(predictions["dev"], texts.splits["dev"])
    if threshold is None:
        return dict(predictions)
    return {n: texts.task_type.decided(p, threshold) for n, p in predictions.items()} | {THRESHOLD: threshold}


def program_predictions(
    program: "LoadedProgram", texts: Texts, split: str, advance: Callable[[int], None] = lambda _: None
) -> np.ndarray:
    """A program's own predictions (N, ...) for a split, row by row; those of a long text's windows are merged."""
    encoded, task_type = texts.splits[split], texts.task_type

    def rows() -> Iterator[tuple[int, np.ndarray]]:
        for i, inputs in enumerate(encoded.inputs()):
            yield i, task_type.program_logits(program.answer(inputs))
            advance(1)

    return task_type.gather(rows(), encoded)


def quality(run: Inputs, predictions: Mapping[str, np.ndarray], texts: Texts | None = None) -> dict[str, Any]:
    """{"metric": scores} of predictions, under "also" the kind's further metrics on test, and the threshold chosen.

    `texts` is the task as the model's tokenizer encodes it; by default the pre-trained encoder's.
    """
    texts = texts or run.texts
    rows = {name: texts.task_type.metric_inputs(predictions[name], texts.splits[name]) for name in EVALUATED}
    also = {
        name: metric(rows["test"], texts.splits["test"].labels)
        for name, metric in texts.task_type.further(run.task).items()
    }
    also = {name: value for name, value in also.items() if not math.isnan(value)}
    chosen = _chosen(run.task, predictions)
    return {"metric": scores(run, rows), **chosen} | ({"also": also} if also else {})


def _chosen(task: Task, predictions: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The thresholds that dev chose, as a manifest has them."""
    if THRESHOLD not in predictions:
        return {}
    if task.kind == "multilabel":
        return {"thresholds": predictions[THRESHOLD].tolist()}
    return {"no_answer_threshold": float(predictions[THRESHOLD][0])}


def scores(run: Inputs, rows: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """{"dev", "test", "ci95", "ci95_dev"} of the task's metric; an interval is None where it can't be known."""
    metric, splits = run.texts.task_type.metrics[run.task.metric], run.texts.splits
    (dev, ci95_dev), (test, ci95) = (
        value_and_interval(
            partial(bootstrap, rows[name], splits[name].labels, metric),
            partial(metric, rows[name], splits[name].labels),
        )
        for name in EVALUATED
    )
    return {"dev": dev, "test": test, "ci95": ci95, "ci95_dev": ci95_dev}


def by_part(run: Inputs, rows: np.ndarray, texts: Texts | None = None) -> dict[str, float]:
    """The task's metric on each part of test, from metric inputs (N, ...); empty where the data has no parts."""
    parts, test = np.array([str(e.part) for e in run.task.test]), (texts or run.texts).splits["test"]
    if len(set(parts)) < 2:
        return {}
    metric = run.texts.task_type.metrics[run.task.metric]
    return {str(part): float(metric(rows[parts == part], test.labels[parts == part])) for part in np.unique(parts)}


def value_and_interval(
    estimate: Callable[[], Estimate], value: Callable[[], float]
) -> tuple[float, list[float] | None]:
    """An estimate's value and interval; `value` and None where there are too few examples for an interval."""
    try:
        found = estimate()
    except PocketTicketError:
        return float(value()), None
    return found.value, found.ci


def points(run: Inputs, predictions: Mapping[str, np.ndarray]) -> dict[str, float]:
    """{"dev", "test"} of the task's metric, without intervals."""
    task_type, splits = run.texts.task_type, run.texts.splits
    return {name: task_type.score(predictions[name], splits[name], run.task.metric) for name in EVALUATED}


def compared(
    run: Inputs, firsts: Sequence[Mapping[str, np.ndarray]], seconds: Sequence[Mapping[str, np.ndarray]]
) -> Estimate:
    """Paired bootstrap on test of the mean over seeds of metric(first) − metric(second); one model a seed.

    In the metric's unit, as `statistics.paired_bootstrap`.
    """
    task_type, test = run.texts.task_type, run.texts.splits["test"]
    metric = task_type.metrics[run.task.metric]

    def mean(rows: np.ndarray, labels: np.ndarray) -> float:
        return float(np.mean([metric(rows[:, seed], labels) for seed in range(rows.shape[1])]))

    def inputs(side: Sequence[Mapping[str, np.ndarray]]) -> np.ndarray:
        return np.stack([task_type.metric_inputs(one["test"], test) for one in side], axis=1)

    return paired_bootstrap(inputs(firsts), inputs(seconds), test.labels, mean, resamples=1000)
