"""The bundled search keeps what its README says."""

import re
from collections import Counter

import pytest
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from compress.data.load import load_task, with_unlabeled
from compress.data.near_duplicates import near_duplicate_pairs
from compress.data.task import Example, Task
from compress.recipe.sections import DataSection

SETTINGS = DataSection(source="phone_search")
ENDINGS = ("ing", "ed", "es", "s")


@pytest.fixture(scope="module")
def task() -> Task:
    return load_task(SETTINGS, seed=0)


def content_words(text: str) -> set[str]:
    words = {w for w in re.findall(r"[a-z0-9]+", text.lower()) if w not in ENGLISH_STOP_WORDS and len(w) > 1}
    return {next((w.removesuffix(e) for e in ENDINGS if w.endswith(e) and len(w) - len(e) > 2), w) for w in words}


def shared(example: Example, task: Task) -> set[str]:
    return {w for r in example.relevant for w in content_words(example.text_a) & content_words(task.corpus[r.passage])}


def test_sizes(task: Task) -> None:
    assert (task.kind, task.metric, len(task.corpus)) == ("embedding", "ndcg_at_10", 432)
    assert (len(task.dev), len(task.test), len(task.train)) == (100, 150, 432)
    parts = {s: Counter(e.part for e in task.split(s)) for s in ("dev", "test")}
    assert parts == {"dev": {"other words": 64, "same words": 36}, "test": {"other words": 96, "same words": 54}}
    assert task.notes == ()


def test_queries_in_other_words_share_no_content_word_with_their_answers(task: Task) -> None:
    queries = [*task.dev, *task.test]
    assert sum(not shared(e, task) for e in queries) >= len(queries) / 2
    for example in queries:
        assert bool(shared(example, task)) == (example.part == "same words"), example.text_a


def test_no_text_repeats_another(task: Task) -> None:
    texts = [*task.corpus, *(e.text_a for e in (*task.dev, *task.test))]
    assert [(texts[i], texts[j]) for i, j in near_duplicate_pairs(texts)] == []


def test_it_is_distilled_on_the_texts_of_phone_commands_too(task: Task) -> None:
    found = with_unlabeled(task, SETTINGS, None)
    assert len(found.unlabeled) == 13290 and any("phone_commands" in note for note in found.notes)
    assert with_unlabeled(task, SETTINGS, "none").unlabeled == ()
