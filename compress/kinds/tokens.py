"""A label for each word (token classification): entities as B-x, I-x, I-x, and O for what is none.

A text is its words with blanks between. The tokenizer may cut a word further, at punctuation first and into pieces
then: the first piece of each part is labeled, a word's later parts as I-x, so that a program that has no words but
the tokenizer's gives whole entities too. A word's answer is that of its first piece.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, groupby

import numpy as np
from datasets import Dataset
from torch import Tensor
from transformers import DataCollatorForTokenClassification, PreTrainedTokenizerBase

from compress.data.task import OUTSIDE, Example, Task
from compress.kinds.long_texts import Strategy, read
from compress.kinds.task_type import Collator, Encoded, TaskType

_UNLABELED = -100  # what PyTorch's cross entropy leaves out
_NONE = -1  # after a text's last word
Span = tuple[int, int, str]


def entities(tags: Sequence[str]) -> Iterator[Span]:
    """(first word, word after the last, type) of each entity; a stray I-x begins one, as in CoNLL-2003's scorer."""
    start, kind = 0, OUTSIDE
    for i, tag in enumerate((*tags, OUTSIDE)):
        mark, _, now = tag.partition("-")
        if kind != OUTSIDE and not (mark == "I" and now == kind):
            yield start, i, kind
            kind = OUTSIDE
        if mark != OUTSIDE and kind == OUTSIDE:
            start, kind = i, now


def entity_f1(counts: np.ndarray, _: np.ndarray) -> float:
    """2·right ÷ (predicted + true) entities with the same words and type; `counts` (N, 3): right, predicted, true."""
    right, found, true = counts.sum(axis=0)
    return float(2 * right / (found + true)) if found + true else 0.0


class Tokens(TaskType):
    """Predictions: labels of words (W,), −1 after the last.

    Metric inputs: counts (N, 3) of right, predicted and true entities.
    """

    metrics = {"entity_f1": entity_f1}  # noqa: RUF012
    baseline = "each word's most frequent label"

    def encode(
        self,
        examples: Sequence[Example],
        task: Task,
        tokenizer: PreTrainedTokenizerBase,
        max_tokens: int,
        long: Strategy = "cut",
    ) -> Encoded:
        texts = [e.text_a for e in examples]
        read_rows = read((texts, None), tokenizer, max_tokens, long)
        labels = np.full((len(examples), max(len(e.word_labels) for e in examples)), _NONE)
        rows, places = [], []
        of_text = groupby(zip(read_rows.text_of, read_rows.positions, strict=True), key=lambda row: row[0])
        for i, (example, (_, found)) in enumerate(zip(examples, of_text, strict=True)):
            positions = [window for _, window in found]
            labels[i, : len(example.word_labels)] = example.word_labels
            full = read_rows.full
            row, first = _labeled(example, full["offset_mapping"][i], full.word_ids(i), task.labels)
            rows += [[row[p] for p in window] for window in positions]
            places += _in_windows(first, positions)
        encoded = Dataset.from_dict({**read_rows.inputs, "labels": rows})
        return Encoded(encoded, labels, task, places, read_rows.text_of, read_rows.long)

    def pad(self, tokenizer: PreTrainedTokenizerBase) -> Collator:
        return DataCollatorForTokenClassification(tokenizer)

    def distributions(self, logits: Tensor, mask: Tensor) -> Tensor:
        return logits[mask.bool()]

    def prediction(self, logits: np.ndarray, split: Encoded, index: int) -> np.ndarray:
        best, first = logits.argmax(axis=-1), split.places[index]
        predictions = np.full(split.labels.shape[1], _NONE)
        predictions[: len(first)] = np.where(first >= 0, best[first], split.task.labels.index(OUTSIDE))
        return predictions

    def merged(self, logits: Sequence[np.ndarray], split: Encoded, rows: Sequence[int]) -> np.ndarray:
        """Each word has the label of the window where its first piece has most context."""
        found = self.prediction(logits[0], split, rows[0])
        for of_row, row in zip(logits[1:], rows[1:], strict=True):
            here = np.flatnonzero(split.places[row] >= 0)
            found[here] = self.prediction(of_row, split, row)[here]
        return found

    def metric_inputs(self, predictions: np.ndarray, split: Encoded) -> np.ndarray:
        return self._counts(predictions, split)

    def agree(self, first: np.ndarray, second: np.ndarray, task: Task) -> np.ndarray:
        return (first == second).all(axis=1)

    def baseline_metric_inputs(self, task: Task, splits: Mapping[str, Encoded]) -> dict[str, np.ndarray]:
        seen: dict[str, Counter[int]] = defaultdict(Counter)
        for example in task.train:
            for word, label in zip(example.text_a.split(" "), example.word_labels, strict=True):
                seen[word.lower()][label] += 1
        outside, found = task.labels.index(OUTSIDE), {}
        for split in ("dev", "test"):
            predictions = np.full_like(splits[split].labels, _NONE)
            for i, example in enumerate(task.split(split)):
                words = [word.lower() for word in example.text_a.split(" ")]
                predictions[i, : len(words)] = [seen[w].most_common(1)[0][0] if w in seen else outside for w in words]
            found[split] = self._counts(predictions, splits[split])
        return found

    @staticmethod
    def _counts(predictions: np.ndarray, split: Encoded) -> np.ndarray:
        names, counts = split.task.labels, []
        for answer, truth in zip(predictions, split.labels, strict=True):
            words = truth != _NONE
            found, true = (set(entities([names[i] for i in row[words]])) for row in (answer, truth))
            counts.append((len(found & true), len(found), len(true)))
        return np.array(counts)


def _labeled(
    example: Example, offsets: Sequence[tuple[int, int]], parts: Sequence[int | None], names: tuple[str, ...]
) -> tuple[list[int], np.ndarray]:
    """(labels of a text's pieces (T,), first piece of each word (W,), −1 for a word that was cut off or has no piece).

    `offsets` are the pieces' places in the text, `parts` which of the tokenizer's own words each belongs to.
    """
    words = example.text_a.split(" ")
    ends = list(accumulate(len(word) + 1 for word in words))  # of each word with its blank
    row, first, word = [_UNLABELED] * len(offsets), np.full(len(words), _NONE), 0
    for piece, ((start, end), part) in enumerate(zip(offsets, parts, strict=True)):
        if part is None or start == end:
            continue
        while start >= ends[word]:
            word += 1
        if first[word] == _NONE:
            first[word], row[piece] = piece, example.word_labels[word]
        elif part != parts[piece - 1]:
            row[piece] = _inside(example.word_labels[word], names)
    return row, first


def _in_windows(first: np.ndarray, positions: Sequence[np.ndarray]) -> list[np.ndarray]:
    """`first` (W,), the place of each word's first piece in its text, as places in each window; each in one window.

    −1 for a word whose first piece has more context in another window, was cut off, or does not exist.
    """
    places = np.full((len(positions), len(first)), _NONE)
    for word in np.flatnonzero(first >= 0):
        at = [int(np.searchsorted(window, first[word])) for window in positions]
        able = [i for i, window in enumerate(positions) if at[i] < len(window) and window[at[i]] == first[word]]
        if able:
            best = max(able, key=lambda i: min(at[i], len(positions[i]) - 1 - at[i]))
            places[best, word] = at[best]
    return list(places)


def _inside(label: int, names: tuple[str, ...]) -> int:
    """The label of a word's later parts: B-x continues as I-x."""
    inside = names[label].replace("B-", "I-", 1)
    return names.index(inside) if inside in names else _UNLABELED
