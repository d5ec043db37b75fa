"""What the kinds have in common: the `TaskType` of a kind's questions and answers, and a split read by a tokenizer."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import torch
from datasets import Dataset
from torch import Tensor
from transformers import BatchEncoding, DataCollatorWithPadding, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils.generic import ModelOutput

from compress.data.task import Example, Task

INPUTS = ("input_ids", "token_type_ids", "attention_mask")
Metric = Callable[[np.ndarray, np.ndarray], float]  # (rows, labels) of N examples → a number, higher is better
Collator = Callable[[list[dict[str, Any]]], Mapping[str, Tensor]]


@dataclass(frozen=True)
class Encoded:
    """A split as token ids.

    `rows` has input_ids, (token_type_ids,) attention_mask and what the kind's loss needs. `labels` (N, ...) are what
    predictions are compared with; `places` leads from a text's tokens back to its words, where the kind needs it.
    """

    rows: Dataset
    labels: np.ndarray
    cut: int  # how many texts were longer than the limit
    task: Task
    places: Sequence[np.ndarray] = field(default=())

    def __len__(self) -> int:
        return len(self.rows)

    def only(self, chosen: Sequence[int]) -> "Encoded":
        """The texts of these indices, in their order."""
        places = [self.places[i] for i in chosen] if self.places else ()
        return replace(self, rows=self.rows.select(chosen), labels=self.labels[list(chosen)], places=places)

    def columns(self) -> dict[str, list[list[int]]]:
        """The model's inputs, by name."""
        return {n: list(self.rows[n]) for n in INPUTS if n in self.rows.column_names}

    def inputs(self) -> list[dict[str, list[int]]]:
        """Each text's inputs without padding, as a program takes them (it needs no mask)."""
        columns = {n: c for n, c in self.columns().items() if n != "attention_mask"}
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


class TaskType(ABC):
    """How a kind of task is encoded, predicted and scored: N texts of T tokens; L outputs a text or a token.

    A *prediction* is a small array made from a text's logits: enough to score the text and to compare two models.
    *Metric inputs* (N, ...) are what a metric takes beside the labels.
    """

    metrics: ClassVar[Mapping[str, Metric]]  # by name
    also: ClassVar[Mapping[str, Metric]] = {}  # reported beside the task's own metric
    baseline: ClassVar[str]  # what the baseline does, in words
    batch: ClassVar[int] = 64  # texts in a batch of predictions
    distillable: ClassVar[bool] = True  # whether a teacher's logits can be kept in memory

    @abstractmethod
    def encode(
        self, examples: Sequence[Example], task: Task, tokenizer: PreTrainedTokenizerBase, max_tokens: int
    ) -> Encoded:
        """Tokenize a split; texts longer than `max_tokens` are cut (pairs: the longer text first)."""

    @abstractmethod
    def prediction(self, logits: np.ndarray, split: Encoded, index: int) -> np.ndarray:
        """One text's prediction from its logits (L,), or (T, L) with padding at the end; of one shape for all."""

    @abstractmethod
    def metric_inputs(self, predictions: np.ndarray, split: Encoded) -> np.ndarray:
        """What the metrics take, from what was predictions (N, ...)."""

    @abstractmethod
    def agree(self, first: np.ndarray, second: np.ndarray, task: Task) -> np.ndarray:
        """Whether two models agree on each text (N,), from the predictions of each."""

    @abstractmethod
    def baseline_metric_inputs(self, task: Task, splits: Mapping[str, Encoded]) -> dict[str, np.ndarray]:
        """Metric inputs for "dev" and "test" of a method that uses words alone: the baseline of every report."""

    def pad(self, tokenizer: PreTrainedTokenizerBase) -> Collator:
        """Rows → a batch with labels, as they are."""
        return DataCollatorWithPadding(tokenizer)

    def collator(self, tokenizer: PreTrainedTokenizerBase) -> Collator:
        """Rows → a training batch."""
        return self.pad(tokenizer)

    def training(self, model: PreTrainedModel) -> AbstractContextManager[None]:
        """Within the block the model may compute its loss in a cheaper way; the value is the same."""
        return nullcontext()

    def logits(self, outputs: ModelOutput) -> Tensor:
        """A model's logits as one tensor (B, L) or (B, T, L)."""
        logits: Tensor = outputs["logits"]
        return logits

    def program_logits(self, outputs: Sequence[np.ndarray]) -> np.ndarray:
        """A program's outputs for one text, (1, ...) each, as one array (L,) or (T, L)."""
        return outputs[0][0]

    def distributions(self, logits: Tensor, mask: Tensor) -> Tensor:
        """Logits (B, ...) as rows (R, C) that a softmax makes distributions of; `mask` (B, T) is 1 at real tokens."""
        return logits

    def label(self, example: Example, task: Task) -> str | None:
        """An example's label in words, where it has one."""
        return None

    def score(self, predictions: np.ndarray, split: Encoded, metric: str) -> float:
        """The metric of a split's predictions."""
        return self.metrics[metric](self.metric_inputs(predictions, split), split.labels)


def batches(
    split: Encoded, tokenizer: PreTrainedTokenizerBase, size: int = 64
) -> Iterator[tuple[list[int], BatchEncoding]]:
    """(indices, padded tensors) of texts of similar length, shortest first; every text once."""
    collate, columns = DataCollatorWithPadding(tokenizer), split.columns()
    order = sorted(range(len(split)), key=lambda i: len(columns["input_ids"][i]))
    for start in range(0, len(order), size):
        chosen = order[start : start + size]
        yield chosen, BatchEncoding(collate([{n: c[i] for n, c in columns.items()} for i in chosen]))


def padded(rows: Sequence[Tensor], length: int) -> Tensor:
    """Texts' (T, L) as one (B, `length`, L), zeros at the end; (L,) of each as (B, L)."""
    if rows[0].dim() == 1:
        return torch.stack(list(rows))
    found = rows[0].new_zeros(len(rows), length, rows[0].shape[1])
    for i, row in enumerate(rows):
        found[i, : len(row)] = row
    return found
