"""Several labels a text, or none: each label is a question of its own, with a threshold of its own.

A text over the limit that is read in windows has the mean of its windows' logits. Each window is trained on its text's
labels, so each is an estimate for the whole text; the largest one would grow with the number of windows, and no
threshold would fit short and long texts alike.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from datasets import Dataset
from scipy.special import expit
from sklearn.metrics import average_precision_score
from transformers import PreTrainedTokenizerBase

from compress.data.baseline import label_probabilities
from compress.data.task import Example, Task
from compress.kinds.long_texts import Strategy, read
from compress.kinds.task_type import Encoded, TaskType
from compress.kinds.thresholds import label_thresholds


def micro_f1(margins: np.ndarray, truth: np.ndarray) -> float:
    """F1 over all decisions together, 2·right ÷ (chosen + true), both (N, L); 0 where nothing is chosen or true."""
    right, counted = _counts(margins, truth)
    return float(2 * right.sum() / counted.sum()) if counted.any() else 0.0


def macro_f1(margins: np.ndarray, truth: np.ndarray) -> float:
    """The mean of the labels' F1, over the labels that occur in decisions or truth, both (N, L)."""
    right, counted = _counts(margins, truth)
    occurring = counted > 0
    return float(np.mean(2 * right[occurring] / counted[occurring])) if occurring.any() else 0.0


def mean_average_precision(margins: np.ndarray, truth: np.ndarray) -> float:
    """The mean over the labels that occur of their average precision Σ (Rₙ − Rₙ₋₁)·Pₙ; needs no threshold."""
    occurring = truth.any(axis=0)
    if not occurring.any():
        return 0.0
    return float(average_precision_score(truth[:, occurring], margins[:, occurring], average="macro"))


def exact_match(margins: np.ndarray, truth: np.ndarray) -> float:
    """The share of texts of which every label is right, (N, L)."""
    return float(((margins >= 0) == (truth > 0)).all(axis=1).mean())


def f1_by_label(margins: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """The F1 of each label (L,), from both (N, L); not a number for a label that is neither decided nor true."""
    right, counted = _counts(margins, truth)
    with np.errstate(invalid="ignore"):
        return 2 * right / counted


class Labels(TaskType):
    """Predictions are the logits (L,), each of a probability of its own.

    `decided` makes margins (N, L) of them: how far each probability is above its label's threshold. Their signs are the
    decisions, and their order within a label is that of the logits. Metric inputs are the margins.
    """

    metrics = {  # noqa: RUF012
        "micro_f1": micro_f1,
        "macro_f1": macro_f1,
        "mean_average_precision": mean_average_precision,
        "exact_match": exact_match,
    }
    also = metrics
    baseline = "bag of words, a model for each label"
    independent = True

    def encode(
        self,
        examples: Sequence[Example],
        task: Task,
        tokenizer: PreTrainedTokenizerBase,
        max_tokens: int,
        long: Strategy = "cut",
    ) -> Encoded:
        read_rows = read(([e.text_a for e in examples], None), tokenizer, max_tokens, long)
        labels = np.zeros((len(examples), len(task.labels)), dtype=np.float32)
        for i, example in enumerate(examples):
            if isinstance(example.label, tuple):  # unlabeled texts have none
                labels[i] = example.label_set
        rows = Dataset.from_dict({**read_rows.inputs, "labels": labels[read_rows.text_of]})
        return Encoded(rows, labels, task, text_of=read_rows.text_of, long=read_rows.long)

    def prediction(self, logits: np.ndarray, split: Encoded, index: int) -> np.ndarray:
        return logits

    def threshold(self, predictions: np.ndarray, dev: Encoded) -> np.ndarray:
        """The probability (L,) from which on a text has each label."""
        return label_thresholds(expit(predictions.astype(np.float64)), dev.labels)

    def decided(self, predictions: np.ndarray, threshold: np.ndarray | None) -> np.ndarray:
        return expit(predictions.astype(np.float64)) - (0.5 if threshold is None else threshold)

    def metric_inputs(self, predictions: np.ndarray, split: Encoded) -> np.ndarray:
        return predictions

    def agree(self, first: np.ndarray, second: np.ndarray, task: Task) -> np.ndarray:
        """Whether every label is decided alike, each model with its own thresholds."""
        return ((first >= 0) == (second >= 0)).all(axis=1)

    def pseudo_labels(self, predictions: np.ndarray) -> list[tuple[float, ...]]:
        """The teacher's probabilities, as the binary cross entropy takes any: no threshold is needed.

        Decisions by 50 % leave out rare labels, and thresholds that raise F1 repeat them too often.
        """
        return [tuple(row) for row in expit(predictions.astype(np.float64)).tolist()]

    def baseline_metric_inputs(self, task: Task, splits: Mapping[str, Encoded]) -> dict[str, np.ndarray]:
        found = label_probabilities(task)
        thresholds = label_thresholds(found["dev"], splits["dev"].labels)
        return {split: probabilities - thresholds for split, probabilities in found.items()}

    def label(self, example: Example, task: Task) -> str | None:
        """The first of its labels."""
        return next((name for name, has in zip(task.labels, example.label_set, strict=True) if has), None)


def _counts(margins: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each label (L,): right decisions for it; decisions for it and texts that have it, together."""
    chosen, true = margins >= 0, truth > 0
    return (chosen & true).sum(axis=0), chosen.sum(axis=0) + true.sum(axis=0)
