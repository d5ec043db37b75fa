"""However people write a table, the same task is read; what can't be read is refused or skipped with its place."""

import csv
import gzip
import io
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pytest

from compress.data.load import load_task
from compress.data.reading import Reading
from compress.data.task import SPLITS, Task
from compress.data.word_labels import tagged
from compress.errors import DataError
from compress.recipe.sections import DataSection

SIZES = {"train": 40, "dev": 12, "test": 12}
Rows = list[tuple[str, str]]


def texts(split: str) -> Rows:
    """Labels and texts with everything in them that a delimiter, a quote or a line end could be taken for."""
    rng = random.Random(split)
    odd = ['"so," he said', "a;b", "x | y", "plain", "größer", "it''s", 'ends with "', "日本語", "a, b, c", "tab-less"]
    return [("yes" if i % 2 else "no", f"{split} {i} {rng.choice(odd)}") for i in range(SIZES[split])]


def table(rows: Rows, header: tuple[str, ...] = ("label", "text"), **options: Any) -> str:
    stream = io.StringIO()
    csv.writer(stream, **options).writerows([header, *rows])
    return stream.getvalue()


def tsv(rows: Rows, header: tuple[str, ...] = ("label", "text")) -> str:
    return "\n".join("\t".join(row) for row in [header, *rows]) + "\n"


def each(name: str, content: Callable[[Rows], bytes | str]) -> Callable[[Path], None]:
    """A writer of one file a split."""

    def write(folder: Path) -> None:
        for split in SPLITS:
            made = content(texts(split))
            (folder / name.format(split)).write_bytes(made if isinstance(made, bytes) else made.encode())

    return write


def dataset(rows: Rows) -> datasets.Dataset:
    features = datasets.Features({"label": datasets.ClassLabel(names=["no", "yes"]), "text": datasets.Value("string")})
    return datasets.Dataset.from_dict({"label": [r[0] == "yes" for r in rows], "text": [r[1] for r in rows]}, features)


