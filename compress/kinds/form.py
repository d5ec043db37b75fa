"""What the kinds have in common: the `Form` of a kind's questions and answers, and a split read by a tokenizer."""

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
from transformers.utils import ModelOutput

from compress.data.task import Example, Task

INPUTS = ("input_ids", "token_type_ids", "attention_mask")
Metric = Callable[[np.ndarray, np.ndarray], float]  # (rows, labels) of N examples → a number, higher is better
Collator = Callable[[list[dict[str, Any]]], Mapping[str, Tensor]]


@dataclass(frozen=True)
class Encoded:
    """A split as token ids.

    `rows` has input_ids, (token_type_ids,) attention_mask and what the kind's loss needs. `labels` (N, ...) are what
    answers are scored by, `places` what leads from a text's tokens back to its words, where the kind needs it.
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


class Form(ABC):
    """How tasks of a kind are asked and answered: N texts of T tokens; L outputs a text or a token.

    What is *kept* of an answer (N, ...) is enough for its score and for comparing it with another's; *rows* (N, ...)
    are what a metric compares with the labels, or sums.
    """

    metrics: ClassVar[Mapping[str, Metric]]  # by name
    also: ClassVar[Mapping[str, Metric]] = {}  # told beside the one that the task has
    baseline: ClassVar[str]  # what `guesses` does, in words
    batch: ClassVar[int] = 64  # texts that are answered together
    teachable: ClassVar[bool] = True  # whether a teacher's answers can be kept

    @abstractmethod
    def encode(
        self, examples: Sequence[Example], task: Task, tokenizer: PreTrainedTokenizerBase, max_tokens: int
    ) -> Encoded:
        """Tokenize a split; texts longer than `max_tokens` are cut (pairs: the longer text first)."""

    @abstractmethod
    def keep(self, logits: np.ndarray, split: Encoded, index: int) -> np.ndarray:
        """What is kept of one text's logits (L,), or (T, L) with padding behind; of one shape throughout a split."""

    @abstractmethod
    def rows(self, kept: np.ndarray, split: Encoded) -> np.ndarray:
        """What the metrics take, from what was kept (N, ...)."""

    @abstractmethod
    def same(self, first: np.ndarray, second: np.ndarray, task: Task) -> np.ndarray:
        """Whether two models gave the same answer (N,), from what was kept of each."""

    @abstractmethod
    def guesses(self, task: Task, splits: Mapping[str, Encoded]) -> dict[str, np.ndarray]:
        """Rows for "dev" and "test" of a method that knows words alone: the baseline of every report."""

    def pad(self, tokenizer: PreTrainedTokenizerBase) -> Collator:
        """Rows → a batch with labels, as they are."""
        return DataCollatorWithPadding(tokenizer)

    def collator(self, tokenizer: PreTrainedTokenizerBase) -> Collator:
        """Rows → a training batch."""
        return self.pad(tokenizer)

    def training(self, model: PreTrainedModel) -> AbstractContextManager[None]:
        """Within the block the model's loss may be computed in a cheaper way; its value is the same."""
        return nullcontext()

    def logits(self, told: ModelOutput) -> Tensor:
        """A model's answers as one tensor (B, L) or (B, T, L)."""
        return told.logits

    def program_logits(self, outputs: Sequence[np.ndarray]) -> np.ndarray:
        """A program's outputs for one text, (1, ...) each, as one array (L,) or (T, L)."""
        return outputs[0][0]

    def distributions(self, logits: Tensor, mask: Tensor) -> Tensor:
        """Logits (B, ...) as rows (R, C) that a softmax makes distributions of; `mask` (B, T) is 1 at real tokens."""
        return logits

    def label(self, example: Example, task: Task) -> str | None:
        """An example's label in words, where it has one."""
        return None

    def score(self, kept: np.ndarray, split: Encoded, metric: str) -> float:
        """The metric of what was kept of a split's answers."""
        return self.metrics[metric](self.rows(kept, split), split.labels)


def batches(
    split: Encoded, tokenizer: PreTrainedTokenizerBase, size: int = 64
) -> Iterator[tuple[list[int], BatchEncoding]]:
    """(indices, padded tensors) of texts of similar length, shortest first; every text once."""
    collate, columns = DataCollatorWithPadding(tokenizer), split.columns()
    order = sorted(range(len(split)), key=lambda i: len(columns["input_ids"][i]))
    for start in range(0, len(order), size):
        chosen = order[start : start + size]
        yield chosen, collate([{n: c[i] for n, c in columns.items()} for i in chosen])


def padded(rows: Sequence[Tensor], length: int) -> Tensor:
    """Texts' (T, L) as one (B, `length`, L), zeros behind; (L,) of each as (B, L)."""
    if rows[0].dim() == 1:
        return torch.stack(list(rows))
    found = rows[0].new_zeros(len(rows), length, rows[0].shape[1])
    for i, row in enumerate(rows):
        found[i, : len(row)] = row
    return found
