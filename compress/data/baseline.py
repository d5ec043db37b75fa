"""A bag of words: how well a task is solved by its words alone. Every model is reported beside it."""

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline

from compress.data.task import Example, Task


def bag_of_words(task: Task) -> dict[str, np.ndarray]:
    """Dev and test predictions (N,) of a linear model on TF-IDF of words and word pairs; ridge for scores."""
    model = _model(task)
    model.fit(task.train, [e.label for e in task.train])
    return {split: np.asarray(model.predict(task.split(split))) for split in ("dev", "test")}


def label_probabilities(task: Task) -> dict[str, np.ndarray]:
    """Dev and test probabilities (N, L) of one such model a label.

    A label that all training texts have, or none, has that share everywhere; so has every label without any words.
    """
    truth = np.array([e.label_set for e in task.train])
    found = {split: np.tile(truth.mean(axis=0), (len(task.split(split)), 1)) for split in ("dev", "test")}
    views = _views(task)
    if not views:
        return found
    words = FeatureUnion(views)
    train = words.fit_transform(task.train)
    texts = {split: words.transform(task.split(split)) for split in found}
    for label in np.flatnonzero(np.ptp(truth, axis=0)):
        model = LogisticRegression(C=10.0, max_iter=1000, solver="liblinear").fit(train, truth[:, label])
        for split, matrix in texts.items():
            found[split][:, label] = model.predict_proba(matrix)[:, 1]
    return found


def _model(task: Task) -> Pipeline | DummyClassifier | DummyRegressor:
    """The model; where no training text has a word, the most frequent label, or the mean of the scores."""
    views = _views(task)
    if not views:
        return DummyRegressor() if task.regression else DummyClassifier()
    head = Ridge() if task.regression else LogisticRegression(C=10.0, max_iter=1000)
    return make_pipeline(FeatureUnion(views), head)


def _views(task: Task) -> list[tuple[str, TfidfVectorizer]]:
    """TF-IDF of what the texts hold; empty where no training text has a word."""

    def words(part: str) -> TfidfVectorizer:
        return TfidfVectorizer(
            ngram_range=(1, 2), sublinear_tf=True, preprocessor=lambda e: (getattr(e, part) or "").lower()
        )

    views = [("a", words("text_a"))]
    if task.pair:  # each text's words, and those that both share
        views += [("b", words("text_b")), ("both", TfidfVectorizer(preprocessor=_shared_words))]
    return [(name, words) for name, words in views if any(map(words.build_analyzer(), task.train))]


def _shared_words(example: Example) -> str:
    a, b = example.text_a.lower().split(), set((example.text_b or "").lower().split())
    return " ".join(w for w in a if w in b) + f" overlap{round(5 * sum(w in b for w in a) / max(1, len(a)))}"
