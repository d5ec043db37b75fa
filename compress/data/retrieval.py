"""A corpus, queries and which passages answer them: corpus, queries, qrels and splits, each a table in one folder."""

import random
from collections import Counter
from pathlib import Path

from compress.data.classes import number_of
from compress.data.files import SUFFIXES, read_rows
from compress.data.reading import Reading, Row
from compress.data.splits import Splits
from compress.data.task import SPLITS, Example, Relevant
from compress.errors import DataError

_NEEDED = ("corpus", "queries", "qrels")
_SPLITS = {"training": "train", "validation": "dev", "valid": "dev", "val": "dev"}
_SHOWN = 5  # queries that a note names
Placed = dict[str, tuple[str, Row]]  # id → (place, row)


def corpus_files(folder: Path) -> dict[str, Path]:
    """The files of corpus, queries and qrels that a folder has, by name."""
    found: dict[str, Path] = {}
    for name in _NEEDED:
        for suffix in SUFFIXES:
            for packed in ("", ".gz"):
                if (file := folder / f"{name}{suffix}{packed}").is_file():
                    found.setdefault(name, file)
    return found


def searched_corpus(folder: Path, reading: Reading, seed: int) -> tuple[Splits, tuple[str, ...]]:
    """(splits, passages): training has pairs of a query and a passage, dev and test queries with relevant passages.

    Without a file of splits half of the queries are dev, half test, and training has the passages alone.
    Raises DataError with the file and line at fault.
    """
    files = corpus_files(folder)
    passages, queries = (_by_id(files[name], reading) for name in ("corpus", "queries"))
    place_of = {key: i for i, key in enumerate(passages)}
    corpus = tuple(_passage(*passages[key]) for key in passages)
    relevant = _relevant(files["qrels"], reading, queries, place_of, files)
    used = {key: row for key, row in queries.items() if key in relevant}
    if without := [key for key in queries if key not in relevant]:
        shown = ", ".join(without[:_SHOWN]) + (f" and {len(without) - _SHOWN:,} more" if len(without) > _SHOWN else "")
        reading.note(f"{len(without):,} of {len(queries):,} queries have no relevant passage and are left out: {shown}")
    split_of = _splits(folder, reading, queries, list(used), seed)
    splits: Splits = {name: [] for name in SPLITS}
    for key, (place, row) in used.items():
        text, part = _text(place, row), row.get("part")
        found, split = relevant[key], split_of.get(key)
        if split == "train":
            splits["train"] += [Example(text, corpus[r.passage], None) for r in found]
        elif split is not None:
            splits[split].append(Example(text, None, tuple(found), str(part) if part else None))
    if not splits["train"]:
        splits["train"] = [Example(text, None, None) for text in corpus]
    return splits, corpus


def _by_id(file: Path, reading: Reading) -> Placed:
    """The rows of a table with a column id. Raises DataError for an id that is missing or occurs twice."""
    found: Placed = {}

    def read(place: str, row: Row) -> None:
        key = _id(place, row, "id")
        if key in found:
            raise DataError(f"the id {key} occurs twice (first at {found[key][0]})", where=place, remedy="remove one")
        _text(place, row)
        found[key] = (place, row)

    for _ in reading.each(read_rows(file, reading), read):
        pass
    return found


def _relevant(
    file: Path, reading: Reading, queries: Placed, place_of: dict[str, int], files: dict[str, Path]
) -> dict[str, list[Relevant]]:
    """Query → its relevant passages. A relevance of 0 says that a passage is none."""
    found: dict[str, list[Relevant]] = {}
    seen: dict[tuple[str, str], str] = {}

    def read(place: str, row: Row) -> None:
        query, passage = _id(place, row, "query_id"), _id(place, row, "corpus_id")
        for key, known, name in ((query, queries, "queries"), (passage, place_of, "corpus")):
            if key not in known:
                raise DataError(f"the id {key} is not in {files[name].name}", where=place, remedy="correct it")
        if (query, passage) in seen:
            raise DataError(
                f"the relevance of {passage} for {query} is given twice (first at {seen[query, passage]})",
                where=place,
                remedy="remove one",
            )
        seen[query, passage] = place
        grade = number_of(str(row.get("relevance", 1)).strip())
        if grade is None or grade < 0:
            raise DataError(
                f"the relevance {row.get('relevance')!r} is no number of at least 0", where=place, remedy="correct it"
            )
        if grade > 0:
            found.setdefault(query, []).append(Relevant(place_of[passage], grade))

    for _ in reading.each(read_rows(file, reading), read):
        pass
    return found


def _splits(folder: Path, reading: Reading, queries: Placed, used: list[str], seed: int) -> dict[str, str]:
    """Query → split, from the file of splits, or half and half."""
    file = next((f for suffix in SUFFIXES if (f := folder / f"splits{suffix}").is_file()), None)
    if file is None:
        drawn = random.Random(seed).sample(used, len(used))
        dev = set(drawn[: len(drawn) // 2])
        reading.note(
            f"there is no file of splits: {len(dev):,} queries are dev, {len(used) - len(dev):,} test ({seed=})"
        )
        return {key: "dev" if key in dev else "test" for key in used}
    found: dict[str, str] = {}

    def read(place: str, row: Row) -> None:
        key, split = _id(place, row, "query_id"), str(row.get("split", "")).strip()
        split = _SPLITS.get(split, split)
        if key not in queries:
            raise DataError(f"the query {key} is not in the file of queries", where=place, remedy="correct it")
        if split not in SPLITS:
            raise DataError(f"the split '{split}' is none of {', '.join(SPLITS)}", where=place, remedy="correct it")
        if found.setdefault(key, split) != split:
            raise DataError(f"the query {key} is in {found[key]} and in {split}", where=place, remedy="keep one")

    for _ in reading.each(read_rows(file, reading), read):
        pass
    if outside := sum(key not in found for key in used):
        reading.note(f"{outside:,} queries are in no split and are not used")
    counts = Counter(found[key] for key in used if key in found)
    if missing := [s for s in ("dev", "test") if not counts[s]]:
        raise DataError(
            f"no query with a relevant passage is in the {missing[0]} split", where=str(file), remedy="add some"
        )
    return found


def _id(place: str, row: Row, column: str) -> str:
    value = str(row.get(column) if row.get(column) is not None else "").strip()
    if not value:
        raise DataError(f"the column {column} is missing or empty", where=place, remedy="fill it in")
    return value


def _text(place: str, row: Row) -> str:
    value = row.get("text")
    if not isinstance(value, str) or not value.strip():
        raise DataError("the text in column text is empty", where=place, remedy="fill it in or remove the row")
    return value


def _passage(place: str, row: Row) -> str:
    """A passage's text, after its title where it has one."""
    title = row.get("title")
    return f"{title}. {_text(place, row)}" if isinstance(title, str) and title.strip() else _text(place, row)
