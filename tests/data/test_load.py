"""Data of any form, and a sentence for each way it can be wrong."""

import json
from pathlib import Path

import datasets
import pyarrow
import pyarrow.parquet
import pytest

from compress.data.load import load_task
from compress.data.task import Answer, Example
from compress.errors import DataError
from compress.recipe.sections import DataSection

ROWS = [("yes", "it is “fine”, really"), ("no", 'a "quoted" word'), ("yes", "größer\u2028line"), ("no", "plain")]


def load(folder: Path, **settings):
    return load_task(DataSection(source=str(folder), **settings), seed=0)


def write(folder: Path, split: str, rows=ROWS, suffix=".tsv", header=("label", "text")) -> None:
    file = folder / f"{split}{suffix}"
    if suffix == ".tsv":
        file.write_text("\n".join("\t".join(r) for r in [header, *rows]) + "\n", encoding="utf-8")
    elif suffix == ".csv":
        quoted = [",".join('"' + cell.replace('"', '""') + '"' for cell in r) for r in [header, *rows]]
        file.write_text("\n".join(quoted), encoding="utf-8-sig")
    elif suffix == ".jsonl":
        file.write_text("\n".join(json.dumps(dict(zip(header, r, strict=True))) for r in rows), encoding="utf-8")
    else:
        table = pyarrow.table({name: [r[i] for r in rows] for i, name in enumerate(header)})
        pyarrow.parquet.write_table(table, file)


@pytest.mark.parametrize("suffix", [".tsv", ".csv", ".jsonl", ".parquet"])
def test_every_format_reads_the_same_texts(tmp_path: Path, suffix: str) -> None:
    for split in ("train", "dev", "test"):
        write(tmp_path, split, suffix=suffix)
    task = load(tmp_path)
    assert [(task.labels[e.label], e.text_a) for e in task.train] == ROWS
    assert (task.kind, task.metric, task.labels) == ("classification", "accuracy", ("no", "yes"))


def test_kind_comes_from_columns_and_labels(tmp_path: Path) -> None:
    rows = [("1.5", "a b", "c"), ("3", "d", "e"), ("0.25", "f", "g"), ("5", "h", "i")]
    for split in ("train", "dev", "test"):
        write(tmp_path, split, rows, header=("score", "sentence1", "sentence2"))
    task = load(tmp_path)
    assert (task.kind, task.metric, task.outputs) == ("pair_regression", "pearson_spearman", 1)
    assert (task.train[0].text_b, task.train[0].label) == ("c", 1.5)
    assert load(tmp_path, kind="pair").labels == ("0.25", "1.5", "3", "5")  # by value, not by spelling


def test_missing_splits_are_made_from_what_is_there_and_said(tmp_path: Path) -> None:
    rows = [("yes" if i % 2 else "no", f"text number {i}") for i in range(100)]
    write(tmp_path, "train", rows)
    alone = load(tmp_path)
    assert [len(alone.split(s)) for s in ("train", "dev", "test")] == [80, 10, 10]
    assert {e.text_a for s in ("train", "dev", "test") for e in alone.split(s)} == {r[1] for r in rows}
    write(tmp_path, "validation", [("yes" if i % 2 else "no", f"dev {i}") for i in range(20)])
    divided = load(tmp_path)
    assert [len(divided.split(s)) for s in ("train", "dev", "test")] == [100, 10, 10]
    assert any("dev was divided" in note for note in divided.notes)
    assert divided == load(tmp_path)  # the same seed, the same division


def test_leaks_between_splits_are_told(tmp_path: Path) -> None:
    for split in ("train", "dev", "test"):
        write(tmp_path, split)
    assert any("4 of 4 test texts are also in training" in note for note in load(tmp_path).notes)


def test_training_limit_is_said(tmp_path: Path) -> None:
    for split in ("train", "dev", "test"):
        write(tmp_path, split, [("yes" if i % 2 else "no", f"{split} {i}") for i in range(40)])
    task = load(tmp_path, train_limit=16)
    assert len(task.train) == 16
    assert any("16 of 40" in note for note in task.notes)


