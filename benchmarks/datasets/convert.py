"""Published files as the files that `pocket-ticket --data` reads: rows from bytes, splits, and the files' text.

A *recipe* takes the downloaded files in the order of the table in `sources.py` and returns {file name: text}.
"""

import csv
import io
import json
import random
import re
import zipfile
from collections.abc import Callable
from typing import Any

Row = tuple[str, ...]  # the label, then one or two texts
Reader = Callable[[bytes], list[Row]]
Recipe = Callable[[list[bytes]], dict[str, str]]
SPLITS = ("train", "dev", "test")
ONE, PAIR, SEVERAL = "label\ttext", "label\ttext_a\ttext_b", "labels\ttext"


# Readers: the rows of one published file, in its order.


def label_first(encoding: str = "utf-8", names: Row = ()) -> Reader:
    """Lines of a label, a blank and a text; rows with an empty text are dropped. `names` replace label numbers."""

    def read(raw: bytes) -> list[Row]:
        cells = (line.partition(" ") for line in raw.decode(encoding).split("\n"))
        rows = [(names[int(label)] if names and text else label, text.strip()) for label, _, text in cells]
        return [row for row in rows if row[1]]

    return read


def columns(*wanted: str | int, separator: str = "\t") -> Reader:
    """Some columns of a table without quoting: by their names in its first line, or by number where it has none."""

    def read(raw: bytes) -> list[Row]:
        table = [line.rstrip("\r").split(separator) for line in raw.decode("utf-8-sig").split("\n") if line.strip()]
        places = [table[0].index(name) if isinstance(name, str) else name for name in wanted]
        return [tuple(_readable(row[i].strip()) for i in places) for row in table[isinstance(wanted[0], str) :]]

    return read


def csv_columns(label: str, text: str) -> Reader:
    """The label and the text of a CSV file with quoting; line breaks inside a text become one blank."""

    def read(raw: bytes) -> list[Row]:
        rows = csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline=""))
        return [(row[label].strip(), " ".join(row[text].split("\n")).strip()) for row in rows]

    return read


def _readable(text: str) -> str:
    """A text whose UTF-8 was once read in another encoding, as it was; every other text unchanged."""
    for encoding in ("latin-1", "cp1252"):
        try:
            return text.encode(encoding).decode("utf-8")
        except UnicodeError:
            continue
    return text


# Recipes: all files of a data set.


def official(read: Reader, head: str = ONE, splits: Row = SPLITS) -> Recipe:
    """A published file for each split."""
    return lambda files: {f"{s}.tsv": table(head, read(raw)) for s, raw in zip(splits, files, strict=True)}


def divided(read: Reader, *sizes: int) -> Recipe:
    """One published file, shuffled with seed 0 and cut into train, dev and test of these sizes."""

    def convert(files: list[bytes]) -> dict[str, str]:
        return {f"{s}.tsv": table(ONE, rows) for s, rows in zip(SPLITS, cut(read(files[0]), *sizes), strict=True)}

    return convert


def dev_from_train(read: Reader, size: int) -> Recipe:
    """Published train and test; the first `size` rows of train, shuffled with seed 0, are dev."""

    def convert(files: list[bytes]) -> dict[str, str]:
        rows = read(files[0])
        dev, train = cut(rows, size, len(rows) - size)
        return {"train.tsv": table(ONE, train), "dev.tsv": table(ONE, dev), "test.tsv": table(ONE, read(files[1]))}

    return convert


def similarity(files: list[bytes]) -> dict[str, str]:
    """STS-B: train and dev with a line of names, test without."""
    named, numbered = columns("score", "sentence1", "sentence2"), columns(4, 5, 6)
    rows = (named(files[0]), named(files[1]), numbered(files[2]))
    return {f"{split}.tsv": table(PAIR, found) for split, found in zip(SPLITS, rows, strict=True)}


def joined_dev(read: Reader) -> Recipe:
    """Published train, then parts of dev that are joined."""

    def convert(files: list[bytes]) -> dict[str, str]:
        dev = [row for raw in files[1:] for row in read(raw)]
        return {"train.tsv": table(ONE, read(files[0])), "dev.tsv": table(ONE, dev)}

    return convert


def parallel(files: list[bytes]) -> dict[str, str]:
    """For each split a file of labels and a file of texts, line by line; the sign for lost characters is removed."""
    lines = [[line.strip() for line in raw.decode("utf-8").split("\n")] for raw in files]
    out = {}
    for split, labels, texts in zip(SPLITS, lines[::2], lines[1::2], strict=True):
        pairs = zip(labels, texts, strict=True)
        rows = [(label, re.sub("\ufffd+ ?", "", text)) for label, text in pairs if text]
        out[f"{split}.tsv"] = table(ONE, rows)
    return out


