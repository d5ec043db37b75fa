"""Reading rows of TSV, CSV, JSON, JSON lines, Parquet, CoNLL and plain text, with errors that name file and line.

All but Parquet may be compressed (.gz).
"""

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from compress.data.columns import is_header
from compress.data.decoding import read_text
from compress.data.json_rows import read_json, read_jsonl
from compress.data.reading import Reading, Row, Table
from compress.data.separated import separated
from compress.errors import DataError

LINE = "line"  # the column of a plain text's lines
_BOOKS = (".xlsx", ".xls", ".ods", ".numbers")
_FASTTEXT = "__label__"
_BIO = re.compile(r"O|[A-Za-z]-\S+")


def suffix_of(file: Path) -> str:
    """What the name ends with, without .gz."""
    return Path(file.name.removesuffix(".gz")).suffix.lower()


def read_rows(file: Path, reading: Reading) -> Table:
    """(place, row) of every row. Raises DataError where there is no table."""
    suffix = suffix_of(file)
    if suffix in _BOOKS:
        raise DataError(
            "this is a spreadsheet", where=str(file), remedy="save the sheet with the texts as CSV, and give that file"
        )
    if suffix not in _READERS:
        raise DataError(f"'{suffix}' files can't be read", where=str(file), remedy=f"use one of {', '.join(SUFFIXES)}")
    if file.stat().st_size == 0:
        raise DataError("the file is empty", where=str(file), remedy="it needs a header and at least one row")
    rows = list(_READERS[suffix](file, reading))
    if not rows:
        raise DataError("there are no rows in the file", where=str(file), remedy="add examples")
    return rows


def _read_separated(file: Path, reading: Reading) -> Iterator[tuple[str, Row]]:
    text = read_text(file)
    if text.lstrip().startswith(('{"', "[{", "[\n")):
        raise DataError("this looks like JSON", where=str(file), remedy="let its name end with .json or .jsonl")
    return separated(text, file, reading, tabs=suffix_of(file) == ".tsv")


def _read_parquet(file: Path, reading: Reading) -> Iterator[tuple[str, Row]]:
    import pyarrow
    import pyarrow.parquet

    from compress.data.arrow import named_labels

    try:
        table = pyarrow.parquet.read_table(file)
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise DataError(
            "this is not a Parquet file, or a damaged one", where=str(file), remedy="write it again"
        ) from error
    for number, row in enumerate(named_labels(table.to_pylist(), table.schema.metadata), 1):
        yield f"{file}, row {number}", {name: _as_text(value) for name, value in row.items()}


def _as_text(value: object) -> object:
    """UTF-8 in a column of bytes as a string; any other value as it is."""
    try:
        return value.decode() if isinstance(value, bytes) else value
    except UnicodeDecodeError:
        return value


def _read_conll(file: Path, reading: Reading) -> Iterator[tuple[str, Row]]:
    """A word a line, its label last, with tabs or blanks between; an empty line after each sentence.

    Columns between are left out; so are -DOCSTART- and lines of comment, which begin with # and are no row.
    """
    lines = [(n, line.rstrip("\r")) for n, line in enumerate([*read_text(file).split("\n"), ""], 1)]
    tabs = any("\t" in line for _, line in lines)
    rows = [(number, line, line.split("\t") if tabs else line.split()) for number, line in lines]
    widths = Counter(len(cells) for _, line, cells in rows if line.strip() and not line.startswith("#"))
    usual = max(widths, key=lambda width: widths[width], default=2)
    if usual > 2:
        reading.note(f"{file.name} has {usual} columns: the first is the word, the last its label; others are not used")
    words: list[str] = []
    tags: list[str] = []
    comments, first, broken = 0, 0, None
    for number, line, cells in rows:
        if line.startswith("-DOCSTART-"):
            continue
        if line.startswith("#") and (len(cells) != usual or not _BIO.fullmatch(cells[-1])):
            comments += 1
        elif not line.strip():
            if broken:
                reading.bad_row(broken)
            elif words:
                yield f"{file}, line {first}", {"tokens": words, "tags": tags}
            words, tags, first, broken = [], [], 0, None
        elif len(cells) < 2 or not cells[0].strip():
            broken = broken or DataError(
                "this line has a label without a word" if len(cells) > 1 else "this line has a word without a label",
                where=f"{file}, line {number}",
                remedy="write the word, a tab and its label",
            )
        else:
            first = first or number
            words.append(cells[0])
            tags.append(cells[-1].strip())
    if comments:
        reading.note(f"{comments:,} lines of comment (#) in {file.name} are not used")


def _read_lines(file: Path, reading: Reading) -> Iterator[tuple[str, Row]]:
    """Plain text, a text a line; a table with a usual header, and fastText's lines, are read as what they are."""
    text = read_text(file)
    lines = [(f"{file}, line {n}", line.strip()) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
    if lines and is_header(re.split(r"[\t,;|]", lines[0][1])):
        reading.note(f"{file.name} begins with a header, so it is read as a table; a plain text has none")
        yield from separated(text, file, reading, tabs="\t" in lines[0][1])
    elif lines and all(line.startswith(_FASTTEXT) for _, line in lines):
        reading.note(f"{file.name} has fastText's form: each line begins with its {_FASTTEXT}NAME")
        yield from _fasttext(lines)
    else:
        for place, line in lines:
            yield place, {LINE: line}


def _fasttext(lines: list[tuple[str, str]]) -> Iterator[tuple[str, Row]]:
    """fastText's lines: one label or several, then the text."""
    rows = []
    for place, line in lines:
        words = line.split()
        labels = list(itertools.takewhile(lambda word: word.startswith(_FASTTEXT), words))
        rows.append((place, [label.removeprefix(_FASTTEXT) for label in labels], " ".join(words[len(labels) :])))
    several = any(len(names) > 1 for _, names, _ in rows)
    for place, names, text in rows:
        yield place, {"label": names if several else names[0], "text": text}


_READERS: dict[str, Callable[[Path, Reading], Iterator[tuple[str, Row]]]] = {
    ".tsv": _read_separated,
    ".csv": _read_separated,
    ".jsonl": read_jsonl,
    ".parquet": _read_parquet,
    ".conll": _read_conll,
    ".json": read_json,
    ".txt": _read_lines,
}
SUFFIXES = tuple(_READERS)