def test_hub_data_sets_of_words_and_of_questions(tmp_path: Path) -> None:
    """conll2003's label indices become names; squad's answers are a dict of lists there."""
    tags = datasets.Sequence(datasets.ClassLabel(names=["O", "B-PER"]))
    features = datasets.Features({"tokens": datasets.Sequence(datasets.Value("string")), "ner_tags": tags})
    answers = {"text": ["Rome"], "answer_start": [12]}
    for split in ("train", "validation", "test"):
        rows = {"tokens": [["Ada", "went"]] * 4, "ner_tags": [[1, 0]] * 4}
        (tmp_path / "words").mkdir(exist_ok=True)
        datasets.Dataset.from_dict(rows, features=features).to_parquet(tmp_path / "words" / f"{split}.parquet")
        (tmp_path / "asked").mkdir(exist_ok=True)
        asked = datasets.Dataset.from_list([{**QUESTION, "answers": answers}] * 4)
        asked.to_parquet(tmp_path / "asked" / f"{split}.parquet")
    words, asked = (load_task(DataSection(source=f"hf:{tmp_path / name}"), seed=0) for name in ("words", "asked"))
    assert (words.kind, words.labels, words.train[0]) == ("tokens", ("O", "B-PER"), Example("Ada went", None, (1, 0)))
    assert (asked.kind, asked.train[0].label) == ("qa", (Answer("Rome", 12),))


def test_hub_data_sets_show_their_labels_names(tmp_path: Path) -> None:
    """The Hub's own loader, on a folder in the Hub's layout; GLUE hides test labels as -1."""
    features = datasets.Features(
        {"sentence": datasets.Value("string"), "label": datasets.ClassLabel(names=["bad", "good"])}
    )
    for split, labels in (("train", [0, 1] * 20), ("validation", [1, 0] * 10), ("test", [-1] * 10)):
        rows = {"sentence": [f"{split} {i}" for i in range(len(labels))], "label": labels}
        datasets.Dataset.from_dict(rows, features=features).to_parquet(tmp_path / f"{split}.parquet")
    task = load_task(DataSection(source=f"hf:{tmp_path}"), seed=0)
    assert task.labels == ("bad", "good")
    assert (len(task.train), len(task.dev), len(task.test)) == (40, 10, 10)
    assert task.train[1] == Example("train 1", None, 1)


