"""Files as other programs leave them: read with a note where their form says what is meant, else refused in a sentence.

Each way writes the same 60 rows; what can be read gives the same texts and labels as a plain table does.
"""

import csv
import gzip
import io
import json
import random
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from compress.data.load import load_task
from compress.data.task import SPLITS, Task
from compress.errors import DataError
from compress.recipe.sections import DataSection

Rows = list[tuple[str, str]]
Write = Callable[[Path, Rows], None]


def rows(rng: random.Random, count: int = 60) -> Rows:
    nouns, words = ("film", "meal", "song", "room"), {"neg": ("bad", "poor", "dull"), "pos": ("good", "fine", "great")}
    made = []
    for number in range(count):
        label = ("neg", "pos")[number % 2]
        made.append((label, f"the {rng.choice(nouns)} {rng.randrange(10**6)} was {rng.choice(words[label])}"))
    return made


def table(content: Sequence[Sequence[Any]], header: Sequence[str] = ("label", "text"), **options: Any) -> str:
    stream = io.StringIO()
    csv.writer(stream, **{"lineterminator": "\n", **options}).writerows([header, *content])
    return stream.getvalue()


def one(name: str, content: Callable[[Rows], str | bytes]) -> Write:
    """A writer of a single file."""

    def write(folder: Path, given: Rows) -> None:
        made = content(given)
        (folder / name).write_bytes(made if isinstance(made, bytes) else made.encode())

    return write


def columns(given: Rows) -> dict[str, list[str]]:
    return {"label": [label for label, _ in given], "text": [text for _, text in given]}


def objects(given: Rows) -> list[dict[str, str]]:
    return [{"label": label, "text": text} for label, text in given]


def parquet(given: Rows) -> bytes:
    sink = io.BytesIO()
    made = {"label": columns(given)["label"], "text": [text.encode() for _, text in given]}
    pyarrow.parquet.write_table(pyarrow.table(made), sink)
    return sink.getvalue()


def zipped(given: Rows) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("xl/workbook.xml", table(given))
    return sink.getvalue()


READ: dict[str, Write] = {
    "old line ends, and a new one last": one("a.csv", lambda r: table(r, lineterminator="\r") + "\n"),
    "two kinds of line ends": one("a.csv", lambda r: table(r).replace("\n", "\r\n", 20)),
    "two byte order marks": one("a.csv", lambda r: b"\xef\xbb\xbf" * 2 + table(r).encode()),
    "a spreadsheet's sep=": one("a.csv", lambda r: "sep=;\n" + table(r, delimiter=";")),
    "a delimiter after each row": one("a.csv", lambda r: "label,text\n" + "".join(f"{x},{y},\n" for x, y in r)),
    "unused columns of one name": one("a.csv", lambda r: table([(*x, 1, 2) for x in r], ("label", "text", "id", "id"))),
    "columns without a name": one("a.csv", lambda r: table([(*x, "", "") for x in r], ("label", "text", "", ""))),
    "gzip without .gz": one("a.csv", lambda r: gzip.compress(table(r).encode())),
    "a table called .txt": one("a.txt", lambda r: table(r, delimiter="\t")),
    "commas called .txt": one("a.txt", table),
    "fastText": one("a.txt", lambda r: "\n".join(f"__label__{label} {text}" for label, text in r)),
    "JSON, lists of columns": one("a.json", lambda r: json.dumps(columns(r))),
    "JSON, columns by key": one(
        "a.json", lambda r: json.dumps({n: {str(i): v for i, v in enumerate(c)} for n, c in columns(r).items()})
    ),
    "JSON, rows by key": one("a.json", lambda r: json.dumps({str(i): row for i, row in enumerate(objects(r))})),
    "a first row that lacks a column": one(
        "a.jsonl", lambda r: "\n".join(json.dumps(x | ({"id": i} if i else {})) for i, x in enumerate(objects(r)))
    ),
    "Parquet with bytes": one("a.parquet", parquet),
    "capitals in a file's name": one("Train.CSV", table),
}


