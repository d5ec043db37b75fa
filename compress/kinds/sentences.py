"""One answer a text, or pair of texts: a class, or a number."""

import warnings
from collections.abc import Mapping, Sequence

import numpy as np
from datasets import Dataset
from scipy import stats
from sklearn.metrics import f1_score, matthews_corrcoef
from transformers import PreTrainedTokenizerBase

from compress.data.baseline import bag_of_words
from compress.data.task import Example, Task
from compress.kinds.long_texts import Strategy, read
from compress.kinds.task_type import Encoded, Metric, TaskType

_SAME_NUMBER = 0.01  # of the labels' range: two regressions closer than this give the same answer


def pearson_spearman(predictions: np.ndarray, labels: np.ndarray) -> float:
    """Mean of Pearson's and Spearman's correlation (GLUE's STS-B score); 0 where one side is constant."""
    if len(labels) < 2:
        return 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.ConstantInputWarning)
        both = (stats.pearsonr(predictions, labels).statistic, stats.spearmanr(predictions, labels).statistic)
    return float(np.nan_to_num(np.mean(both)))


def macro_f1(predictions: np.ndarray, labels: np.ndarray) -> float:
    """The mean of the classes' F1, over the classes that occur in predictions or labels (N,) of class indices."""
    classes = int(max(predictions.max(), labels.max())) + 1
    right = np.bincount(labels[predictions == labels], minlength=classes)
    counted = np.bincount(predictions, minlength=classes) + np.bincount(labels, minlength=classes)
    occurring = counted > 0
    return float(np.mean(2 * right[occurring] / counted[occurring]))


def mean_absolute_error(predictions: np.ndarray, labels: np.ndarray) -> float:
    """The mean distance between predictions and labels (N,), in the labels' unit; lower is better."""
    return float(np.mean(np.abs(predictions - labels)))


def answers(logits: np.ndarray) -> np.ndarray:
    """Logits (N, L) to predictions (N,): the largest class, or the number itself where L is 1."""
    return logits[:, 0] if logits.shape[1] == 1 else logits.argmax(axis=1)


class Sentences(TaskType):
    """Predictions are the logits (L,); metric inputs are class indices or numbers (N,), as the labels are."""

    metrics = {  # noqa: RUF012
        "accuracy": lambda p, y: float(np.mean(p == y)),  # accuracy_score's checks take fifty times as long
        "agreement": lambda p, y: float(np.mean(p == y)),  # where a model's own answers are the labels
        "f1": lambda p, y: float(f1_score(y, p, pos_label=1, zero_division=0.0)),
        "matthews": lambda p, y: float(matthews_corrcoef(y, p)),
        "macro_f1": macro_f1,
        "pearson_spearman": pearson_spearman,
    }
    baseline = "bag of words"

    def encode(
        self,
        examples: Sequence[Example],
        task: Task,
        tokenizer: PreTrainedTokenizerBase,
        max_tokens: int,
        long: Strategy = "cut",
    ) -> Encoded:
        texts = [e.text_a for e in examples], [e.second for e in examples] if task.pair else None
        read_rows = read(texts, tokenizer, max_tokens, long)
        labels = np.asarray([e.label for e in examples], dtype=np.float32 if task.regression else np.int64)
        rows = Dataset.from_dict({**read_rows.inputs, "labels": labels[read_rows.text_of]})
        return Encoded(rows, labels, task, text_of=read_rows.text_of, long=read_rows.long)

    def prediction(self, logits: np.ndarray, split: Encoded, index: int) -> np.ndarray:
        return logits

    def metric_inputs(self, predictions: np.ndarray, split: Encoded) -> np.ndarray:
        return answers(predictions)

    def agree(self, first: np.ndarray, second: np.ndarray, task: Task) -> np.ndarray:
        a, b = answers(first), answers(second)
        if task.regression:
            return np.abs(a - b) <= _SAME_NUMBER * np.ptp([e.label for e in task.train])
        return a == b

    def pseudo_labels(self, predictions: np.ndarray) -> list[int | float]:
        labels: list[int | float] = answers(predictions).tolist()
        return labels

    def baseline_metric_inputs(self, task: Task, splits: Mapping[str, Encoded]) -> dict[str, np.ndarray]:
        return bag_of_words(task)

    def further(self, task: Task) -> Mapping[str, Metric]:
        if task.regression:
            return {"mean_absolute_error": mean_absolute_error}
        if task.metric == "agreement":  # nothing is known of what is right
            return {}
        return {name: self.metrics[name] for name in ("accuracy", "macro_f1") if name != task.metric}

    def label(self, example: Example, task: Task) -> str | None:
        return str(example.label) if task.regression else task.labels[example.class_index]