def several_labels(sample: int) -> Recipe:
    """Names of labels, then each split as text, numbers of labels, id; train is a sample with seed 0, in its order."""

    def convert(files: list[bytes]) -> dict[str, str]:
        names = files[0].decode("utf-8").split()
        out = {}
        for split, raw in zip(SPLITS, files[1:], strict=True):
            rows = [("|".join(names[int(n)] for n in row[1].split(",")), row[0]) for row in columns(0, 1)(raw)]
            if split == "train":
                rows = [rows[i] for i in sorted(random.Random(0).sample(range(len(rows)), sample))]
            out[f"{split}.tsv"] = table(SEVERAL, rows)
        return out

    return convert


def without_repeats(read: Reader) -> Reader:
    """Only the first of equal rows stays."""
    return lambda raw: list(dict.fromkeys(read(raw)))


def word_labels(separator: str = "\t") -> Recipe:
    """A word and its label a line, with a tab between them; lines between sentences become empty."""

    def convert(files: list[bytes]) -> dict[str, str]:
        out = {}
        for split, raw in zip(SPLITS, files, strict=True):
            lines = ["\t".join(line.strip().rsplit(separator, 1)) for line in raw.decode("utf-8").split("\n")]
            out[f"{split}.conll"] = "\n".join(lines[:-1] if not any(lines[-2:]) else lines)
        return out

    return convert


def json_files(*splits: str) -> Recipe:
    """SQuAD's own JSON, unchanged."""
    return lambda files: {f"{s}.json": raw.decode("utf-8") for s, raw in zip(splits, files, strict=True)}


def question_sample(files: list[bytes]) -> dict[str, str]:
    """A list of (context, question, answer) in SQuAD's form, and SQuAD's dev set unchanged.

    The source has no offsets: an answer's offset is the first place where its text occurs.
    """
    passages: dict[str, list[dict[str, Any]]] = {}
    for number, entry in enumerate(json.loads(files[0])):
        context, text = entry["context"], entry["answer"]
        answer = {"text": text, "answer_start": context.find(text), "start_unique": context.count(text) == 1}
        question = {"id": f"routerlens-{number:04d}", "question": entry["question"], "answers": [answer]}
        passages.setdefault(context, []).append(question)
    paragraphs = [{"context": context, "qas": questions} for context, questions in passages.items()]
    train = {"version": "1.1-sample", "data": [{"title": "unknown", "paragraphs": paragraphs}]}
    return {"train.json": json.dumps(train), "dev.json": files[1].decode("utf-8")}


def by_article(train: Row, dev: Row) -> Recipe:
    """One file of SQuAD's form, divided by the titles of its articles; the other articles are test."""

    def convert(files: list[bytes]) -> dict[str, str]:
        whole = json.loads(files[0])
        out = {}
        for split in SPLITS:
            chosen = [
                article
                for article in whole["data"]
                if split == ("train" if article["title"] in train else "dev" if article["title"] in dev else "test")
            ]
            out[f"{split}.json"] = json.dumps({"version": whole["version"], "data": chosen})
        return out

    return convert


def plain_texts(files: list[bytes]) -> dict[str, str]:
    """A text a line without blank lines and runs of blanks: train and dev."""
    names = ("train.txt", "dev.txt")
    lines = [[" ".join(line.split()) for line in raw.decode("utf-8").split("\n")] for raw in files]
    return {name: "".join(f"{line}\n" for line in found if line) for name, found in zip(names, lines, strict=True)}


def long_reviews(files: list[bytes]) -> dict[str, str]:
    """A ZIP of reviews: those of 513 to 1,000 word pieces, shuffled with seed 0."""
    from compress.models.load import load_tokenizer
    from compress.models.source import resolve_model

    archive = zipfile.ZipFile(io.BytesIO(files[0]))
    rows = [
        ("positive" if "/pos/" in name else "negative", " ".join(archive.read(name).decode("utf-8").split()))
        for name in archive.namelist()
        if name.endswith(".txt") and ("/pos/" in name or "/neg/" in name)
    ]
    tokenizer = load_tokenizer(resolve_model("minilm")[1])
    ids = tokenizer([text for _, text in rows], truncation=False, verbose=False)["input_ids"]
    chosen = [row for row, pieces in zip(rows, ids, strict=True) if 513 <= len(pieces) <= 1000]
    parts = cut(chosen, 750, 100, 250)
    return {f"{split}.tsv": table(ONE, part) for split, part in zip(SPLITS, parts, strict=True)}


def cut(rows: list[Row], *sizes: int) -> list[list[Row]]:
    """Rows shuffled with seed 0, then parts of these sizes one after the other."""
    rows = list(rows)
    random.Random(0).shuffle(rows)
    ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
    return [rows[end - size : end] for size, end in zip(sizes, ends, strict=True)]


def table(head: str, rows: list[Row]) -> str:
    """A TSV file's text, without quoting."""
    return "".join(f"{line}\n" for line in (head, *("\t".join(row) for row in rows)))
