"""Data as people have it, and that is easy to read wrongly. `write(folder, rng)` writes an instance of its kind."""

import csv
import io
import json
import random
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

WORDS = {
    "happy": ["glad", "merry", "sunny", "lovely", "bright", "kind", "sweet", "warm", "cheerful", "joyful"],
    "sad": ["gloomy", "bitter", "cold", "grim", "dull", "bleak", "sorry", "dark", "weary", "tearful"],
}
SPLITS = {"train": 80, "dev": 30, "test": 30}


def rows(rng: random.Random, count: int, labels: Sequence[Any] = ("happy", "sad")) -> list[tuple[Any, str]]:
    """(label, text); the label stands in the text."""
    found = []
    for i in range(count):
        k = i % len(labels)
        word = rng.choice(WORDS["happy" if k % 2 else "sad"])
        found.append((labels[k], f"so {word} it was on day {rng.randrange(10**6)} , really"))
    return found


def tsv(folder: Path, rng: random.Random, labels: Sequence[Any] = ("happy", "sad")) -> None:
    """Plain files without anything odd."""
    for split, count in SPLITS.items():
        _table(folder / f"{split}.tsv", rows(rng, count, labels))


def _table(file: Path, content: Iterable[Sequence[Any]], header: Sequence[str] = ("label", "text")) -> None:
    file.write_text("\n".join("\t".join(map(str, r)) for r in [header, *content]) + "\n", encoding="utf-8")


def _csv(content: Iterable[Sequence[Any]], header: Sequence[str], delimiter: str = ",") -> str:
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter).writerows([header, *content])
    return stream.getvalue()


def _jsonl(file: Path, content: Iterable[dict[str, Any]]) -> None:
    file.write_text("\n".join(json.dumps(row) for row in content) + "\n", encoding="utf-8")


def numbered(folder: Path, rng: random.Random) -> None:
    """Classes that are only numbers."""
    tsv(folder, rng, ("0", "1"))


def pairs(folder: Path, rng: random.Random) -> None:
    """Two texts a row."""
    for split, count in SPLITS.items():
        content = [(label, text, f"it was {label}") for label, text in rows(rng, count)]
        _table(folder / f"{split}.tsv", content, ("label", "text_a", "text_b"))


def long_texts(folder: Path, rng: random.Random) -> None:
    """Texts beyond the model's longest input."""
    for split, count in SPLITS.items():
        content = [(label, " ".join([text] * rng.randint(2, 20))) for label, text in rows(rng, count)]
        _table(folder / f"{split}.tsv", content)


def half_a_character(folder: Path, rng: random.Random) -> None:
    """JSON's escape of half an emoji."""
    tsv(folder, rng)
    (folder / "train.tsv").unlink()
    content = [json.dumps({"label": label, "text": text}) for label, text in rows(rng, 80)]
    place = rng.randrange(80)
    half = rng.choice(["\\ud83d", "\\ude00"])
    content[place] = content[place].replace("it was", f"it {half} was")
    (folder / "train.jsonl").write_text("\n".join(content) + "\n", encoding="utf-8")


def huge_cell(folder: Path, rng: random.Random) -> None:
    """A document of more than 128 KiB in a cell."""
    for split, count in SPLITS.items():
        content = rows(rng, count)
        if split == "train":
            content[rng.randrange(count)] = ("sad", "dull day " * rng.randint(15_000, 40_000))
        (folder / f"{split}.csv").write_text(_csv(content, ("label", "text")), encoding="utf-8")


def several_labels(folder: Path, rng: random.Random) -> None:
    """Lists of 0 and 1 as labels: several a text."""
    for split, count in SPLITS.items():
        width = rng.randint(2, 4)
        content = [{"label": [rng.randint(0, 1) for _ in range(width)], "text": text} for _, text in rows(rng, count)]
        _jsonl(folder / f"{split}.jsonl", content)


def array(folder: Path, rng: random.Random) -> None:
    """A JSON array of objects."""
    for split, count in SPLITS.items():
        content = [{"label": label, "text": text} for label, text in rows(rng, count)]
        (folder / f"{split}.json").write_text(json.dumps(content, indent=rng.choice([None, 1])), encoding="utf-8")


def _dataset(rng: random.Random, count: int) -> Any:
    import datasets

    content = {"label": [i % 2 for i in range(count)], "text": [text for _, text in rows(rng, count)]}
    features = datasets.Features(
        {"label": datasets.ClassLabel(names=["sad", "happy"]), "text": datasets.Value("string")}
    )
    return datasets.Dataset.from_dict(content, features=features)


def named_classes(folder: Path, rng: random.Random) -> None:
    """Parquet whose metadata has the names of the classes."""
    for split, count in SPLITS.items():
        _dataset(rng, count).to_parquet(folder / f"{split}.parquet")


def saved_to_disk(folder: Path, rng: random.Random) -> None:
    """What `DatasetDict.save_to_disk` writes."""
    import datasets

    datasets.DatasetDict({split: _dataset(rng, count) for split, count in SPLITS.items()}).save_to_disk(folder)


def plain_text(folder: Path, rng: random.Random) -> None:
    """Lines without labels, for an encoder without a head: masked words."""
    for split, count in SPLITS.items():
        (folder / f"{split}.txt").write_text("\n".join(text for _, text in rows(rng, count)), encoding="utf-8")


