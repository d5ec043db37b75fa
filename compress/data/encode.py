"""From texts to token ids."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from datasets import Dataset
from transformers import PreTrainedTokenizerBase

from compress.data.task import Example, Task


@dataclass(frozen=True)
class Encoded:
    """A split as token ids. `rows` has columns input_ids, (token_type_ids,) attention_mask, labels; `labels` is (N,)."""

    rows: Dataset
    labels: np.ndarray
    cut: int  # how many texts were longer than the limit

    def __len__(self) -> int:
        return len(self.rows)

    def inputs(self) -> list[dict[str, list[int]]]:
        """Each text's ids without padding, as a program takes them."""
        names = [n for n in ("input_ids", "token_type_ids") if n in self.rows.column_names]
        columns = {n: list(self.rows[n]) for n in names}
        return [{n: columns[n][i] for n in names} for i in range(len(self))]


def encode(examples: Sequence[Example], task: Task, tokenizer: PreTrainedTokenizerBase, max_tokens: int) -> Encoded:
    """Tokenize a split; texts longer than `max_tokens` are cut (pairs: the longer text first)."""
    second = [e.text_b for e in examples] if task.pair else None
    batch = tokenizer(
        [e.text_a for e in examples], second, truncation="longest_first", max_length=max_tokens, padding=False
    )
    full = tokenizer([e.text_a for e in examples], second, truncation=False, padding=False, verbose=False)["input_ids"]
    labels = np.asarray([e.label for e in examples], dtype=np.float32 if task.regression else np.int64)
    rows = Dataset.from_dict({**batch.data, "labels": labels})
    return Encoded(rows=rows, labels=labels, cut=sum(len(ids) > max_tokens for ids in full))
