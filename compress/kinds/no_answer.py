"""Questions of which some have no answer in their passage (SQuAD v2.0, Rajpurkar, Jia and Liang 2018).

Training points at [CLS] where there is no answer, as in a window without it. A question is left without an answer where
[CLS] is ahead of the best span by more than a threshold, which dev chooses (Devlin et al. 2019, section 4.3).
"""

from collections.abc import Mapping, Sequence

import numpy as np

from compress.data.task import Example, Task
from compress.kinds.questions import Questions, best_of_windows, closest, normalized, scores
from compress.kinds.task_type import Encoded

_COLUMNS = ("exact_match", "answer_f1")  # of the metric inputs
_APART = 1e-4  # logits nearer than this may be equal: a program rounds otherwise than the model
_AHEAD = 2  # the column of a prediction that says how far [CLS] is ahead


def scores_or_none(answer: str, truths: Sequence[str]) -> tuple[float, float]:
    """(exact match, F1 of the words) as SQuAD v2.0 has them: without truths, an answer without words is right."""
    known = [truth for truth in truths if normalized(truth)]
    if known and normalized(answer):
        return scores(answer, known)
    right = float(not known and not normalized(answer))
    return right, right


def best_threshold(ahead: np.ndarray, answered: np.ndarray, left: np.ndarray) -> float:
    """The threshold with the largest sum of scores, where a question is left without an answer if `ahead` is over it.

    `answered` and `left` (N,) are a question's scores with its best span and without an answer. The threshold stands
    midway between two neighboring values of `ahead` (N,), which rounding can't swap; of equally good ones it is the
    nearest to 0.
    """
    order = np.argsort(ahead, kind="stable")
    order = order[np.isfinite(ahead[order])]
    if not len(order):
        return 0.0
    sorted_ahead = ahead[order].astype(np.float64)
    totals = np.concatenate([[0.0], np.cumsum(answered[order] - left[order])])  # of answering the first k
    between = (sorted_ahead[:-1] + sorted_ahead[1:]) / 2
    cuts = np.array([min(0.0, sorted_ahead[0] - 1), *between, max(0.0, sorted_ahead[-1] + 1)])
    possible = np.concatenate([[True], np.diff(sorted_ahead) > _APART, [True]])
    best = possible & (totals >= totals[possible].max() - 1e-9)
    return float(min(cuts[best], key=abs))


def _share(right: np.ndarray, of: np.ndarray) -> float:
    """The share that is right; NaN, which is not reported, of no questions."""
    return float(right[of].mean()) if of.any() else float("nan")


def _answerable(labels: np.ndarray) -> np.ndarray:
    return np.array([bool(truths) for _, truths in labels])


class QuestionsOrNone(Questions):
    """Predictions (3,): the answer's first character, the one after it, and how far [CLS] is ahead of it.

    There is no answer where the third number is over 0. Metric inputs: (N, 2) exact match and F1.
    """

    also = {  # noqa: RUF012
        **Questions.metrics,
        "answerable_exact_match": lambda rows, labels: _share(rows[:, 0], _answerable(labels)),
        "unanswerable_accuracy": lambda rows, labels: _share(rows[:, 0], ~_answerable(labels)),
    }
    baseline = "the sentence that shares most words with the question, or no answer where few are shared"

    def merged(self, logits: Sequence[np.ndarray], split: Encoded, rows: Sequence[int]) -> np.ndarray:
        """The best span of all windows; [CLS] counts with its lowest sum of logits in any window."""
        best, (start, end) = best_of_windows(logits, split, rows)
        none = min(of_row[0, 0] + of_row[0, 1] for of_row in logits)
        return np.array([start, end, none - best], dtype=np.float64)

    def threshold(self, predictions: np.ndarray, dev: Encoded) -> np.ndarray | None:
        """(1,) the threshold that is best for the task's metric on dev."""
        column = _COLUMNS.index(dev.task.metric)
        answered, left = (
            self.metric_inputs(_with_ahead(predictions, ahead), dev)[:, column] for ahead in (-np.inf, np.inf)
        )
        return np.array([best_threshold(predictions[:, _AHEAD], answered, left)])

    def decided(self, predictions: np.ndarray, threshold: np.ndarray | None) -> np.ndarray:
        return predictions if threshold is None else _with_ahead(predictions, predictions[:, _AHEAD] - threshold)

    def metric_inputs(self, predictions: np.ndarray, split: Encoded) -> np.ndarray:
        found = []
        for (start, end, ahead), (passage, truths) in zip(predictions, split.labels, strict=True):
            answer = "" if ahead > 0 else passage[int(start) : int(end)]
            found.append(scores_or_none(answer, truths))
        return np.array(found)

    def agree(self, first: np.ndarray, second: np.ndarray, task: Task) -> np.ndarray:
        without = first[:, _AHEAD] > 0, second[:, _AHEAD] > 0
        same_span = super().agree(first[:, :_AHEAD], second[:, :_AHEAD], task)
        same: np.ndarray = np.where(without[0] | without[1], without[0] & without[1], same_span)
        return same

    def baseline_metric_inputs(self, task: Task, splits: Mapping[str, Encoded]) -> dict[str, np.ndarray]:
        """A question is left without an answer where the sentence has fewer of its words than dev makes best."""
        found = {split: np.array([_closest(e) for e in task.split(split)]) for split in ("dev", "test")}
        threshold = self.threshold(found["dev"], splits["dev"])
        return {s: self.metric_inputs(self.decided(rows, threshold), splits[s]) for s, rows in found.items()}

    def label(self, example: Example, task: Task) -> str | None:
        return "answer" if example.answers else "no answer"


def _with_ahead(predictions: np.ndarray, ahead: np.ndarray | float) -> np.ndarray:
    changed = predictions.copy()
    changed[:, _AHEAD] = ahead
    return changed


def _closest(example: Example) -> tuple[int, int, float]:
    """The baseline's prediction; how far no answer is ahead is minus the share of the question's words."""
    shared, sentence = closest(example)
    start = example.second.index(sentence)
    return start, start + len(sentence), -shared / max(1, len(set(normalized(example.text_a))))
