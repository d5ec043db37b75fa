"""Altered copies stay texts of the same words; files of unlabeled texts are read or refused with their line."""

from pathlib import Path

import pytest

from compress.data.augment import altered, unlabeled
from compress.data.load import load_task, with_unlabeled
from compress.data.task import Example
from compress.errors import DataError
from compress.recipe.sections import DataSection

EXAMPLES = [Example("wake me at seven", None, 3), Example("no", None, 1), Example("play it again , sam", None, 2)]


def test_copies_are_altered_words_of_the_corpus() -> None:
    corpus = {word for e in EXAMPLES for word in e.text_a.split()}
    found = list(altered(EXAMPLES, 20, seed=0))
    assert len(found) == 60 and all(set(e.text_a.split()) <= corpus and e.text_a for e in found)
    assert len({e.text_a for e in found}) > 20
    longer = [e for e in found if e.label == 3]
    assert sum(e.text_a != "wake me at seven" for e in longer) > 15


def test_copies_are_the_same_for_the_same_seed() -> None:
    assert list(altered(EXAMPLES, 3, seed=1)) == list(altered(EXAMPLES, 3, seed=1))
    assert list(altered(EXAMPLES, 3, seed=1)) != list(altered(EXAMPLES, 3, seed=2))
    assert list(altered(EXAMPLES, 0, seed=1)) == []


def test_pairs_change_on_both_sides() -> None:
    found = list(altered([Example("a b c d", "e f g h", 0)], 50, seed=0))
    assert any(e.text_a != "a b c d" for e in found) and any(e.text_b != "e f g h" for e in found)


def test_unlabeled_texts(tmp_path: Path) -> None:
    file = tmp_path / "more.txt"
    file.write_bytes(b"one\r\n\ntwo\tparts\n")
    assert [e.text_a for e in unlabeled(file, pair=False)] == ["one", "two\tparts"]
    (separated := tmp_path / "separated.txt").write_text("one\u2028text\n", encoding="utf-8")
    assert len(unlabeled(separated, pair=False)) == 1
    with pytest.raises(DataError, match=r"more.txt:1: this line is not two texts"):
        unlabeled(file, pair=True)
    file.write_text("two\tparts\n", encoding="utf-8")
    assert [(e.text_a, e.text_b) for e in unlabeled(file, pair=True)] == [("two", "parts")]


def test_unlabeled_texts_lie_beside_the_data_or_are_given(tmp_path: Path) -> None:
    for split in ("train", "dev", "test"):
        rows = "".join(f"{label}\t{split} {label} {i}\n" for label in ("a", "b") for i in range(20))
        (tmp_path / f"{split}.tsv").write_text("label\ttext\n" + rows, encoding="utf-8")
    settings = DataSection(source=str(tmp_path))
    task = load_task(settings, seed=0)
    assert with_unlabeled(task, settings, None) is task
    (tmp_path / "unlabeled.txt").write_text("more\nTest a 3!\n", encoding="utf-8")
    found = with_unlabeled(task, settings, None)
    assert [e.text_a for e in found.unlabeled] == ["more", "Test a 3!"]
    assert found.notes == ("1 of 40 test texts is also among the unlabeled ones: scores on them are too high",)
    assert with_unlabeled(task, settings, "none") is task
    (other := tmp_path / "other.txt").write_text("else", encoding="utf-8")
    assert [e.text_a for e in with_unlabeled(task, settings, str(other)).unlabeled] == ["else"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"\n \n", "no text"), (b"a\xff", r"line 1: this is not UTF-8 \(byte 0xff\)"), (None, "read")],
)
def test_useless_files_are_one_sentence(tmp_path: Path, content: bytes | None, sentence: str) -> None:
    file = tmp_path / "more.txt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(DataError, match=sentence):
        unlabeled(file, pair=False)
