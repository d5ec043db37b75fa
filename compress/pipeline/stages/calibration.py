"""The task's loss on some training texts, from which a finished model's weights and units are scored."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from compress.kinds.vectors import unit
from compress.models.anatomy import prunable_parameters
from compress.pipeline.run import Inputs, Run
from compress.training.trainer import predict

_SIZE = 32
_MOST, _LARGE_MOST = 60, 20  # batches: more change no choice that a seed does not change too (docs/log.md)
_LARGE = 30_000_000  # prunable weights


def calibration_batches(run: Inputs, model: PreTrainedModel) -> int:
    """How many batches of training texts scores are taken from: all texts, or the first 1,920 drawn.

    Of large encoders, BERT-base among them, the first 640: they take ten times as long.
    """
    return min(_LARGE_MOST if is_large(model) else _MOST, -(-len(run.task.train) // _SIZE))


def texts_scored(run: Inputs, model: PreTrainedModel) -> dict[str, list[int]]:
    """From how many texts scores are taken, and how many there are, for a stage's numbers and `scored_note`."""
    count = len(run.task.train)
    return {"scored": [min(count, _SIZE * calibration_batches(run, model)), count]}


def scored_note(numbers: Mapping[str, Any]) -> list[str]:
    """That scores were taken from some of the training texts; empty where they were from all, or from none."""
    some, count = numbers.get("scored", (0, 0))
    return [f"scores from {some:,} of the {count:,} training texts, drawn by the seed"] if some < count else []


def is_large(model: PreTrainedModel) -> bool:
    """Whether an encoder has so many weights that scores are taken from fewer texts."""
    return sum(p.numel() for p in prunable_parameters(model).values()) > _LARGE


def losses(
    run: Run, model: PreTrainedModel, count: int, advance: Callable[[int], None] = lambda _: None
) -> Iterator[Tensor]:
    """The task's mean loss, (), with its graph, on each of up to `count` batches of 32 training texts.

    The texts are drawn by the run's seed and sorted by length; `advance` is called after each batch.
    """
    task_type = run.texts.task_type
    with task_type.training(model):
        for batch in batches(run, count):
            yield task_type.loss(model, batch)
            advance(1)


def batches(run: Run, count: int) -> Iterator[Mapping[str, Tensor]]:
    """Up to `count` batches of 32 training texts with their labels, drawn by the run's seed, sorted by length."""
    texts, train = run.texts, run.texts.splits["train"]
    order = np.random.default_rng(run.recipe.seed).permutation(len(train))[: _SIZE * count]
    by_length = sorted(order.tolist(), key=lambda i: len(train.rows[i]["input_ids"]))
    targets = _targets(run) if texts.task_type.vectors and "labels" not in train.rows.column_names else None
    collate = texts.task_type.pad(texts.tokenizer)
    for start in range(0, len(by_length), _SIZE):
        chosen = by_length[start : start + _SIZE]
        batch = collate([train.rows[i] for i in chosen])
        if targets is not None:
            batch = {**batch, "labels": torch.stack([targets[i] for i in chosen])}
        yield batch


def _targets(run: Run) -> dict[int, Tensor]:
    """Text → the dense model's vector (D,) plus a random one of length 1, for the texts that are drawn.

    At the dense model itself a distance to its own vectors has no gradient. With the random part the gradient's size is
    how far a weight moves the vector in any direction, while the loss still grows with the distance.
    """
    if run.calibration:
        return run.calibration
    train, random = run.texts.splits["train"], np.random.default_rng(run.recipe.seed)
    drawn = random.permutation(len(train))[: _SIZE * _MOST].tolist()
    found = predict(run.saved("dense"), train.only(drawn), run.texts.tokenizer)
    targets = unit(found) + unit(random.standard_normal(found.shape))
    run.calibration.update(zip(drawn, torch.from_numpy(targets.astype(np.float32)), strict=True))
    return run.calibration