def load(folder: Path, **settings: Any) -> Task:
    files = list(folder.iterdir())
    source = files[0] if len(files) == 1 and files[0].suffix != ".CSV" else folder
    return load_task(DataSection(source=str(source), **settings), seed=0)


def content(task: Task) -> list[list[tuple[str, str]]]:
    return [[(task.labels[e.class_index], e.text_a) for e in task.split(split)] for split in SPLITS]


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("way", READ)
def test_the_form_says_what_is_meant(tmp_path: Path, way: str, seed: int) -> None:
    given = rows(random.Random(seed))
    plain, other = tmp_path / "plain", tmp_path / "other"
    plain.mkdir(), other.mkdir()
    (plain / "train.tsv").write_text(table(given, delimiter="\t"))
    READ[way](other, given)
    assert content(load(other)) == content(load(plain))


def spoiled(position: int, change: Callable[[str, str], Sequence[Any]]) -> Callable[[Rows], list[Sequence[Any]]]:
    """The rows with one of them changed."""
    return lambda given: [change(*row) if i == position else row for i, row in enumerate(given)]


REFUSED: dict[str, tuple[Write, str]] = {
    "a spreadsheet called .csv": (one("a.csv", zipped), "a ZIP archive or a spreadsheet"),
    "Parquet called .csv": (one("a.csv", parquet), r"let its name end with \.parquet"),
    "JSON called .csv": (one("a.csv", lambda r: json.dumps(objects(r))), r"let its name end with \.json"),
    "another encoding": (
        one("a.csv", lambda r: table([(label, f"{text} café") for label, text in r]).encode("latin-1")),
        r"line 2: this is not UTF-8 .* save the file as UTF-8",
    ),
    "a column twice": (
        one("a.csv", lambda r: table([(*x, x[1]) for x in r], ("label", "text", "text"))),
        "text occurs twice",
    ),
    "one column": (one("a.csv", lambda r: table(r).replace(",", "^")), "separate the columns by commas"),
    "a title above the header": (one("a.csv", lambda r: "exported\n" + table(r)), "first line must name the columns"),
    "an open quote": (
        one(
            "a.csv", lambda r: "label,text\n" + "".join(f"{x},{chr(34) * (i == 20)}{y}\n" for i, (x, y) in enumerate(r))
        ),
        r"line 22: .* not valid CSV",
    ),
    "commas without quotes": (
        one("a.csv", lambda r: "label,text\n" + "".join(f"{x},well, {y}\n" for x, y in r)),
        "line 2: 3 columns where the header has 2 .* in quotes",
    ),
    "a text that nobody sees": (
        one("a.csv", lambda r: table(spoiled(7, lambda x, _: (x, "\u00a0\u200b\ufeff"))(r))),
        "line 9: .* is empty; .* --skip-bad-rows",
    ),
    "a text that is a number": (
        one(
            "a.jsonl",
            lambda r: "\n".join(json.dumps({**x, "text": 17} if i == 9 else x) for i, x in enumerate(objects(r))),
        ),
        "line 10: .* is 17, not a string; .* --skip-bad-rows",
    ),
    "texts that are lists": (
        one("a.jsonl", lambda r: "\n".join(json.dumps({**x, "text": x["text"].split()}) for x in objects(r))),
        "is a list, not a string",
    ),
    "splits in one JSON": (
        one("a.json", lambda r: json.dumps({"train": objects(r), "test": objects(r)})),
        "several splits .* a file for each",
    ),
    "one text for all": (one("a.csv", lambda r: table([(x, "the same") for x, _ in r])), "have the same text"),
    "texts as labels": (one("a.csv", lambda r: table([(f"reply {y}", y) for _, y in r])), "--label"),
    "whole scores": (one("a.csv", lambda r: table([(7 * i, y) for i, (_, y) in enumerate(r)])), "--kind regression"),
    "percents": (one("a.csv", lambda r: table([(f"{7 * i}%", y) for i, (_, y) in enumerate(r)])), "numbers as digits"),
    "words without labels": (
        one("a.conll", lambda r: "\n\n".join("\n".join(f"{w}\tO" for w in y.split()) for _, y in r)),
        "no word of training has a label",
    ),
}


