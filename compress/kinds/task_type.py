"""What all kinds have in common: the `TaskType`, which encodes, predicts and scores, and a split as token ids."""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import torch
from datasets import Dataset
from torch import Tensor
from transformers import BatchEncoding, DataCollatorWithPadding, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils.generic import ModelOutput

from compress.data.task import Example, Label, Task
from compress.errors import DataError
from compress.kinds.long_texts import Strategy

INPUTS = ("input_ids", "token_type_ids", "attention_mask")
Metric = Callable[[np.ndarray, np.ndarray], float]  # (rows, labels) of N examples → a number, higher is better
Collator = Callable[[list[dict[str, Any]]], Mapping[str, Tensor]]


@dataclass(frozen=True)
class Encoded:
    """A split as token ids.

    `rows` has input_ids, (token_type_ids,) attention_mask and what the kind's loss needs. `labels` (N, ...) are what
    predictions are compared with; `places` maps a row's tokens to its text's words, where the kind needs it.
    A row is a text, or one window of a long text: `text_of` (R,) says of which, in order; it is empty where every text
    is one row. Texts beyond the labels are not scored themselves, such as a corpus. `long` are the texts of more tokens
    than the limit.
    """

    rows: Dataset
    labels: np.ndarray
    task: Task
    places: Sequence[np.ndarray] = field(default=())
    text_of: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    long: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def windowed(self) -> bool:
        """Whether any text has several rows."""
        return len(self.rows) != self.texts

    @property
    def texts(self) -> int:
        """How many texts there are."""
        return int(self.text_of[-1]) + 1 if len(self.text_of) else len(self.labels)

    def rows_of(self) -> list[list[int]]:
        """The rows of each text."""
        if not len(self.text_of):
            return [[i] for i in range(len(self.labels))]
        found: list[list[int]] = [[] for _ in range(self.texts)]
        for row, text in enumerate(self.text_of):
            found[text].append(row)
        return found

    def only(self, chosen: Sequence[int]) -> "Encoded":
        """The texts of these indices, in their order."""
        every = self.rows_of()
        rows = [row for i in chosen for row in every[i]]
        text_of = np.repeat(np.arange(len(chosen)), [len(every[i]) for i in chosen])
        long = tuple(i for i, text in enumerate(chosen) if text in self.long)
        places = [self.places[row] for row in rows] if self.places else ()
        chosen_rows, labels = self.rows.select(rows), self.labels[list(chosen)]
        return replace(self, rows=chosen_rows, labels=labels, places=places, text_of=text_of, long=long)

    def columns(self) -> dict[str, list[list[int]]]:
        """The model's inputs, by name."""
        return {n: list(self.rows[n]) for n in INPUTS if n in self.rows.column_names}

    def token_ids(self) -> set[int]:
        """The ids that occur in any column of ids."""
        found: set[int] = set()
        for name in self.rows.column_names:
            if name.endswith("_ids") and name != "token_type_ids":
                for ids in self.rows[name]:
                    found.update(i for part in ids for i in (part if isinstance(part, list) else [part]))
        return found

    def inputs(self) -> list[dict[str, list[int]]]:
        """Each row's inputs without padding, as a program takes them (it needs no mask)."""
        columns = {n: c for n, c in self.columns().items() if n != "attention_mask"}
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