def few_texts(folder: Path, rng: random.Random) -> None:
    """One file, many classes, few texts of each."""
    names = [f"class {i}" for i in range(rng.randint(20, 40))]
    _table(folder / "train.tsv", rows(rng, len(names) * rng.randint(3, 6), names))


def other_columns(folder: Path, rng: random.Random) -> None:
    """A pair in columns with other usual names."""
    first, second = rng.choice([("question", "sentence"), ("question", "passage"), ("title", "body")])
    for split, count in SPLITS.items():
        content = [(label, "was it so ?", text) for label, text in rows(rng, count)]
        _table(folder / f"{split}.tsv", content, ("label", first, second))


def a_third_column(folder: Path, rng: random.Random) -> None:
    """A column of text beside the one that is used."""
    for split, count in SPLITS.items():
        content = [(label, text, f"remark {i}") for i, (label, text) in enumerate(rows(rng, count))]
        _table(folder / f"{split}.tsv", content, ("label", "text", "remarks"))


def without_answers(folder: Path, rng: random.Random) -> None:
    """SQuAD v2.0: questions that the passage does not answer."""
    for split, count in SPLITS.items():
        asked = []
        for i in range(count):
            answer = rng.choice(WORDS["happy"])
            passage = f"On day {rng.randrange(10**6)} it was {answer} again ."
            answers = [] if i % 3 == 0 else [{"text": answer, "answer_start": passage.index(answer)}]
            question = {"id": f"{split}{i}", "question": "How was it?", "answers": answers}
            asked.append({"context": passage, "qas": [question | {"is_impossible": not answers}]})
        content = {"version": "v2.0", "data": [{"title": "days", "paragraphs": asked}]}
        (folder / f"{split}.json").write_text(json.dumps(content), encoding="utf-8")


def other_tags(folder: Path, rng: random.Random) -> None:
    """Labels of words as BIOES."""
    scheme = rng.choice([("S", "E"), ("U", "L")])
    for split, count in SPLITS.items():
        blocks = []
        for i in range(count):
            name = rng.choice(WORDS["happy"])
            one = [(name, f"{scheme[0]}-mood")]
            two = [(name, "B-mood"), ("again", f"{scheme[1]}-mood")]
            words = [("it", "O"), ("was", "O"), *(one if i % 2 else two), (str(rng.randrange(10**6)), "O")]
            blocks.append("\n".join(f"{word}\t{tag}" for word, tag in words))
        (folder / f"{split}.conll").write_text("\n\n".join(blocks) + "\n", encoding="utf-8")


def no_number(folder: Path, rng: random.Random) -> None:
    """A score that is no number among scores."""
    steps = rng.choice([4, 1000])
    for split, count in SPLITS.items():
        content = [(rng.randrange(1, 5 * steps) / steps, text) for _, text in rows(rng, count)]
        if split == "train":
            content[0] = (0.25, content[0][1])
            content[rng.randrange(1, count)] = (rng.choice(["nan", "NaN", "inf", "-inf"]), content[0][1])
        _table(folder / f"{split}.tsv", content)


def two_spellings(folder: Path, rng: random.Random) -> None:
    """0 and 0.0, or true and True: one class in two spellings."""
    first, second = rng.choice([(("0.0", "1.0"), ("0", "1")), (("true", "false"), ("True", "False"))])
    for split, count in SPLITS.items():
        _table(folder / f"{split}.tsv", rows(rng, count, first if split == "train" else second))


def from_a_spreadsheet(folder: Path, rng: random.Random) -> None:
    """Another delimiter, another encoding, other line ends."""
    delimiter, encoding = rng.choice([(";", "utf-8"), (";", "utf-8-sig"), (",", "utf-16"), ("\t", "utf-16")])
    for split, count in SPLITS.items():
        text = _csv(rows(rng, count), ("label", "text"), delimiter)
        if rng.random() < 0.3:
            text = text.replace("\r\n", "\r")
        (folder / f"{split}.csv").write_bytes(text.encode(encoding))


def other_header(folder: Path, rng: random.Random) -> None:
    """Blanks and capitals in the header, or other usual names."""
    header = rng.choice([("label", " text"), ("Label", "Text"), ("category", "review"), ("sentiment", "sentence")])
    for split, count in SPLITS.items():
        (folder / f"{split}.csv").write_text(_csv(rows(rng, count), header), encoding="utf-8")


def one_file(folder: Path, rng: random.Random) -> None:
    """A single file instead of a folder: named by `source`."""
    content = rows(rng, 140)
    kind = rng.choice([".csv", ".tsv", ".jsonl"])
    file = folder / f"reviews{kind}"
    if kind == ".jsonl":
        _jsonl(file, ({"label": label, "text": text} for label, text in content))
    else:
        file.write_text(_csv(content, ("label", "text"), "," if kind == ".csv" else "\t"), encoding="utf-8")


def source(folder: Path) -> Path:
    """What --data gets: the folder, or the single file in it."""
    files = list(folder.glob("reviews.*"))
    return files[0] if files else folder


Writer = Callable[[Path, random.Random], None]