@pytest.mark.parametrize("way", REFUSED)
def test_what_can_not_be_meant_is_one_sentence(tmp_path: Path, way: str) -> None:
    write, sentence = REFUSED[way]
    write(tmp_path, rows(random.Random(0)))
    with pytest.raises(DataError, match=sentence) as caught:
        load(tmp_path)
    assert str(tmp_path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "source", ["hf:", "hf:no such/thing", "https://huggingface.co/datasets/imdb", "https://x.org/a.csv"]
)
def test_a_source_that_is_no_hub_id_is_one_sentence(source: str) -> None:
    with pytest.raises(DataError, match=r"write hf:NAME|use --data hf:imdb|download the file"):
        load_task(DataSection(source=source), seed=0)


@pytest.mark.parametrize("flags", [{"label": "text"}, {"text_b": "text"}, {"text_a": "label", "label": "label"}])
def test_a_column_is_used_once(tmp_path: Path, flags: dict[str, str]) -> None:
    (tmp_path / "a.csv").write_text(table(rows(random.Random(0))))
    with pytest.raises(DataError, match="is used twice"):
        load(tmp_path, **({"text_a": "text"} | flags))


JOINED: dict[str, Callable[[list[str]], str]] = {
    "bars": "|".join,
    "semicolons": ";".join,
    "commas": ", ".join,
    "JSON": json.dumps,
    "Python": repr,
    "NumPy": lambda names: f"[{' '.join(map(repr, names))}]",
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("way", JOINED)
def test_several_labels_in_a_cell_are_several_labels(tmp_path: Path, way: str, seed: int) -> None:
    rng = random.Random(seed)
    given = [(rng.sample(("joy", "anger", "fear"), rng.randint(1, 2)), text) for _, text in rows(rng)]
    (tmp_path / "a.csv").write_text(table([(JOINED[way](names), text) for names, text in given]))
    task = load(tmp_path)
    assert (task.kind, task.labels) == ("multilabel", ("anger", "fear", "joy"))
    found = {e.text_a: {n for n, has in zip(task.labels, e.label_set, strict=True) if has} for e in task.train}
    assert all(found[text] == set(names) for names, text in given if text in found)


@pytest.mark.parametrize("seed", range(3))
def test_a_class_may_have_a_comma_and_numbers_may_be_long(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    for labels in (("food, drinks", "travel", "health, beauty"), ("9007199254740993", "9007199254740992", "7")):
        given = [(labels[i % 3], text) for i, (_, text) in enumerate(rows(rng))]
        (tmp_path / "a.csv").write_text(table(given))
        task = load(tmp_path)
        assert task.kind == "classification" and set(task.labels) == set(labels)


@pytest.mark.parametrize("name", ["eval", "Validation", "DEV", "devel"])
def test_splits_have_their_usual_names_and_headers_and_other_files_are_named(tmp_path: Path, name: str) -> None:
    splits = {
        "train": ("label", "text"),
        name: ("Label", " TEXT"),
        "test": ("text", "label"),
        "more": ("label", "text"),
    }
    for seed, (split, header) in enumerate(splits.items()):
        given = [row if header[0].lower() == "label" else row[::-1] for row in rows(random.Random(seed), 20)]
        (tmp_path / f"{split}.csv").write_text(table(given, header))
    task = load(tmp_path)
    assert [len(task.split(split)) for split in SPLITS] == [20, 20, 20]
    assert any("not used: more.csv" in note for note in task.notes)


def test_test_texts_that_are_in_dev_are_counted(tmp_path: Path) -> None:
    for split, seed in (("train", 0), ("dev", 1), ("test", 1)):
        (tmp_path / f"{split}.csv").write_text(table(rows(random.Random(seed), 20)))
    assert any(note.startswith("20 of 20 test texts are also in dev") for note in load(tmp_path).notes)


def test_a_test_without_labels_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(table(rows(random.Random(0))))
    (tmp_path / "test.csv").write_text(table([("", text) for _, text in rows(random.Random(1))]))
    task = load(tmp_path)
    assert any("has no labels" in note for note in task.notes) and len(task.train) == 48
