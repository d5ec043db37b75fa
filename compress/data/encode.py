"""From texts to token ids, and to padded batches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from datasets import Dataset
from transformers import BatchEncoding, DataCollatorWithPadding, PreTrainedTokenizerBase

from compress.data.task import SPLITS, Example, Task

_INPUTS = ("input_ids", "token_type_ids", "attention_mask")


@dataclass(frozen=True)
class Encoded:
    """A split as token ids; `labels` is (N,). `rows` has input_ids, (token_type_ids,) attention_mask and labels."""

    rows: Dataset
    labels: np.ndarray
    cut: int  # how many texts were longer than the limit

    def __len__(self) -> int:
        return len(self.rows)

    def columns(self) -> dict[str, list[list[int]]]:
        """The model's inputs, by name."""
        return {n: list(self.rows[n]) for n in _INPUTS if n in self.rows.column_names}

    def inputs(self) -> list[dict[str, list[int]]]:
        """Each text's inputs without padding, as a program takes them (it needs no mask)."""
        columns = {n: c for n, c in self.columns().items() if n != "attention_mask"}
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def encode(examples: Sequence[Example], task: Task, tokenizer: PreTrainedTokenizerBase, max_tokens: int) -> Encoded:
    """Tokenize a split; texts longer than `max_tokens` are cut (pairs: the longer text first)."""
    texts = [e.text_a for e in examples], [e.text_b for e in examples] if task.pair else None
    batch = tokenizer(*texts, truncation="longest_first", max_length=max_tokens, padding=False)
    whole = tokenizer(*texts, truncation=False, padding=False, verbose=False)["input_ids"]
    labels = np.asarray([e.label for e in examples], dtype=np.float32 if task.regression else np.int64)
    rows = Dataset.from_dict({**batch.data, "labels": labels})
    return Encoded(rows=rows, labels=labels, cut=sum(len(ids) > max_tokens for ids in whole))


@dataclass(frozen=True)
class Texts:
    """A task as one tokenizer reads it: its three splits."""

    tokenizer: PreTrainedTokenizerBase
    splits: dict[str, Encoded]

    @classmethod
    def of(cls, task: Task, tokenizer: PreTrainedTokenizerBase, max_tokens: int) -> "Texts":
        """Encode every split."""
        return cls(tokenizer, {s: encode(task.split(s), task, tokenizer, max_tokens) for s in SPLITS})


def batches(
    split: Encoded, tokenizer: PreTrainedTokenizerBase, size: int = 64
) -> Iterator[tuple[list[int], BatchEncoding]]:
    """(indices, padded tensors) of texts of similar length, shortest first; every text once."""
    collate, columns = DataCollatorWithPadding(tokenizer), split.columns()
    order = sorted(range(len(split)), key=lambda i: len(columns["input_ids"][i]))
    for start in range(0, len(order), size):
        chosen = order[start : start + size]
        yield chosen, collate([{n: c[i] for n, c in columns.items()} for i in chosen])