def parts(folder: Path) -> None:
    (folder / "data").mkdir()
    for split, rows in ((s, texts(s)) for s in SPLITS):
        name = "validation" if split == "dev" else split
        for i in range(3):
            part = dataset(rows[i * len(rows) // 3 : (i + 1) * len(rows) // 3])
            part.to_parquet(folder / "data" / f"{name}-{i:05d}-of-00003.parquet")


def folders(folder: Path) -> None:
    for split in SPLITS:
        (folder / split).mkdir()
        rows = texts(split)
        for i in range(2):
            half = rows[i * len(rows) // 2 : (i + 1) * len(rows) // 2]
            (folder / split / f"{i:04d}.csv").write_text(table(half))


def on_disk(folder: Path) -> None:
    datasets.DatasetDict({split: dataset(texts(split)) for split in SPLITS}).save_to_disk(folder)


def objects(rows: Rows) -> list[dict[str, str]]:
    return [{"label": label, "text": text} for label, text in rows]


WAYS: dict[str, Callable[[Path], None]] = {
    "TSV": each("{}.tsv", tsv),
    "TSV, gzip": each("{}.tsv.gz", lambda r: gzip.compress(tsv(r).encode())),
    "TSV with CRLF": each("{}.tsv", lambda r: tsv(r).replace("\n", "\r\n")),
    "TSV quoted as CSV": each("{}.tsv", lambda r: table(r, delimiter="\t", quoting=csv.QUOTE_ALL)),
    "TSV, UTF-16": each("{}.tsv", lambda r: tsv(r).encode("utf-16")),
    "CSV": each("{}.csv", table),
    "CSV with a mark": each("{}.csv", lambda r: table(r).encode("utf-8-sig")),
    "CSV, semicolons": each("{}.csv", lambda r: table(r, delimiter=";")),
    "CSV, semicolons, UTF-16": each("{}.csv", lambda r: table(r, delimiter=";").encode("utf-16")),
    "CSV, bars": each("{}.csv", lambda r: table(r, delimiter="|")),
    "CSV with tabs": each("{}.csv", lambda r: table(r, delimiter="\t", quoting=csv.QUOTE_ALL)),
    "CSV, CR": each("{}.csv", lambda r: table(r).replace("\r\n", "\r")),
    "CSV, all quoted": each("{}.csv", lambda r: table(r, quoting=csv.QUOTE_ALL)),
    "CSV, blanks behind commas": each(
        "{}.csv",
        lambda r: "\n".join(f'{a}, "{b}"' for a, b in [("label", "text"), *((a, b.replace('"', '""')) for a, b in r)]),
    ),
    "CSV, capitals": each("{}.csv", lambda r: table(r, ("LABEL", "Text "))),
    "CSV, usual names": each("{}.csv", lambda r: table(r, ("Category", "review"))),
    "JSON lines": each("{}.jsonl", lambda r: "\n".join(map(json.dumps, objects(r)))),
    "JSON": each("{}.json", lambda r: json.dumps(objects(r), indent=1)),
    "JSON under a key": each("{}.json", lambda r: json.dumps({"data": objects(r)})),
    "JSON lines called .json": each("{}.json", lambda r: "\n".join(map(json.dumps, objects(r)))),
    "parts": parts,
    "folders": folders,
    "save_to_disk": on_disk,
}


def load(source: Path, **settings: Any) -> Task:
    return load_task(DataSection(source=str(source), **settings), seed=0)


@pytest.mark.parametrize("way", WAYS)
def test_however_a_table_is_written_the_same_task_is_read(tmp_path: Path, way: str) -> None:
    plain, other = tmp_path / "plain", tmp_path / "other"
    plain.mkdir(), other.mkdir()
    WAYS["TSV"](plain)
    WAYS[way](other)
    first, second = load(plain), load(other)
    assert [getattr(first, s) for s in SPLITS] == [getattr(second, s) for s in SPLITS]
    assert (first.labels, first.kind, first.fingerprint) == (second.labels, second.kind, second.fingerprint)


@pytest.mark.parametrize("seed", range(5))
def test_one_file_is_divided_by_class_and_repeated_texts_stay_together(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    rows = [(rng.choice("abc"), f"text {rng.randrange(60)}") for _ in range(200)]
    rows = [(dict(reversed([(t, k) for k, t in rows]))[text], text) for _, text in rows]  # a text has one label
    (tmp_path / "reviews.csv").write_text(table(rows))
    task = load_task(DataSection(source=str(tmp_path / "reviews.csv")), seed=seed)
    assert task.name == "reviews"
    seen = [{e.text_a for e in task.split(s)} for s in SPLITS]
    assert sum(len(task.split(s)) for s in SPLITS) == len(rows)
    assert not seen[0] & seen[1] and not seen[0] & seen[2] and not seen[1] & seen[2]
    assert {e.label for e in task.train} == set(range(len(task.labels)))
    assert any("only a training file" in note for note in task.notes)


def test_a_part_that_is_missing_is_named(tmp_path: Path) -> None:
    parts(tmp_path)
    (tmp_path / "data" / "train-00001-of-00003.parquet").unlink()
    with pytest.raises(DataError, match="2 of 3 parts"):
        load(tmp_path)


@pytest.mark.parametrize("seed", range(6))
def test_rows_that_cant_be_read_are_skipped_up_to_a_number_and_listed(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    kind = rng.choice(["csv", "jsonl"])
    lines = table(texts("train")).splitlines() if kind == "csv" else [json.dumps(o) for o in objects(texts("train"))]
    bad = {"csv": ["yes", "no,a,b", " ,text", "no, "], "jsonl": ["{oops", "[1]", '{"label": "no"}', '{"text": "a"}']}
    count = rng.randint(1, 7)
    for _ in range(count):
        lines.insert(rng.randint(1, len(lines)), rng.choice(bad[kind]))
    (tmp_path / f"train.{kind}").write_text("\n".join(lines) + "\n")
    each("{}.tsv", tsv)(tmp_path)
    (tmp_path / "train.tsv").unlink()
    with pytest.raises(DataError, match=rf"train\.{kind}, line \d+"):
        load(tmp_path)
    with pytest.raises(DataError, match=rf"more than {count - 1} rows|train\.{kind}, line"):
        load(tmp_path, skip_bad_rows=count - 1)
    task = load(tmp_path, skip_bad_rows=count)
    assert [e.text_a for e in task.train] == [text for _, text in texts("train")]
    assert any(note.startswith(f"{count:,} rows were skipped") and "line" in note for note in task.notes)


PAIRS = [
    ("question", "sentence"),
    ("Question", "Passage"),
    ("title", "body"),
    ("premise", "hypothesis"),
    ("title", "text"),
]


@pytest.mark.parametrize("names", PAIRS)
def test_pairs_by_usual_names(tmp_path: Path, names: tuple[str, str]) -> None:
    for split in SPLITS:
        rows = [(label, "is it so?", text, str(i)) for i, (label, text) in enumerate(texts(split))]
        (tmp_path / f"{split}.csv").write_text(table(rows, ("label", *names, "row id")))  # type: ignore[arg-type]
    task = load(tmp_path)
    assert task.kind == "pair" and task.train[1].text_b == texts("train")[1][1]
    assert any("not used: row id" in note for note in task.notes)
    one = load(tmp_path, text_a=names[1], text_b="none")
    assert one.kind == "classification" and one.train[1].text_a == texts("train")[1][1]


def test_columns_without_usual_names_are_offered_as_flags(tmp_path: Path) -> None:
    for split in SPLITS:
        (tmp_path / f"{split}.csv").write_text(table(texts(split), ("Urteil", "Text der Kundin")))
    with pytest.raises(DataError, match="--label Urteil --text-a 'Text der Kundin'"):
        load(tmp_path)
    assert load(tmp_path, label="Urteil", text_a="Text der Kundin").labels == ("no", "yes")


@pytest.mark.parametrize("seed", range(8))
def test_a_score_that_is_no_number_is_refused_with_its_line(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    split, line = rng.choice(SPLITS), rng.randrange(3, 12)
    steps, wrong = rng.choice([2, 4, 1000]), rng.choice(["nan", "NaN", "inf", "-Infinity", "n/a", "four"])
    for name in SPLITS:
        rows = [(str((i % (5 * steps) + 0.5) / steps), text) for i, (_, text) in enumerate(texts(name))]
        if name == split:
            rows[line - 2] = (wrong, "a text")
        (tmp_path / f"{name}.tsv").write_text(tsv(rows))
    with pytest.raises(DataError, match=rf"{split}\.tsv, line {line}: .*not a number"):
        load(tmp_path)


@pytest.mark.parametrize("seed", range(6))
def test_one_class_in_two_spellings_is_one_class_and_said(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    ways = rng.choice(
        [[("0", "1"), ("0.0", "1.0")], [("True", "False"), ("TRUE", "false")], [("Ja", "Nein"), ("ja", "nein")]]
    )
    for split in SPLITS:
        names = ways[0] if split == "train" else rng.choice(ways)
        names = ways[1] if split == "test" else names
        rows = [(names[label == "yes"], text) for label, text in texts(split)]
        (tmp_path / f"{split}.tsv").write_text(tsv(rows))
    task = load(tmp_path)
    assert task.labels == tuple(sorted(ways[0]))
    assert any("read as one" in note for note in task.notes)


def test_a_decimal_comma_is_a_point(tmp_path: Path) -> None:
    for split in SPLITS:
        rows = [(f"{i % 5},{i % 4 * 25:02d}", text) for i, (_, text) in enumerate(texts(split))]
        (tmp_path / f"{split}.csv").write_text(table(rows, delimiter=";"))
    task = load(tmp_path)
    assert task.kind == "regression" and task.train[1].label == 1.25
    assert any("decimal comma" in note for note in task.notes)


def spans(tags: list[str]) -> list[tuple[str, int, int]]:
    """Entities of BIO labels."""
    found: list[tuple[str, int, int]] = []
    for i, tag in enumerate(tags):
        if tag[0] == "B":
            found.append((tag[2:], i, i + 1))
        elif tag[0] == "I":
            found[-1] = (*found[-1][:2], i + 1)
    return found


def bioes(tags: list[str], marks: str) -> list[str]:
    """The same entities with marks for (inside, last, single)."""
    found = ["O"] * len(tags)
    for name, start, end in spans(tags):
        several = [f"B-{name}", *[f"{marks[0]}-{name}"] * (end - start - 2), f"{marks[1]}-{name}"]
        found[start:end] = several if end - start > 1 else [f"{marks[2]}-{name}"]
    return found


def iob1(tags: list[str]) -> list[str]:
    found = list(tags)
    for i, tag in enumerate(tags):
        touches = i and tags[i - 1] != "O" and tags[i - 1][2:] == tag[2:]
        if tag[0] == "B" and not touches:
            found[i] = f"I-{tag[2:]}"
    return found


SCHEMES = {
    "BIO": lambda tags: tags,
    "BIOES": lambda tags: bioes(tags, "IES"),
    "BILOU": lambda tags: bioes(tags, "ILU"),
    "BMES": lambda tags: bioes(tags, "MES"),
    "IOB1": iob1,
}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_scheme_of_word_labels_gives_the_same_entities(scheme: str, seed: int) -> None:
    rng = random.Random(seed)
    sentences = []
    for _ in range(30):
        tags: list[str] = []
        while len(tags) < 12:
            name, length = rng.choice("xyz"), rng.randint(1, 3)
            tags += rng.choice([["O"] * length, [f"B-{name}", *[f"I-{name}"] * (length - 1)]])
        sentences.append(tags)
    table = [("f, line 1", {"tokens": ["w"] * len(t), "tags": SCHEMES[scheme](t)}) for t in sentences]
    reading = Reading()
    found = [tags for _, _, tags in tagged({"train": table}, reading)["train"]]
    assert found == sentences
    assert bool(reading.notes) == (scheme != "BIO")


@pytest.mark.parametrize("separator", ["\t", " "])
def test_conll_with_four_columns_and_comments(tmp_path: Path, separator: str) -> None:
    lines = ["-DOCSTART- -X- O O", "", "# sentence 1", "EU NNP I-NP I-ORG", "# NN I-NP O", "rejects VBZ I-VP O", "", ""]
    block = "\n".join(
        line if line[:2] in ("# ", "-D", "") and line != lines[4] else line.replace(" ", separator) for line in lines
    )
    for split in SPLITS:
        (tmp_path / f"{split}.conll").write_text(block)
    task = load(tmp_path)
    assert task.train[0].text_a == "EU # rejects" and task.labels == ("O", "B-ORG")
    assert any("4 columns" in note for note in task.notes) and any("comment" in note for note in task.notes)
