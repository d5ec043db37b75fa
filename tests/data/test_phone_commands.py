"""The bundled task keeps what its README says."""

from collections import Counter, defaultdict

import pytest

from compress.data.load import load_task, with_unlabeled
from compress.data.near_duplicates import content_words, near_duplicate_pairs, near_duplicates, normalize
from compress.data.task import Task
from compress.recipe.sections import DataSection


@pytest.fixture(scope="module")
def task() -> Task:
    return load_task(DataSection(), seed=0)


def test_sizes_and_labels(task: Task) -> None:
    assert (len(task.train), len(task.dev), len(task.test)) == (13105, 1112, 1722)
    for split, hard in (("train", 12009), ("dev", 466), ("test", 900)):
        parts = Counter(e.part for e in task.split(split))
        assert parts == {"hard": hard, "everyday": len(task.split(split)) - hard}
        assert min(Counter(e.label for e in task.split(split) if e.part == "everyday").values()) >= 20
    assert len(task.labels) == 26
    for split in ("train", "dev", "test"):
        counts = Counter(e.label for e in task.split(split))
        assert len(counts) == 26, split
    assert task.notes == ()


def test_no_near_duplicate_crosses_splits(task: Task) -> None:
    rows = [(split, e.text_a) for split in ("train", "dev", "test") for e in task.split(split)]
    pairs = [*near_duplicate_pairs([text for _, text in rows])]
    assert pairs, "the search finds pairs inside splits, so an empty answer would mean that it is broken"
    assert [(rows[i], rows[j]) for i, j in pairs if rows[i][0] != rows[j][0]] == []


def test_no_unlabeled_text_is_nearly_one_of_dev_or_test(task: Task) -> None:
    found = with_unlabeled(task, DataSection(), None)
    assert len(found.unlabeled) == 185 and found.notes == ()
    assert task.unlabeled == with_unlabeled(task, DataSection(), "none").unlabeled == ()
    texts = [e.text_a for e in found.unlabeled]
    assert len({normalize(t) for t in texts}) == len(texts)
    having: dict[str, list[int]] = defaultdict(list)
    for i, text in enumerate(texts):
        for word in content_words(text):
            having[word].append(i)
    for known in (e.text_a for e in (*task.dev, *task.test)):
        words = content_words(known)
        shared = Counter(i for word in words for i in having[word])
        close = [texts[i] for i, count in shared.items() if count >= 0.5 * len(words)]
        assert [text for text in close if near_duplicates(known, text)] == [], known


def test_texts_are_clean(task: Task) -> None:
    texts = [e.text_a for s in ("train", "dev", "test") for e in task.split(s)]
    assert len({normalize(t) for t in texts}) == len(texts)
    for text in texts:
        assert text == " ".join(text.split())
        assert len(text.split()) <= 40


def test_near_duplicates() -> None:
    assert near_duplicates("Set an alarm for six!", "please set the alarm for six")
    assert near_duplicates("remind me abuot the bins", "remind me about the bins")
    assert not near_duplicates("pause the music", "pause the alarm")
    assert not near_duplicates("wake me at six", "call me at seven")
