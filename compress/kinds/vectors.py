"""A vector for each text: what all tasks of this kind share, from token ids to losses. How they are scored is in
`vector_scores`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from datasets import Dataset
from torch import Tensor
from transformers import DataCollatorWithPadding, PreTrainedModel, PreTrainedTokenizerBase

from compress.data.task import Example, Task
from compress.kinds.long_texts import Strategy, read
from compress.kinds.task_type import INPUTS, Collator, Encoded, TaskType

NEAREST = 10  # texts whose place among the nearest is counted
SAME = 0.98  # cosine of two vectors of a text that are taken for the same
_SCALE = 20.0  # similarities are multiplied by it: a temperature of 0.05 (Gao et al. 2021; sentence-transformers)
_PASSAGE, _NEGATIVES, _OTHER = "passage_ids", "negative_ids", -1
Read = tuple[dict[str, list[list[int]]], tuple[int, ...]]


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors (..., D) of length 1, in the same directions."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


def nearest(vectors: np.ndarray, count: int = NEAREST, *, similar: bool = False) -> np.ndarray:
    """(N, K) the nearest others of each vector (N, D) by cosine, K = `count` or all others.

    With `similar`, `vectors` are the similarities (N, N).
    """
    similarities = vectors if similar else unit(vectors) @ unit(vectors).T
    similarities = similarities.copy()
    np.fill_diagonal(similarities, -np.inf)
    return np.argsort(-similarities, axis=1, kind="stable")[:, : min(count, len(vectors) - 1)]


class Vectors(TaskType):
    """Predictions are vectors: (D,) of a text, (2, D) of a pair.

    A training row is a text, or a pair with its passages. Rows of texts have no labels: students learn their teacher's
    vectors.
    """

    vectors = True

    def encode(
        self,
        examples: Sequence[Example],
        task: Task,
        tokenizer: PreTrainedTokenizerBase,
        max_tokens: int,
        long: Strategy = "cut",
    ) -> Encoded:
        if examples is task.train:
            return _training_rows(examples, task, tokenizer, max_tokens)
        return self.evaluation_rows(examples, task, tokenizer, max_tokens)

    def evaluation_rows(
        self, examples: Sequence[Example], task: Task, tokenizer: PreTrainedTokenizerBase, max_tokens: int
    ) -> Encoded:
        """The rows of dev or test; here of one text an example."""
        rows, long = tokenized([e.text_a for e in examples], tokenizer, max_tokens)
        return Encoded(Dataset.from_dict(rows), np.zeros(len(examples)), task, long=long)

    def prediction(self, logits: np.ndarray, split: Encoded, index: int) -> np.ndarray:
        return logits

    def agree(self, first: np.ndarray, second: np.ndarray, task: Task) -> np.ndarray:
        cosines = (unit(first) * unit(second)).sum(axis=-1)
        return cosines.reshape(len(cosines), -1).min(axis=1) >= SAME

    def top(self, predictions: np.ndarray, split: Encoded) -> np.ndarray:
        """(N, 10): the nearest other texts of each text of a split, as indices; all texts where there are fewer."""
        vectors = predictions.reshape(-1, predictions.shape[-1])
        return nearest(vectors)

    def indexed(
        self, predictions: np.ndarray, split: Encoded, change: Callable[[np.ndarray], np.ndarray]
    ) -> np.ndarray:
        """Predictions whose stored vectors are changed by `change`: here all of them."""
        return change(predictions)

    def pad(self, tokenizer: PreTrainedTokenizerBase) -> Collator:
        """Rows → a batch: of pairs the queries, then their passages, then negatives."""
        pad = DataCollatorWithPadding(tokenizer)

        def collate(rows: list[dict[str, Any]]) -> Mapping[str, Tensor]:
            if _PASSAGE not in rows[0]:
                return pad(rows)
            texts = [row["input_ids"] for row in rows] + [row[_PASSAGE] for row in rows]
            texts += [ids for row in rows for ids in row[_NEGATIVES]]
            batch = pad([_inputs_of(ids, "token_type_ids" in rows[0]) for ids in texts])
            return {**batch, "labels": torch.tensor([row["labels"] for row in rows])}

        return collate

    def loss(self, model: PreTrainedModel, inputs: Mapping[str, Tensor]) -> Tensor:
        """Of texts: how far their vectors are from the labels (B, D), or, without labels, from other texts' vectors.

        Of pairs: InfoNCE over the batch's passages, or CoSENT for scores.
        """
        given = {name: value for name, value in inputs.items() if name in INPUTS}
        labels = inputs.get("labels")
        if labels is None:  # the text is its own pair: dropout makes the two vectors differ (SimCSE, Gao et al. 2021)
            first, second = (model(**given)["logits"].float() for _ in range(2))
            return contrastive(first, second, torch.arange(len(first), device=first.device))
        vectors = model(**given)["logits"].float()
        if labels.dim() == 2:
            return (1 - F.cosine_similarity(vectors, F.normalize(labels, dim=-1)) * labels.norm(dim=-1)).mean()
        queries, passages = vectors[: len(labels)], vectors[len(labels) :]
        return (
            cosent(queries, passages, labels)
            if labels.is_floating_point()
            else (contrastive(queries, passages, labels))
        )


def contrastive(queries: Tensor, passages: Tensor, groups: Tensor) -> Tensor:
    """−log softmax of each query's similarity to its own passage among all (InfoNCE, van den Oord et al. 2018).

    `queries` (B, D); `passages` (B + N, D): each query's own one, in order, then negatives; `groups` (B,): equal for
    equal passages, which are then no negatives of each other.
    """
    scores = _SCALE * F.normalize(queries, dim=-1) @ F.normalize(passages, dim=-1).T
    count = len(queries)
    same = (groups[:, None] == groups[None, :]) & ~torch.eye(count, dtype=torch.bool, device=groups.device)
    scores = scores.masked_fill(F.pad(same, (0, len(passages) - count)), -1e4)
    return F.cross_entropy(scores, torch.arange(count, device=scores.device))


def cosent(first: Tensor, second: Tensor, scores: Tensor) -> Tensor:
    """log(1 + Σ exp(20 (cosᵢ − cosⱼ))) over pairs of pairs with scoreᵢ < scoreⱼ: only the order counts (Su 2022)."""
    cosines = _SCALE * F.cosine_similarity(first, second)
    differences = cosines[:, None] - cosines[None, :]
    wrong = differences.masked_fill(scores[:, None] >= scores[None, :], -1e4)
    return torch.logsumexp(F.pad(wrong.flatten(), (1, 0)), dim=0)


def tokenized(texts: Sequence[str], tokenizer: PreTrainedTokenizerBase, max_tokens: int) -> Read:
    """The inputs of each text by name, cut at `max_tokens`, and which texts are longer."""
    found = read((list(texts), None), tokenizer, max_tokens, "cut")
    return found.inputs, found.long


def _training_rows(
    examples: Sequence[Example], task: Task, tokenizer: PreTrainedTokenizerBase, max_tokens: int
) -> Encoded:
    rows, long = tokenized([e.text_a for e in examples], tokenizer, max_tokens)
    labels = np.zeros(len(examples))
    if any(e.text_b is None for e in examples):
        return Encoded(Dataset.from_dict(rows), labels, task, long=long)
    second, _ = tokenized([e.second for e in examples], tokenizer, max_tokens)
    others = iter(tokenized([t for e in examples for t in e.negatives] or [""], tokenizer, max_tokens)[0]["input_ids"])
    negatives = [[next(others) for _ in e.negatives] for e in examples]
    if examples[0].label is None:
        place = {text: i for i, text in enumerate(dict.fromkeys(e.second for e in examples))}
        labels = np.array([place[e.second] for e in examples])
    else:
        labels = np.array([e.label for e in examples], dtype=np.float32)
    pairs = {_PASSAGE: second["input_ids"], _NEGATIVES: negatives, "labels": labels}
    return Encoded(Dataset.from_dict({**rows, **pairs}), labels, task, long=long)


def _inputs_of(ids: list[int], segments: bool) -> dict[str, list[int]]:
    more = {"token_type_ids": [0] * len(ids)} if segments else {}
    return {"input_ids": ids, "attention_mask": [1] * len(ids), **more}