QUESTION = {"question": "Who?", "context": "Ada went to Rome.", "answers": [{"text": "Ada"}]}
BAD = {
    "no folder": (lambda d: d.rmdir(), {}, ["no such file or folder"]),
    "no training file": (lambda d: write(d, "dev"), {}, ["no training file"]),
    "empty file": (lambda d: (d / "train.tsv").write_bytes(b""), {}, ["train.tsv", "is empty"]),
    "header alone": (lambda d: write(d, "train", []), {}, ["no rows"]),
    "missing column": (
        lambda d: write(d, "train", header=("label", "words")),
        {},
        ["--text-a words", "'label', 'words'"],
    ),
    "column that was named": (lambda d: write(d, "train"), {"text_a": "body"}, ["no column body", "--text-a"]),
    "short row": (lambda d: write(d, "train", [*ROWS, ("yes",)]), {}, ["line 6", "1 column where the header has 2"]),
    "broken UTF-8": (
        lambda d: (d / "train.tsv").write_bytes(b"label\ttext\nno\tok\nyes\tcaf\xe9\n"),
        {},
        ["line 3", "not UTF-8"],
    ),
    "empty text": (lambda d: write(d, "train", [*ROWS, ("yes", " ")]), {}, ["line 6", "empty"]),
    "one label": (lambda d: write(d, "train", [("yes", "a"), ("yes", "b")]), {}, ["single label"]),
    "too few to divide": (lambda d: write(d, "train"), {}, ["4 training examples are too few"]),
    "a spreadsheet": (
        lambda d: write(d, "train") or (d / "train.tsv").rename(d / "train.xlsx"),
        {},
        ["no training file"],
    ),
    "two files": (lambda d: (write(d, "train"), write(d, "train", suffix=".csv")), {}, ["two files"]),
    "bad JSON": (
        lambda d: (d / "train.jsonl").write_text('{"label": 1, "text": "a"}\n{oops\n'),
        {},
        ["line 2", "not JSON"],
    ),
    "bad CSV": (lambda d: (d / "train.csv").write_text('label,text\nyes,"a"b"\n'), {}, ["not valid CSV"]),
    "bad Parquet": (lambda d: (d / "train.parquet").write_bytes(b"PAR1 not really"), {}, ["Parquet"]),
    "number wanted": (lambda d: write(d, "train"), {"kind": "regression"}, ["line 2", "'yes' is not a number"]),
    "no pair": (lambda d: write(d, "train"), {"kind": "pair"}, ["one text column"]),
    "word without a label": (
        lambda d: (d / "train.conll").write_text("Ada\tB-per\nwent\n"),
        {},
        ["line 2", "a word without a label"],
    ),
    "label that is not BIO": (lambda d: (d / "train.conll").write_text("Ada\tPER\n"), {}, ["line 1", "'PER'", "BIO"]),
    "words and labels of two lengths": (
        lambda d: (d / "train.jsonl").write_text('{"tokens": ["a", "b"], "tags": ["O"]}\n'),
        {},
        ["line 1", "2 words have 1 labels"],
    ),
    "not SQuAD's JSON": (
        lambda d: (d / "train.json").write_text('{"rows": {"a": 1}}'),
        {},
        ["train.json", "neither an array of objects nor SQuAD's JSON"],
    ),
    "an answer that is not there": (
        lambda d: (d / "train.jsonl").write_text(json.dumps(QUESTION | {"answers": [{"text": "Bob"}]})),
        {},
        ["line 1", "the answer 'Bob' is not in the passage"],
    ),
    "answers that are no list": (
        lambda d: (d / "train.jsonl").write_text(json.dumps(QUESTION | {"answers": "Ada"})),
        {},
        ["line 1", "no list of answers"],
    ),
    "no column of answers": (
        lambda d: (d / "train.jsonl").write_text(json.dumps({k: v for k, v in QUESTION.items() if k != "answers"})),
        {"kind": "qa"},
        ["line 1", "the column answers is missing"],
    ),
    "no answer": (
        lambda d: (d / "train.jsonl").write_text(json.dumps(QUESTION | {"answers": []})),
        {},
        ["train.jsonl", "no training question has an answer"],
    ),
    "damaged gzip": (
        lambda d: (d / "train.txt.gz").write_bytes(b"\x1f\x8b\x08 no"),
        {},
        ["train.txt.gz", "not a gzip file"],
    ),
    "metric that does not fit": (
        lambda d: [write(d, s) for s in ("train", "dev", "test")],
        {"metric": "pearson_spearman"},
        ["--metric auto"],
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_data_gets_one_sentence_with_place_and_remedy(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "task"
    folder.mkdir()
    spoil, settings, parts = BAD[name]
    spoil(folder)
    with pytest.raises(DataError) as caught:
        load(folder, **settings)
    message = str(caught.value)
    assert str(folder) in message or "data." in message
    assert "\n" not in message
    for part in parts:
        assert part in message


def test_a_label_that_training_never_shows(tmp_path: Path) -> None:
    for split in ("train", "test"):
        write(tmp_path, split)
    write(tmp_path, "dev", [*ROWS, ("maybe", "who knows")])
    with pytest.raises(DataError, match=r"dev\.tsv, line 6: the label 'maybe' never occurs in training"):
        load(tmp_path)
    task = load(tmp_path, unseen_labels="count_wrong")
    assert task.labels == ("no", "yes", "maybe")


@pytest.mark.parametrize(
    ("name", "kind", "sizes"),
    [
        ("sst2", "classification", (6920, 872, 1821)),
        ("rte", "pair", (2490, 138, 139)),
        ("stsb", "pair_regression", (5749, 1500, 1379)),
    ],
)
def test_public_data_sets(shared_data: Path, name: str, kind: str, sizes: tuple[int, ...]) -> None:
    task = load(shared_data / name)
    assert task.kind == kind
    assert tuple(len(task.split(s)) for s in ("train", "dev", "test")) == sizes
