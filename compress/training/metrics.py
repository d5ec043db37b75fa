"""Metrics by name, each `metric(predictions, labels) -> float`, higher is better.

Predictions are class indices (N,), or numbers (N,) in a regression.
"""

import warnings
from collections.abc import Callable

import numpy as np
from scipy import stats
from sklearn.metrics import f1_score, matthews_corrcoef

Metric = Callable[[np.ndarray, np.ndarray], float]


def pearson_spearman(predictions: np.ndarray, labels: np.ndarray) -> float:
    """Mean of Pearson's and Spearman's correlation (GLUE's STS-B score); 0 where one side is constant."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.ConstantInputWarning)
        both = (stats.pearsonr(predictions, labels).statistic, stats.spearmanr(predictions, labels).statistic)
    return float(np.nan_to_num(np.mean(both)))


METRICS: dict[str, Metric] = {
    "accuracy": lambda p, y: float(np.mean(p == y)),  # fifty times as fast as accuracy_score, which checks its input
    "f1": lambda p, y: float(f1_score(y, p, pos_label=1)),
    "matthews": lambda p, y: float(matthews_corrcoef(y, p)),
    "pearson_spearman": pearson_spearman,
}


def answers(logits: np.ndarray) -> np.ndarray:
    """Logits (N, L) to predictions (N,): the largest class, or the number itself where L is 1."""
    return logits[:, 0] if logits.shape[1] == 1 else logits.argmax(axis=1)
