"""What text vectors are measured by besides their metric: neighbors kept, every search number, smaller indexes."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from compress.evaluation.statistics import Estimate, bootstrap, paired_bootstrap
from compress.kinds.encode import Texts
from compress.kinds.vector_scores import bag_of_words, neighbors_kept, word_search
from compress.kinds.vector_storage import STORAGES, bytes_of, stored
from compress.kinds.vectors import Vectors
from compress.models.pooling import prefixes_of
from compress.pipeline.run import Run
from compress.pipeline.stages.scoring import value_and_interval

MANY = 10_000  # vectors whose bytes are reported


def measured(run: Run, texts: Mapping[str, Texts], predictions: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """report.json's "vectors": of each program on test, and of the ticket's index in smaller forms.

    `texts` and `predictions` (N, ..., D) are each program's own, by name.
    """
    kind = run.texts.task_type
    assert isinstance(kind, Vectors)
    of = {name: texts[name].splits["test"] for name in predictions}
    near = {name: kind.top(values, of[name]) for name, values in predictions.items()}
    rows = {name: kind.metric_inputs(values, of[name]) for name, values in predictions.items()}
    labels, metric = run.labels["test"], run.task.metric
    programs = {
        name: {
            "size": predictions[name].shape[-1],
            "neighbors_kept": _of(neighbors_kept(near[name], near["dense"])),
            "metrics": {
                each: {"test": float(score(rows[name], labels)), **_drop(rows["dense"], rows[name], labels, score)}
                for each, score in kind.metrics.items()
            },
        }
        for name in predictions
    }
    return {"programs": programs, "index": _index(run, kind, of["ticket"], predictions["ticket"], rows["dense"])} | (
        {"bag_of_words": float(kind.metrics[metric](word_search(run.task, bag_of_words)["test"], labels))}
        if run.task.corpus
        else {}
    )


def _index(run: Run, kind: Vectors, test: Any, vectors: np.ndarray, dense: np.ndarray) -> list[dict[str, Any]]:
    """A row for each length and storage of the ticket's vectors: bytes of many, the metric, the drop against dense."""
    score, labels = kind.metrics[run.task.metric], run.labels["test"]
    full = vectors.shape[-1]
    lengths = prefixes_of(full) if run.recipe.embedding.size else (full,)
    reference, found = kind.top(vectors, test), []
    for length in lengths:
        for storage in STORAGES:
            kept = kind.indexed(vectors[..., :length], test, partial(stored, storage=storage))
            rows = kind.metric_inputs(kept, test)
            found.append(
                {
                    "size": length,
                    "storage": storage,
                    "bytes": MANY * bytes_of(length, storage),
                    "vectors": MANY,
                    "test": float(score(rows, labels)),
                    "neighbors_kept": _of(neighbors_kept(kind.top(kept, test), reference))["value"],
                    **_drop(dense, rows, labels, score),
                }
            )
    return found


def _drop(dense: np.ndarray, other: np.ndarray, labels: np.ndarray, score: Any) -> dict[str, Any]:
    """Points lost against the dense program on the same texts, with the paired interval."""

    def estimate() -> Estimate:
        return paired_bootstrap(dense, other, labels, score, resamples=1000).scaled(100)

    drop, interval = value_and_interval(estimate, lambda: 100 * (score(dense, labels) - score(other, labels)))
    return {"drop_points": drop, "ci95": interval}


def _of(shares: np.ndarray) -> dict[str, Any]:
    """The mean of shares (N,) with its interval."""
    value, interval = value_and_interval(
        partial(bootstrap, shares, shares, lambda rows, _: float(rows.mean()), resamples=1000),
        lambda: float(shares.mean()),
    )
    return {"value": value, "ci95": interval}