class TaskType(ABC):
    """How a kind of task is encoded, predicted and scored: N texts of T tokens; L outputs a text or a token.

    A *prediction* is a small array made from a text's logits: enough to score the text and to compare two models.
    *Metric inputs* (N, ...) are what a metric takes beside the labels.
    """

    metrics: ClassVar[Mapping[str, Metric]]  # by name
    also: ClassVar[Mapping[str, Metric]] = {}  # reported beside the task's own metric, see `further`
    baseline: ClassVar[str]  # what the baseline does, in words
    batch: ClassVar[int] = 64  # texts in a batch of predictions
    distillable: ClassVar[bool] = True  # whether a teacher's logits can be kept in memory
    independent: ClassVar[bool] = False  # whether each logit is of a probability of its own (sigmoid, not softmax)
    vectors: ClassVar[bool] = False  # whether the logits are a text's vector

    @abstractmethod
    def encode(
        self,
        examples: Sequence[Example],
        task: Task,
        tokenizer: PreTrainedTokenizerBase,
        max_tokens: int,
        long: Strategy = "cut",
    ) -> Encoded:
        """Tokenize a split; `long` says what is done with texts of more than `max_tokens` tokens."""

    @abstractmethod
    def prediction(self, logits: np.ndarray, split: Encoded, index: int) -> np.ndarray:
        """A row's prediction from its logits (L,), or (T, L) with padding at the end; of one shape for all."""

    def merged(self, logits: Sequence[np.ndarray], split: Encoded, rows: Sequence[int]) -> np.ndarray:
        """A long text's prediction from the logits of its windows, which are these rows of the split.

        Here: of the mean of their logits (L,), whose softmax is the normalized geometric mean of the windows' own.
        """
        return self.prediction(np.stack(logits).mean(axis=0, dtype=np.float32), split, rows[0])

    def gather(self, found: Iterable[tuple[int, np.ndarray]], split: Encoded) -> np.ndarray:
        """The predictions (N, ...) of all texts, from the logits of every row in any order."""
        rows = split.rows_of()
        predictions: list[np.ndarray] = [np.empty(0)] * len(rows)
        waiting: dict[int, dict[int, np.ndarray]] = defaultdict(dict)
        for row, logits in found:
            text = int(split.text_of[row]) if len(split.text_of) else row
            if len(rows[text]) == 1:
                predictions[text] = self.prediction(logits, split, row)
                continue
            waiting[text][row] = logits
            if len(waiting[text]) == len(rows[text]):
                logits_of = waiting.pop(text)
                predictions[text] = self.merged([logits_of[i] for i in rows[text]], split, rows[text])
        return np.stack(predictions)

    def threshold(self, predictions: np.ndarray, dev: Encoded) -> np.ndarray | None:
        """What `decided` compares a model's predictions with, chosen on its predictions (N, ...) for dev.

        None: the kind decides without.
        """
        return None

    def decided(self, predictions: np.ndarray, threshold: np.ndarray | None) -> np.ndarray:
        """Predictions (N, ...) that make their decisions with the threshold; of the same shape."""
        return predictions

    @abstractmethod
    def metric_inputs(self, predictions: np.ndarray, split: Encoded) -> np.ndarray:
        """Metric inputs (N, ...) from predictions (N, ...)."""

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

    def loss(self, model: PreTrainedModel, inputs: Mapping[str, Tensor]) -> Tensor:
        """The task's mean loss (), with its graph, on a batch that `collator` or `pad` made."""
        loss: Tensor = model(**inputs).loss
        return loss

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

    def further(self, task: Task) -> Mapping[str, Metric]:
        """The metrics, by name, that are reported beside the task's own."""
        return {name: metric for name, metric in self.also.items() if name != task.metric}

    def pseudo_labels(self, predictions: np.ndarray) -> Sequence[Label]:
        """The labels that a teacher gives to texts without any, from its predictions (N, ...).

        Raises DataError where texts of this kind have no label of their own.
        """
        raise DataError("texts without labels can't be used with this kind of task", remedy="leave them out")

    def label(self, example: Example, task: Task) -> str | None:
        """An example's label in words, where it has one."""
        return None

    def score(self, predictions: np.ndarray, split: Encoded, metric: str) -> float:
        """The metric of a split's predictions."""
        return self.metrics[metric](self.metric_inputs(predictions, split), split.labels)

    def score_on_dev(self, predictions: np.ndarray, dev: Encoded, metric: str) -> float:
        """The metric of a model's predictions for dev, with the threshold that dev chooses."""
        return self.score(self.decided(predictions, self.threshold(predictions, dev)), dev, metric)


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
