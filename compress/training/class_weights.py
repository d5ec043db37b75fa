"""Class weights in the loss: a class with few examples counts as much as one with many."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers.utils.generic import ModelOutput


def balanced_weights(labels: np.ndarray, classes: int) -> Tensor:
    """The weight N ÷ (classes · n_c) of each class (C,), from the class indices (N,); 0 for a class without examples.

    The mean weight of an example is 1 where every class has one (King & Zeng 2001, as in scikit-learn).
    """
    counts = np.bincount(labels, minlength=classes)
    return torch.tensor(np.where(counts, len(labels) / (classes * np.maximum(counts, 1)), 0.0), dtype=torch.float32)


@contextmanager
def weighted_loss(model: nn.Module, weights: Tensor) -> Iterator[None]:
    """Within the block the model's loss is the weighted mean of its examples' cross entropy; `weights` (C,)."""

    def replace_loss(_: nn.Module, __: tuple[Any, ...], inputs: dict[str, Any], outputs: ModelOutput) -> ModelOutput:
        if (labels := inputs.get("labels")) is not None:
            logits = outputs["logits"]
            outputs["loss"] = F.cross_entropy(logits, labels, weight=weights.to(logits))
        return outputs

    hook = model.register_forward_hook(replace_loss, with_kwargs=True)
    try:
        yield
    finally:
        hook.remove()
