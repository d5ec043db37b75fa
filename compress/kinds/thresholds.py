"""From which probability on a text has a label: chosen once for a model, on its dev texts."""

import numpy as np

SAME = 0.01  # closer logits count as equal: another batch or kernel may swap them
FEWEST = 10  # dev texts that have a label: with fewer its best threshold is chance


def best_threshold(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """The threshold with the largest F1 of `probabilities` (N,) ≥ threshold against `truth` (N,) of 0 and 1.

    F1 changes only where a threshold passes a text, so the middle between any two is tried (Lipton et al. 2014),
    unless their logits are closer than 0.01. Of equals it is the highest; it is 0.5 where no text has the label.
    """
    if not truth.any():
        return 0.5
    order = np.argsort(-probabilities, kind="stable")
    ranked, chosen = probabilities[order], np.arange(1, len(order) + 1)
    f1 = 2 * np.cumsum(truth[order]) / (chosen + truth.sum())
    following = np.append(ranked[1:], 0.0)
    same = ranked - following <= SAME * ranked * (1 - ranked)  # dp = p · (1 − p) · dlogit
    f1[:-1][same[:-1]] = -1.0
    best = int(np.argmax(f1))
    middle = (ranked[best] + following[best]) / 2
    return float(middle if middle > following[best] else ranked[best])


def label_thresholds(probabilities: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """The threshold of each label (L,), from the probabilities and the truth, both (N, L).

    A label of fewer than 10 texts has the common one, which has the largest F1 over all labels together.
    """
    common = best_threshold(probabilities.ravel(), truth.ravel())
    return np.array(
        [
            best_threshold(probabilities[:, label], truth[:, label]) if count >= FEWEST else common
            for label, count in enumerate(truth.sum(axis=0))
        ]
    )
