"""What text vectors are good for, measured: the order of scored pairs, search, and the nearest neighbors kept."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np
from datasets import Dataset
from scipy import stats
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from transformers import PreTrainedTokenizerBase

from compress.data.embeddings import without_prefix
from compress.data.task import Example, Task
from compress.kinds.task_type import Encoded, Metric
from compress.kinds.vectors import NEAREST, Vectors, nearest, tokenized, unit

DEV_PASSAGES = 1000  # of the corpus, for dev: it is searched after each pass of a training
_K1, _B = 1.2, 0.75  # BM25's usual parameters
_BLOCK = 512  # queries whose similarities are in memory at once
WordSearch = Callable[[Sequence[str], Sequence[str]], np.ndarray]  # (passages, queries) → scores (Q, C)


def spearman(similarities: np.ndarray, scores: np.ndarray) -> float:
    """Spearman's rank correlation of similarities and scores (N,); 0 where one side is constant."""
    if len(scores) < 2:
        return 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.ConstantInputWarning)
        return float(np.nan_to_num(stats.spearmanr(similarities, scores).statistic))


def _mean_of(column: int) -> Metric:
    return lambda rows, _: float(rows[:, column].mean())


class ScoredPairs(Vectors):
    """Pairs with a score: metric inputs are their cosines (N,)."""

    metrics = {"spearman": spearman}  # noqa: RUF012
    baseline = "cosine of TF-IDF vectors"

    def evaluation_rows(
        self, examples: Sequence[Example], task: Task, tokenizer: PreTrainedTokenizerBase, max_tokens: int
    ) -> Encoded:
        texts = [text for e in examples for text in (e.text_a, e.second)]
        rows, long = tokenized(texts, tokenizer, max_tokens)
        scores = np.array([e.label for e in examples], dtype=np.float64)
        pair_of = np.repeat(np.arange(len(examples)), 2)
        return Encoded(Dataset.from_dict(rows), scores, task, text_of=pair_of, long=tuple({i // 2: 0 for i in long}))

    def merged(self, logits: Sequence[np.ndarray], split: Encoded, rows: Sequence[int]) -> np.ndarray:
        return np.stack(logits)

    def metric_inputs(self, predictions: np.ndarray, split: Encoded) -> np.ndarray:
        vectors = unit(predictions)
        return (vectors[:, 0] * vectors[:, 1]).sum(axis=1)

    def baseline_metric_inputs(self, task: Task, splits: Mapping[str, Encoded]) -> dict[str, np.ndarray]:
        words = TfidfVectorizer().fit([t for e in task.train for t in (e.text_a, e.text_b) if t])
        found = {}
        for name in ("dev", "test"):
            sides = [words.transform([getattr(e, side) for e in task.split(name)]) for side in ("text_a", "text_b")]
            found[name] = np.asarray(sides[0].multiply(sides[1]).sum(axis=1)).ravel()
        return found


class Search(Vectors):
    """Queries and a corpus. The corpus comes after the queries; only queries have labels.

    Metric inputs (N, 4): recall@1, recall@10, reciprocal rank and nDCG@10 of each query; labels are `relevance`. Dev
    searches at most `DEV_PASSAGES` passages, the relevant ones among them; test searches all.
    """

    metrics = {  # noqa: RUF012
        "recall_at_1": _mean_of(0),
        "recall_at_10": _mean_of(1),
        "mrr": _mean_of(2),
        "ndcg_at_10": _mean_of(3),
    }
    also = metrics
    baseline = "BM25"

    def evaluation_rows(
        self, examples: Sequence[Example], task: Task, tokenizer: PreTrainedTokenizerBase, max_tokens: int
    ) -> Encoded:
        passages = searched(task, examples)
        texts = [*(e.text_a for e in examples), *(task.corpus[i] for i in passages)]
        rows, long = tokenized(texts, tokenizer, max_tokens)
        labels = relevance(examples, passages)
        return Encoded(Dataset.from_dict(rows), labels, task, text_of=np.arange(len(texts)), long=long)

    def metric_inputs(self, predictions: np.ndarray, split: Encoded) -> np.ndarray:
        return ranked(_similarities(predictions, split), split.labels)

    def top(self, predictions: np.ndarray, split: Encoded) -> np.ndarray:
        """(N, 10): the passages nearest to each query."""
        rows = [np.argsort(-block, axis=1, kind="stable")[:, :NEAREST] for block in _similarities(predictions, split)]
        return np.concatenate(rows)

    def indexed(
        self, predictions: np.ndarray, split: Encoded, change: Callable[[np.ndarray], np.ndarray]
    ) -> np.ndarray:
        queries, passages = np.split(predictions, [len(split.labels)])
        return np.concatenate([queries, change(passages)])

    def baseline_metric_inputs(self, task: Task, splits: Mapping[str, Encoded]) -> dict[str, np.ndarray]:
        return word_search(task, bm25)


class Neighbors(Vectors):
    """Plain texts: the labels (N, 10) are each one's nearest other texts of its split by the given encoder.

    Metric inputs (N,): the share of them that are among a model's nearest.
    """

    metrics = {"neighbors_kept": lambda kept, _: float(kept.mean())}  # noqa: RUF012
    baseline = "cosine of TF-IDF vectors"

    def evaluation_rows(
        self, examples: Sequence[Example], task: Task, tokenizer: PreTrainedTokenizerBase, max_tokens: int
    ) -> Encoded:
        rows, long = tokenized([e.text_a for e in examples], tokenizer, max_tokens)
        return Encoded(Dataset.from_dict(rows), np.array([e.label or () for e in examples]), task, long=long)

    def metric_inputs(self, predictions: np.ndarray, split: Encoded) -> np.ndarray:
        return neighbors_kept(nearest(predictions), split.labels)

    def baseline_metric_inputs(self, task: Task, splits: Mapping[str, Encoded]) -> dict[str, np.ndarray]:
        words = TfidfVectorizer().fit([e.text_a for e in task.train])
        found = {}
        for name in ("dev", "test"):
            matrix = words.transform([e.text_a for e in task.split(name)])
            found[name] = neighbors_kept(nearest((matrix @ matrix.T).toarray(), similar=True), splits[name].labels)
        return found


def neighbors_kept(found: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """The share (N,) of each reference row (N, K) that is in the found row (N, K)."""
    return (found[:, :, None] == reference[:, None, :]).any(axis=1).mean(axis=1)


def searched(task: Task, examples: Sequence[Example]) -> np.ndarray:
    """The places in the corpus of the passages that these examples are searched in, ascending."""
    if examples is not task.dev or len(task.corpus) <= DEV_PASSAGES:
        return np.arange(len(task.corpus))
    relevant = sorted({r.passage for e in examples for r in e.relevant})
    others = np.setdiff1d(np.arange(len(task.corpus)), relevant)
    more = np.random.default_rng(0).choice(
        others, max(0, min(len(others), DEV_PASSAGES - len(relevant))), replace=False
    )
    return np.sort(np.concatenate([np.array(relevant, dtype=np.int64), more]))


def relevance(examples: Sequence[Example], passages: np.ndarray) -> np.ndarray:
    """(N, R, 2): of each query its relevant passages, as their places among `passages` and their grades.

    A query with fewer than R has grades of 0 at the end.
    """
    place_of = {int(passage): i for i, passage in enumerate(passages)}
    found = np.zeros((len(examples), max(len(e.relevant) for e in examples), 2))
    for row, example in zip(found, examples, strict=True):
        row[: len(example.relevant)] = [(place_of[r.passage], r.grade) for r in example.relevant]
    return found


def ranked(blocks: Iterable[np.ndarray], relevant: np.ndarray) -> np.ndarray:
    """(N, 4) of each query: recall@1, recall@10, reciprocal rank, nDCG@10, from similarities (B, C) in blocks.

    `relevant` (N, R, 2) as `relevance` gives it. nDCG has gain `grade` and discount log₂(rank + 1) (Järvelin and
    Kekäläinen 2002). Among equal similarities the relevant passage comes last: a model that gives all texts one vector
    finds nothing.
    """
    rows = []
    for row, marked in zip((row for block in blocks for row in block), relevant, strict=True):
        marked = marked[marked[:, 1] > 0]
        places, grades = marked[:, 0].astype(np.int64), marked[:, 1]
        order = np.argsort(-row[places], kind="stable")
        places, grades = places[order], grades[order]
        others = np.delete(row, places)
        ranks = np.array([(others >= row[place]).sum() + i for i, place in enumerate(places, 1)])
        gain = np.where(ranks <= NEAREST, grades / np.log2(ranks + 1), 0).sum()
        best = np.sort(grades)[::-1][:NEAREST]
        ideal = (best / np.log2(np.arange(2, len(best) + 2))).sum()
        recalls = [(ranks <= depth).sum() / min(len(ranks), depth) for depth in (1, NEAREST)]
        rows.append([*recalls, 1 / ranks.min(), gain / ideal])
    return np.array(rows)


def bm25(corpus: Sequence[str], queries: Sequence[str]) -> np.ndarray:
    """BM25 of every query and passage (Q, C): Σ idf·tf·(k₁ + 1) ÷ (tf + k₁·(1 − b + b·length ÷ mean length)).

    Robertson and Zaragoza 2009, equation 3.15, with idf = ln(1 + (N − n + ½) ÷ (n + ½)), which is never negative.
    """
    words = CountVectorizer()
    counts = words.fit_transform(corpus).tocsr()
    lengths = np.asarray(counts.sum(axis=1)).ravel()
    having = np.bincount(counts.indices, minlength=counts.shape[1])
    idf = np.log1p((counts.shape[0] - having + 0.5) / (having + 0.5))
    scale = _K1 * (1 - _B + _B * lengths / max(lengths.mean(), 1e-12))
    weights = counts.astype(np.float64)
    weights.data = weights.data * (_K1 + 1) / (weights.data + np.repeat(scale, np.diff(counts.indptr)))
    weights = weights.multiply(idf).tocsr()
    return np.asarray((words.transform(queries) @ weights.T).todense())


def bag_of_words(corpus: Sequence[str], queries: Sequence[str]) -> np.ndarray:
    """The cosine of TF-IDF vectors of every query and passage (Q, C)."""
    words = TfidfVectorizer(sublinear_tf=True)
    passages = words.fit_transform(corpus)
    return np.asarray((words.transform(queries) @ passages.T).todense())


def word_search(task: Task, method: WordSearch) -> dict[str, np.ndarray]:
    """The metric inputs (N, 4) of dev and test of a search by words alone."""
    found = {}
    for name in ("dev", "test"):
        examples = task.split(name)
        passages = searched(task, examples)
        texts = [without_prefix(task, task.corpus[i]) for i in passages]
        scores = method(texts, [without_prefix(task, e.text_a) for e in examples])
        found[name] = ranked([scores], relevance(examples, passages))
    return found


def _similarities(predictions: np.ndarray, split: Encoded) -> Iterator[np.ndarray]:
    """The cosines of queries and passages (B, C), some queries at a time."""
    queries, passages = np.split(unit(predictions), [len(split.labels)])
    for start in range(0, len(queries), _BLOCK):
        yield queries[start : start + _BLOCK] @ passages.T
