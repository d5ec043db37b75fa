"""Extractive question answering: the answer is a piece of the passage (SQuAD v1.1, Rajpurkar et al. 2016).

The question is the first text and the passage the second; a passage that is longer than the limit is read in windows,
or cut, as the app does it, so what is reported is what a phone answers.
"""

import re
import string
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from datasets import Dataset
from torch import Tensor
from transformers import PreTrainedTokenizerBase
from transformers.utils.generic import ModelOutput

from compress.data.task import Answer, Example, Task
from compress.kinds.long_texts import Strategy, read
from compress.kinds.task_type import Encoded, TaskType

LONGEST_ANSWER = 30  # tokens, as the app has it and BERT's own script (Devlin et al. 2019)
_ARTICLES = re.compile(r"\b(a|an|the)\b")
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalized(answer: str) -> list[str]:
    """An answer's words without case, punctuation and articles: SQuAD's official normalization."""
    return _ARTICLES.sub(" ", answer.lower().translate(_NO_PUNCTUATION)).split()


def scores(answer: str, truths: Sequence[str]) -> tuple[float, float]:
    """(exact match, F1 of the words) against the best matching truth, as SQuAD v1.1 has them."""
    words = normalized(answer)
    exact = float(any(words == normalized(truth) for truth in truths))
    return exact, max(_word_f1(words, normalized(truth)) for truth in truths)


def _word_f1(answer: list[str], true: list[str]) -> float:
    shared = (Counter(answer) & Counter(true)).total()
    return 2 * shared / (len(answer) + len(true)) if shared else 0.0


def best_span(starts: np.ndarray, ends: np.ndarray) -> tuple[int, int]:
    """The start and the end, at most 30 tokens on, with the largest sum of logits, both (T,); the first of equals.

    Devlin et al. 2019, section 4.2.
    """
    length = len(starts)
    padded = np.concatenate([ends, np.full(LONGEST_ANSWER - 1, -np.inf, ends.dtype)])
    sums = starts[:, None] + np.lib.stride_tricks.sliding_window_view(padded, LONGEST_ANSWER)[:length]
    start, further = divmod(int(sums.argmax()), LONGEST_ANSWER)
    return start, start + further


def best_of_windows(
    logits: Sequence[np.ndarray], split: Encoded, rows: Sequence[int]
) -> tuple[np.floating, np.ndarray]:
    """The largest sum of logits of a span in any window, and its characters (2,); the first window's of equals.

    −∞ and no characters where no window has a token of the passage.
    """
    best, span = np.float32(-np.inf), np.zeros(2, dtype=np.int64)
    for of_row, row in zip(logits, rows, strict=True):
        offsets = split.places[row]
        inside = np.flatnonzero(offsets[:, 0] >= 0)
        if not len(inside):
            continue
        start, end = (inside[i] for i in best_span(of_row[inside, 0], of_row[inside, 1]))
        if (total := of_row[start, 0] + of_row[end, 1]) > best:
            best, span = total, np.array([offsets[start, 0], offsets[end, 1]])
    return best, span


class Questions(TaskType):
    """Predictions: the answer's first character in the passage and the one after it (2,).

    Metric inputs: (N, 2) exact match and F1.
    """

    metrics = {  # noqa: RUF012
        "answer_f1": lambda rows, _: float(rows[:, 1].mean()),
        "exact_match": lambda rows, _: float(rows[:, 0].mean()),
    }
    also = metrics
    baseline = "the sentence that shares most words with the question"
    batch = 16

    def encode(
        self,
        examples: Sequence[Example],
        task: Task,
        tokenizer: PreTrainedTokenizerBase,
        max_tokens: int,
        long: Strategy = "cut",
    ) -> Encoded:
        texts = [e.text_a for e in examples], [e.second for e in examples]
        read_rows = read(texts, tokenizer, max_tokens, long)
        labels = np.empty(len(examples), dtype=object)
        places, spans = [], []
        full: list[np.ndarray] = []
        for i, example in enumerate(examples):
            labels[i] = (example.text_b, tuple(answer.text for answer in example.answers))
            inside = np.array([part == 1 for part in read_rows.full.sequence_ids(i)])
            full.append(np.where(inside[:, None], np.array(read_rows.full["offset_mapping"][i]), -1))
        for i, positions in zip(read_rows.text_of, read_rows.positions, strict=True):
            places.append(full[i][positions])
            answers = examples[i].answers
            spans.append(_in_window(_tokens_of(answers[0], full[i]), positions) if answers else (0, 0))
        starts, ends = zip(*spans, strict=True)
        rows = Dataset.from_dict({**read_rows.inputs, "start_positions": starts, "end_positions": ends})
        return Encoded(rows, labels, task, places, read_rows.text_of, read_rows.long)

    def logits(self, outputs: ModelOutput) -> Tensor:
        return torch.stack([outputs["start_logits"], outputs["end_logits"]], dim=-1)

    def program_logits(self, outputs: Sequence[np.ndarray]) -> np.ndarray:
        return np.stack([output[0] for output in outputs], axis=-1)

    def distributions(self, logits: Tensor, mask: Tensor) -> Tensor:
        """Two distributions over a text's tokens; padding has no share in them."""
        return logits.masked_fill(~mask.bool()[..., None], -1e4).transpose(1, 2).flatten(0, 1)

    def prediction(self, logits: np.ndarray, split: Encoded, index: int) -> np.ndarray:
        return self.merged([logits], split, [index])

    def merged(self, logits: Sequence[np.ndarray], split: Encoded, rows: Sequence[int]) -> np.ndarray:
        return best_of_windows(logits, split, rows)[1]

    def metric_inputs(self, predictions: np.ndarray, split: Encoded) -> np.ndarray:
        pairs = zip(predictions, split.labels, strict=True)
        return np.array([scores(passage[start:end], truths) for (start, end), (passage, truths) in pairs])

    def agree(self, first: np.ndarray, second: np.ndarray, task: Task) -> np.ndarray:
        return (first == second).all(axis=1)

    def baseline_metric_inputs(self, task: Task, splits: Mapping[str, Encoded]) -> dict[str, np.ndarray]:
        return {
            split: np.array([scores(closest(e)[1], [answer.text for answer in e.answers]) for e in task.split(split)])
            for split in ("dev", "test")
        }


def _tokens_of(answer: Answer, places: np.ndarray) -> tuple[int, int]:
    """First and last token of an answer; [CLS], which is never an answer, where it was cut off."""
    behind = answer.start + len(answer.text)
    touched = np.flatnonzero((places[:, 0] < behind) & (places[:, 1] > answer.start) & (places[:, 0] >= 0))
    if not len(touched) or places[touched[-1], 1] < behind:
        return 0, 0
    return int(touched[0]), int(touched[-1])


def _in_window(span: tuple[int, int], positions: np.ndarray) -> tuple[int, int]:
    """Tokens of a text as tokens of one of its windows; [CLS] unless both are in it."""
    at = np.searchsorted(positions, span)
    if at.max() >= len(positions) or (positions[at] != span).any():
        return 0, 0
    return int(at[0]), int(at[1])


def closest(example: Example) -> tuple[int, str]:
    """How many of the question's words the passage's sentence with most of them has, and that sentence."""
    question = set(normalized(example.text_a))
    sentences = re.split(r"(?<=[.!?])\s+", example.text_b or "")
    return max(((len(question & set(normalized(s))), s) for s in sentences), key=lambda shared: shared[0])
