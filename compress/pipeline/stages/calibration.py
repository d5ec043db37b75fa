"""The task's loss on some training texts, from which a finished model's weights and units are scored."""

from collections.abc import Callable, Iterator

import numpy as np
from torch import Tensor
from transformers import PreTrainedModel

from compress.pipeline.run import Inputs

_SIZE = 32
_MOST = 60  # batches: more change no choice that a seed does not change too


def calibration_batches(run: Inputs) -> int:
    """How many batches of training texts scores are taken from: all texts, or the first 1,920 drawn."""
    return min(_MOST, -(-len(run.task.train) // _SIZE))


def losses(
    run: Inputs, model: PreTrainedModel, count: int, advance: Callable[[int], None] = lambda _: None
) -> Iterator[Tensor]:
    """The task's mean loss, (), with its graph, on each of up to `count` batches of 32 training texts.

    The texts are drawn by the run's seed and sorted by length; `advance` is called after each batch.
    """
    texts, train = run.texts, run.texts.splits["train"]
    order = np.random.default_rng(run.recipe.seed).permutation(len(train))[: _SIZE * count]
    by_length = sorted(order.tolist(), key=lambda i: len(train.rows[i]["input_ids"]))
    collate = texts.task_type.pad(texts.tokenizer)
    with texts.task_type.training(model):
        for start in range(0, len(by_length), _SIZE):
            yield model(**collate([train.rows[i] for i in by_length[start : start + _SIZE]])).loss
            advance(1)
