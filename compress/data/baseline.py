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


def _model(task: Task) -> Pipeline | DummyClassifier | DummyRegressor:
    """The model; where no training text has a word, the most frequent label, or the mean of the scores."""

    def words(part: str) -> TfidfVectorizer:
        return TfidfVectorizer(
            ngram_range=(1, 2), sublinear_tf=True, preprocessor=lambda e: (getattr(e, part) or "").lower()
        )

    views = [("a", words("text_a"))]
    if task.pair:  # each text's words, and those that both share
        views += [("b", words("text_b")), ("both", TfidfVectorizer(preprocessor=_shared_words))]
    views = [(name, words) for name, words in views if any(map(words.build_analyzer(), task.train))]
    if not views:
        return DummyRegressor() if task.regression else DummyClassifier()
    head = Ridge() if task.regression else LogisticRegression(C=10.0, max_iter=1000)
    return make_pipeline(FeatureUnion(views), head)


def _shared_words(example: Example) -> str:
    a, b = example.text_a.lower().split(), set((example.text_b or "").lower().split())
    return " ".join(w for w in a if w in b) + f" overlap{round(5 * sum(w in b for w in a) / max(1, len(a)))}"
