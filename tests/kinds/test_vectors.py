"""Text vectors: ranks and correlations against their definitions, losses, and what each form of data predicts."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerBase

from compress.data.task import Example, Relevant, Task
from compress.kinds.encode import Texts
from compress.kinds.vector_scores import DEV_PASSAGES, bm25, nearest, neighbors_kept, ranked, relevance, searched
from compress.kinds.vectors import contrastive, cosent

WORDS = ["sun", "moon", "sea", "wind", "tree", "bird", "fish", "stone", "house", "road"]
CORPUS = tuple(" ".join(pair) for pair in itertools.permutations(WORDS, 2))


def search_task() -> Task:
    queries = tuple(
        Example(text.split()[0], None, (Relevant(i, 2.0), Relevant(i + 1))) for i, text in enumerate(CORPUS[:8])
    )
    texts = tuple(Example(text, None, None) for text in CORPUS)
    return Task("t", "embedding", "ndcg_at_10", (), texts, queries[:4], queries[4:], "", corpus=CORPUS)


def by_definition(row: np.ndarray, marked: list[tuple[int, float]]) -> list[float]:
    grades = dict(marked)
    order = sorted(range(len(row)), key=lambda i: (-row[i], i in grades, -grades.get(i, 0) if i in grades else i))
    order.sort(key=lambda i: (-row[i], i in grades))
    ranks = {i: order.index(i) + 1 for i in grades}
    gain = sum(g / math.log2(ranks[i] + 1) for i, g in grades.items() if ranks[i] <= 10)
    best = sum(g / math.log2(n + 1) for n, g in enumerate(sorted(grades.values(), reverse=True)[:10], 1))
    recalls = [sum(r <= k for r in ranks.values()) / min(len(grades), k) for k in (1, 10)]
    return [*recalls, 1 / min(ranks.values()), gain / best]


@given(seed=st.integers(0, 500), passages=st.integers(3, 40), relevant=st.integers(1, 3))
def test_ranks_are_those_of_the_definition(seed: int, passages: int, relevant: int) -> None:
    random = np.random.default_rng(seed)
    rows = random.permuted(np.tile(np.arange(passages, dtype=float), (5, 1)), axis=1)
    marked = np.zeros((5, relevant + 1, 2))  # a last column without a grade
    for each in marked:
        each[:relevant, 0] = random.choice(passages, relevant, replace=False)
        each[:relevant, 1] = random.integers(1, 4, relevant)
    found = ranked([rows[:2], rows[2:]], marked)
    for row, each, values in zip(rows, marked, found, strict=True):
        right = by_definition(row, [(int(place), grade) for place, grade in each[:relevant]])
        np.testing.assert_allclose(values, right)


def test_a_model_that_gives_all_texts_one_vector_finds_nothing(tokenizer: PreTrainedTokenizerBase) -> None:
    texts = Texts.of(search_task(), tokenizer, 16)
    test = texts.splits["test"]
    found = texts.task_type.metric_inputs(np.ones((test.texts, 3)), test)
    assert found.shape == (4, 4) and found[:, :2].max() == 0


def test_a_search_has_a_vector_for_each_query_and_passage(tokenizer: PreTrainedTokenizerBase) -> None:
    task = search_task()
    texts = Texts.of(task, tokenizer, 16)
    dev, kind = texts.splits["dev"], texts.task_type
    assert len(dev) == dev.texts == 4 + len(CORPUS) and len(dev.labels) == 4 and not dev.windowed
    vectors = np.eye(len(dev), dtype=np.float32)
    vectors[0] = vectors[4 + 0]  # the first query is its own best passage
    predictions = kind.gather(((i, vectors[i]) for i in reversed(range(len(dev)))), dev)
    assert predictions.shape == vectors.shape
    assert kind.metric_inputs(predictions, dev)[0, 0] == 1 and kind.agree(predictions, predictions, task).all()


def test_dev_searches_fewer_passages_with_every_relevant_one() -> None:
    corpus = tuple(map(str, range(3000)))
    dev = tuple(Example(str(i), None, (Relevant(i),)) for i in (5, 2900))
    task = Task("t", "embedding", "mrr", (), (Example("a", None, None),), dev, tuple(dev[:1]), "", corpus=corpus)
    found = searched(task, task.dev)
    assert len(found) == DEV_PASSAGES and {5, 2900} <= set(found.tolist()) and (np.diff(found) > 0).all()
    assert len(searched(task, task.test)) == 3000
    assert relevance(task.dev, found)[:, 0, 1].tolist() == [1, 1]


def test_pairs_are_scored_by_their_cosine(tokenizer: PreTrainedTokenizerBase) -> None:
    pairs = tuple(Example(a, b, float(i)) for i, (a, b) in enumerate(itertools.pairwise(WORDS)))
    task = Task("t", "embedding", "spearman", (), pairs, pairs[:5], pairs[5:], "")
    texts = Texts.of(task, tokenizer, 16)
    dev, kind = texts.splits["dev"], texts.task_type
    assert len(dev) == 10 and len(dev.labels) == 5
    angles = np.array([[0, angle] for angle in (1.4, 1.1, 0.8, 0.5, 0.2)]).ravel()
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1) * 3
    predictions = kind.gather(enumerate(vectors), dev)
    np.testing.assert_allclose(kind.metric_inputs(predictions, dev), np.cos([1.4, 1.1, 0.8, 0.5, 0.2]))
    assert kind.score(predictions, dev, "spearman") == pytest.approx(1)


def test_neighbors_are_the_nearest_others() -> None:
    vectors = np.array([[np.cos(a), np.sin(a)] for a in (0.0, 0.1, 0.3, 2.0)])
    assert nearest(vectors, 2).tolist() == [[1, 2], [0, 2], [1, 0], [2, 1]]
    assert neighbors_kept(np.array([[1, 2], [0, 3]]), np.array([[2, 1], [2, 3]])).tolist() == [1.0, 0.5]


def test_bm25_is_the_formula() -> None:
    corpus, scores = ["a1 b1 b1", "b1 c1", "d1"], bm25(["a1 b1 b1", "b1 c1", "d1"], ["b1 zz", "d1"])
    idf = math.log(1 + (3 - 2 + 0.5) / (2 + 0.5))
    right = [idf * n * 2.2 / (n + 1.2 * (0.25 + 0.75 * length / 2)) for n, length in ((2, 3), (1, 2))]
    np.testing.assert_allclose(scores[0], [*right, 0])
    assert scores[1].argmax() == 2 and len(corpus) == scores.shape[1]


def test_equal_passages_are_no_negatives_of_each_other() -> None:
    queries = torch.eye(4)[:2]
    alike = contrastive(queries, queries.clone(), torch.tensor([7, 7]))
    assert alike.item() == pytest.approx(0, abs=1e-6)
    swapped = contrastive(queries, queries.flip(0), torch.tensor([0, 1]))
    assert swapped > 10 > contrastive(queries, queries, torch.tensor([0, 1]))
    assert contrastive(queries, torch.cat([queries, queries]), torch.tensor([0, 1])) > 0.6  # hard negatives count


def test_only_the_order_of_scores_counts() -> None:
    first = torch.tensor([[1.0, 0.0]] * 3)
    second = torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    right, wrong = (cosent(first, second, torch.tensor(s)) for s in ([9.0, 5.0, 1.0], [1.0, 5.0, 9.0]))
    assert right < 0.1 and wrong > 10
    assert cosent(first, second, torch.tensor([3.0, 2.0, 1.0])) == right


@pytest.mark.parametrize("form", ["texts", "scores", "passages"])
def test_training_rows_of_every_form_have_a_loss(tokenizer: PreTrainedTokenizerBase, form: str) -> None:
    from transformers import BertConfig, BertModel

    from compress.models.pooling import Pooling, with_pooling

    made = {
        "texts": [Example(word, None, None) for word in WORDS],
        "scores": [Example(a, b, i / 2) for i, (a, b) in enumerate(itertools.pairwise(WORDS))],
        "passages": [
            Example(a, b, None, negatives=(a,) * (i % 2)) for i, (a, b) in enumerate(itertools.pairwise(WORDS))
        ],
    }[form]
    task = Task("t", "embedding", "mrr", (), tuple(made), search_task().dev, search_task().test, "", corpus=CORPUS)
    texts = Texts.of(task, tokenizer, 16)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    model = with_pooling(BertModel(BertConfig(**sizes)), Pooling()).train()
    rows = texts.splits["train"].rows
    kind = texts.task_type
    losses = [
        kind.loss(model.eval(), make(tokenizer)([rows[i] for i in range(6)])) for make in (kind.pad, kind.collator)
    ]
    assert losses[0] == losses[1]  # units are scored on rows as they are
    loss = kind.loss(model.train(), kind.collator(tokenizer)([rows[i] for i in range(6)]))
    loss.backward()
    assert torch.isfinite(loss) and model.embeddings.word_embeddings.weight.grad.abs().sum() > 0
    used = {
        i
        for name in rows.column_names
        if name.endswith("_ids") and "type" not in name
        for ids in rows[name]
        for i in np.ravel(ids)
    }
    assert {int(i) for ids in rows["input_ids"] for i in ids} <= texts.splits["train"].token_ids() <= used | {0}
