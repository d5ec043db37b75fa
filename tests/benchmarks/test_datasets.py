"""Public data sets: what is downloaded and what comes of it are checked by hash; conversions keep every text."""

import io
import json
import zipfile
from pathlib import Path

import pytest

import benchmarks.datasets.__main__ as command
from benchmarks.datasets import convert
from benchmarks.datasets.sources import DATASETS, DataSet, File, Repository
from compress.data.load import load_task
from compress.errors import DataError
from compress.recipe.sections import DataSection

REPOSITORY = Repository("somebody/reviews", "c0" * 20)
TEXTS = "".join(f"{i % 2} text number {i}\n" for i in range(60)).encode()


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data set in the table and its published file, read through the same URL handling as a real one."""
    file = tmp_path / "web" / REPOSITORY.name / REPOSITORY.commit / "all.txt"
    file.parent.mkdir(parents=True)
    file.write_bytes(TEXTS)
    recipe = convert.divided(convert.label_first(), 40, 10, 10)
    sha256 = command.fingerprint(recipe([TEXTS]))
    files = (File(REPOSITORY, "all.txt", command.blob_id(TEXTS)),)
    data = DataSet("reviews", "40 / 10 / 10", "Nobody 2020", "CC0", recipe, files, sha256)
    monkeypatch.setitem(DATASETS, "reviews", data)
    monkeypatch.setattr(command, "BASE", (tmp_path / "web").as_uri())
    return file


def test_a_prepared_data_set_is_one_that_a_run_reads(published: Path, tmp_path: Path) -> None:
    assert command.main(["reviews", "--output", str(tmp_path / "reviews")]) == 0
    task = load_task(DataSection(source=str(tmp_path / "reviews")), seed=0)
    assert (len(task.train), len(task.dev), len(task.test)) == (40, 10, 10)
    texts = {example.text_a for split in (task.train, task.dev, task.test) for example in split}
    assert texts == {f"text number {i}" for i in range(60)}


def test_a_changed_file_is_refused_and_nothing_is_written(
    published: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    published.write_bytes(TEXTS.replace(b"number 7\n", b"number 8\n"))
    assert command.main(["reviews", "--output", str(tmp_path / "reviews")]) == 2
    assert "hash differs" in capsys.readouterr().err
    assert not (tmp_path / "reviews").exists()


def test_a_changed_conversion_is_refused(published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convert, "table", lambda head, rows: "")
    with pytest.raises(DataError, match="the table says"):
        command.prepare("reviews", tmp_path / "reviews")
    assert not (tmp_path / "reviews").exists()


def test_what_is_not_there_is_one_sentence(published: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    published.unlink()
    assert command.main(["reviews", "--output", str(tmp_path)]) == 2
    assert command.main(["no_such_set", "--output", str(tmp_path)]) == 2
    downloaded, named = capsys.readouterr().err.splitlines()
    assert "can't be downloaded" in downloaded and "use one of sst2" in named


def test_every_file_of_the_table_has_a_commit_and_a_hash() -> None:
    for data in DATASETS.values():
        for file in data.files:
            assert len(bytes.fromhex(file.repository.commit)) == len(bytes.fromhex(file.blob)) == 20
    assert command.blob_id(b"") == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"  # as git names the empty file


def test_label_first_drops_empty_texts_and_names_labels() -> None:
    read = convert.label_first("latin-1", ("no", "yes"))
    assert read(b"1 caf\xe9 \n0 \n0 a b\n") == [("yes", "café"), ("no", "a b")]


def test_columns_by_name_and_by_number_repair_broken_encoding() -> None:
    table = "id\ttext\tlabel\n0\tIraq\u00e2\u0080\u0099s\tyes\n1\tcafé – ok\tno\n".encode("utf-8-sig")
    assert convert.columns("label", "text")(table) == [("yes", "Iraq’s"), ("no", "café – ok")]
    assert convert.columns(1, 0)(b"one\ttwo\r\n\n") == [("two", "one")]


def test_csv_texts_stay_on_one_line() -> None:
    assert convert.csv_columns("c", "t")(b't,c\n"a ""b"",\nc",x\n') == [("x", 'a "b", c')]


def test_parallel_files_lose_the_sign_of_a_lost_character() -> None:
    pairs = [b"x\n", "one \ufffd\ufffd two\n".encode()] * 3
    assert convert.parallel(pairs)["dev.tsv"] == "label\ttext\nx\tone two\n"


def test_several_labels_are_names() -> None:
    raw = b"hi\t0,2\tid1\nho\t1\tid2\n"
    assert convert.several_labels(1)([b"a\nb\nc\n", raw, raw, raw])["dev.tsv"] == "labels\ttext\na|c\thi\nb\tho\n"


def test_word_labels_end_with_one_line_break() -> None:
    for raw in (b"a O\nb B-x\n \nc O\n", b"a O\nb B-x\n\nc O\n\n"):
        lines = convert.word_labels(" ")([raw] * 3)["train.conll"]
        assert lines.startswith("a\tO\nb\tB-x\n\nc\tO\n") and lines.endswith("\n")


def test_questions_get_the_offset_of_their_answer() -> None:
    entries = [{"context": "a cat, a dog", "question": q, "answer": a} for q, a in (("which?", "dog"), ("what?", "a"))]
    files = convert.question_sample([json.dumps(entries).encode(), b"{}"])
    (paragraph,) = json.loads(files["train.json"])["data"][0]["paragraphs"]
    answers = [question["answers"][0] for question in paragraph["qas"]]
    assert [a["answer_start"] for a in answers] == [9, 0] and [a["start_unique"] for a in answers] == [True, False]


def test_articles_go_to_one_split_each() -> None:
    raw = json.dumps({"version": "v", "data": [{"title": t} for t in "abc"]}).encode()
    files = convert.by_article(("b",), ("c",))([raw])
    found = {name: [a["title"] for a in json.loads(text)["data"]] for name, text in files.items()}
    assert found == {"train.json": ["b"], "dev.json": ["c"], "test.json": ["a"]}


def test_long_reviews_are_chosen_by_length() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for i in range(4):
            archive.writestr(f"m/pos/{i}.txt", "good " * (600 * (i % 2) + 10))
    tables = convert.long_reviews([buffer.getvalue()])
    assert tables["train.tsv"].count("\n") == 3 and "positive\tgood good" in tables["train.tsv"]
