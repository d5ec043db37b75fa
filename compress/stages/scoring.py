"""How every training stage ends: the model saved, its answers on dev and test kept, its numbers written."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file
from safetensors.numpy import save as to_safetensors
from transformers import PreTrainedModel

from compress.data.baseline import bag_of_words
from compress.data.encode import Texts
from compress.lottery import Mask
from compress.models.anatomy import prunable_parameters
from compress.models.load import save
from compress.report.statistics import Estimate, bootstrap, paired_bootstrap
from compress.run_dir import write_atomic, write_json
from compress.stages.run import Run
from compress.training.metrics import METRICS, answers
from compress.training.trainer import Fitted, predict


def run_baseline(run: Run, folder: Path) -> None:
    """How far words alone go on this task."""
    with run.console.step("baseline: bag of words", 1) as advance:
        predictions = bag_of_words(run.task)
        advance(1)
    write_json(folder / "metrics.json", scores(predictions, run.labels, run.task.metric))


def finish(
    run: Run,
    model: PreTrainedModel,
    folder: Path,
    fitted: Fitted,
    *,
    mask: Mask | None = None,
    texts: Texts | None = None,
    **extra: Any,
) -> None:
    """Save the model with its tokenizer, its answers (logits.safetensors) and its numbers (metrics.json)."""
    texts = texts or run.texts
    save(model, texts.tokenizer, folder)
    logits = answer(model, texts)
    save_answers(logits, folder)
    numbers = {
        "parameters": sum(p.numel() for p in model.parameters()),
        "nonzero_parameters": sum(int(p.count_nonzero()) for p in model.parameters()),
        "prunable_parameters": sum(p.numel() for p in prunable_parameters(model).values()),
        "sparsity_prunable": mask.sparsity if mask else 0.0,
        "sparsity_total": mask.sparsity_of(model) if mask else 0.0,
        "metric": logit_scores(logits, run.labels, run.task.metric),
        "seconds": fitted.seconds + sum(r["seconds"] for r in extra.get("search", ())),
        "training_seconds": fitted.seconds,
        "steps": fitted.steps,
        "curve": list(fitted.curve),
    }
    write_json(folder / "metrics.json", numbers | extra)


def save_answers(logits: dict[str, np.ndarray], folder: Path) -> None:
    """Keep what `answer` returned in a folder."""
    write_atomic(folder / "logits.safetensors", to_safetensors(logits))


def load_answers(folder: Path) -> dict[str, np.ndarray]:
    """What `save_answers` kept."""
    return load_file(folder / "logits.safetensors")


def answer(model: PreTrainedModel, texts: Texts) -> dict[str, np.ndarray]:
    """Logits (N, L) for "dev" and "test"."""
    return {name: predict(model, texts.splits[name], texts.tokenizer) for name in ("dev", "test")}


def logit_scores(logits: dict[str, np.ndarray], labels: dict[str, np.ndarray], metric: str) -> dict[str, Any]:
    """`scores` from logits (N, L)."""
    return scores({name: answers(values) for name, values in logits.items()}, labels, metric)


def points(logits: dict[str, np.ndarray], labels: dict[str, np.ndarray], metric: str) -> dict[str, float]:
    """A metric on each split from logits (N, L), without an interval."""
    return {name: METRICS[metric](answers(values), labels[name]) for name, values in logits.items()}


def scores(predictions: dict[str, np.ndarray], labels: dict[str, np.ndarray], metric: str) -> dict[str, Any]:
    """{"dev", "test", "ci95", "ci95_dev"} of a metric from predictions and labels (N,)."""
    dev, test = (bootstrap(predictions[s], labels[s], METRICS[metric]) for s in ("dev", "test"))
    return {"dev": dev.value, "test": test.value, "ci95": test.ci, "ci95_dev": dev.ci}


def compared(
    firsts: Sequence[dict[str, np.ndarray]],
    seconds: Sequence[dict[str, np.ndarray]],
    labels: dict[str, np.ndarray],
    metric: str,
) -> Estimate:
    """Paired bootstrap on test of the mean over seeds of metric(first) − metric(second), from logits (N, L) a seed."""

    def mean(predictions: np.ndarray, truth: np.ndarray) -> float:
        return float(np.mean([METRICS[metric](column, truth) for column in predictions.T]))

    a, b = (np.stack([answers(logits["test"]) for logits in side], axis=1) for side in (firsts, seconds))
    return paired_bootstrap(a, b, labels["test"], mean, resamples=1000)
