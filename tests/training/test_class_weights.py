"""Class weights: the loss is that of a training set in which rare classes were repeated, and nothing else changes."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from transformers.modeling_outputs import SequenceClassifierOutput

from compress.console import Console
from compress.errors import RecipeError
from compress.pipeline.run import Inputs
from compress.recipe.load import load_recipe
from compress.training.class_weights import balanced_weights, weighted_loss


class Given(nn.Module):
    """A model that answers with the logits that it is given, and the plain mean loss."""

    def forward(self, logits: torch.Tensor, labels: torch.Tensor | None = None) -> SequenceClassifierOutput:
        loss = None if labels is None else F.cross_entropy(logits, labels)
        return SequenceClassifierOutput(loss=loss, logits=logits)


@given(st.lists(st.integers(1, 4), min_size=2, max_size=4), st.integers(0, 99))
def test_the_weighted_loss_is_the_plain_one_of_equally_many_examples_a_class(sizes: list[int], seed: int) -> None:
    labels = torch.tensor([label for label, size in enumerate(sizes) for _ in range(size)])
    logits = torch.randn(len(labels), len(sizes), generator=torch.Generator().manual_seed(seed))
    each = math.lcm(*sizes)
    repeated = torch.tensor([i for i, label in enumerate(labels) for _ in range(each // sizes[label])])
    model, weights = Given(), balanced_weights(labels.numpy(), len(sizes))
    with weighted_loss(model, weights):
        weighted = model(logits=logits, labels=labels).loss
        assert model(logits=logits).loss is None
    torch.testing.assert_close(weighted, F.cross_entropy(logits[repeated], labels[repeated]))
    assert float(weights[labels].mean()) == pytest.approx(1)
    torch.testing.assert_close(model(logits=logits, labels=labels).loss, F.cross_entropy(logits, labels))


def test_a_class_without_examples_has_no_weight() -> None:
    assert balanced_weights(np.array([0, 0, 2]), 3).tolist() == pytest.approx([0.5, 0.0, 1.0])


def write(folder: Path, labels: list[str]) -> dict[str, object]:
    for split in ("train", "dev", "test"):
        rows = [f"{label}\t{split} text {i}" for i, label in enumerate(labels * 4)]
        (folder / f"{split}.tsv").write_text("\n".join(["label\ttext", *rows]) + "\n", encoding="utf-8")
    return {"data.source": str(folder), "training.class_weights": "balanced"}


def test_a_run_says_the_weights_and_refuses_them_where_there_are_no_classes(tiny_encoder: Path, tmp_path: Path) -> None:
    flags = write(tmp_path, ["no", "no", "no", "yes"]) | {"model.name": str(tiny_encoder), "model.max_tokens": 64}
    notes = Inputs.of(load_recipe(None, flags), Console("quiet")).notes
    assert any("from 0.667 (no) to 2 (yes) (training.class_weights: balanced)" in note for note in notes)
    with pytest.raises(RecipeError, match=r"training\.class_weights can't be used with a task of kind regression"):
        Inputs.of(load_recipe(None, flags | write(tmp_path, ["0.5", "1.5"])), Console("quiet"))
