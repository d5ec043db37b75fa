"""What text vectors are measured on: each set is a list of texts and what their vectors give. None was trained on."""

import gzip
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sklearn.metrics import average_precision_score

from compress.data.embeddings import with_prefixes
from compress.data.load import load_task
from compress.data.task import Example, Relevant, Task
from compress.kinds.vector_scores import ranked, relevance, spearman
from compress.kinds.vectors import unit
from compress.recipe.sections import DataSection

DATA = Path(__file__).parents[2] / "shared" / "data"
Score = Callable[[np.ndarray, np.ndarray], float]


@dataclass(frozen=True)
class VectorSet:
    """`texts` have prefixes; `rows` makes metric inputs (N, ...) of their vectors; `score` takes these and `labels`."""

    name: str
    metric: str
    texts: tuple[str, ...]
    labels: np.ndarray
    rows: Callable[[np.ndarray], np.ndarray]
    score: Score


def sets(query: str, passage: str, most: int) -> list[VectorSet]:
    """Every set, for an encoder with these prefixes; `most` pairs, queries or texts of each, drawn by seed 0."""
    wikiqa = load_task(DataSection(source=str(DATA / "wikiqa")), seed=0)
    return [
        _pairs("STS-B test", "spearman", _table("stsb", "test"), query, most, spearman),
        _search("WikiQA test", _with_fewer(wikiqa, 10 * most), query, passage, most),
        _search("SQuAD dev", _squad(2 * most), query, passage, most),
        _search("phone_search test", load_task(DataSection(source="phone_search"), seed=0), query, passage, most),
        _banking(query, most),
        _pairs("QQP sample", "average_precision", _table("qqp_sample", "dev"), query, most, _average_precision),
    ]


def _average_precision(cosines: np.ndarray, duplicates: np.ndarray) -> float:
    return float(average_precision_score(duplicates > 0, cosines))


def _table(name: str, split: str) -> list[list[str]]:
    return [line.split("\t") for line in (DATA / name / f"{split}.tsv").read_text(encoding="utf-8").splitlines()[1:]]


def _drawn(rows: Sequence, most: int) -> list:
    return random.Random(0).sample(list(rows), min(most, len(rows)))


def _pairs(name: str, metric: str, rows: list[list[str]], query: str, most: int, score: Score) -> VectorSet:
    """Scored pairs: a label and two texts a row; both texts count as queries."""
    chosen = _drawn(rows, most)
    texts = tuple(query + row[side] for side in (1, 2) for row in chosen)

    def cosines(vectors: np.ndarray) -> np.ndarray:
        first, second = np.split(unit(vectors), 2)
        return (first * second).sum(axis=1)

    return VectorSet(name, metric, texts, np.array([float(row[0]) for row in chosen]), cosines, score)


def _search(name: str, task: Task, query: str, passage: str, most: int) -> VectorSet:
    """Queries of test, recall@10 among all passages."""
    task = with_prefixes(replace(task, test=tuple(_drawn(task.test, most))), query, passage)
    places = np.arange(len(task.corpus))
    labels = relevance(task.test, places)

    def found(vectors: np.ndarray) -> np.ndarray:
        queries, passages = np.split(unit(vectors), [len(task.test)])
        return ranked([queries @ passages.T], labels)

    texts = (*(e.text_a for e in task.test), *task.corpus)
    return VectorSet(name, "recall_at_10", texts, labels, found, lambda rows, _: float(rows[:, 1].mean()))


def _with_fewer(task: Task, most: int) -> Task:
    """The task with at most so many passages, those that answer a test query among them."""
    needed = sorted({r.passage for e in task.test for r in e.relevant})
    others = sorted(set(range(len(task.corpus))) - set(needed))
    kept = sorted([*needed, *_drawn(others, max(0, most - len(needed)))])
    place = {old: new for new, old in enumerate(kept)}
    test = tuple(replace(e, label=tuple(Relevant(place[r.passage], r.grade) for r in e.relevant)) for e in task.test)
    return replace(task, test=test, dev=test, corpus=tuple(task.corpus[i] for i in kept))


def _squad(most: int) -> Task:
    """Questions, each with its paragraph among so many paragraphs."""
    content = json.loads(gzip.decompress((DATA / "squad" / "dev-v1.1.json.gz").read_bytes()))
    paragraphs = _drawn([p for article in content["data"] for p in article["paragraphs"]], most)
    queries = tuple(
        Example(question["question"], None, (Relevant(i),)) for i, p in enumerate(paragraphs) for question in p["qas"]
    )
    corpus = tuple(p["context"] for p in paragraphs)
    return Task("squad", "embedding", "recall_at_10", (), queries, queries, queries, "", corpus=corpus)


def _banking(query: str, most: int) -> VectorSet:
    """Has the nearest training text the same intent? 10 training texts of each of 77 intents."""
    shown: dict[str, list[str]] = {}
    for label, text in _table("banking77", "train"):
        shown.setdefault(label, []).append(text)
    known = [(label, text) for label, texts in sorted(shown.items()) for text in texts[:10]]
    asked = _drawn(_table("banking77", "test"), most)
    of_known, truth = np.array([label for label, _ in known]), np.array([row[0] for row in asked])

    def right(vectors: np.ndarray) -> np.ndarray:
        queries, others = np.split(unit(vectors), [len(asked)])
        return (of_known[(queries @ others.T).argmax(axis=1)] == truth).astype(float)

    texts = tuple(query + text for text in (*(row[1] for row in asked), *(text for _, text in known)))
    return VectorSet(
        "BANKING77 test", "accuracy", texts, np.zeros(len(asked)), right, lambda rows, _: float(rows.mean())
    )
