"""Reading rows of TSV, CSV, JSONL, Parquet, CoNLL, SQuAD's JSON and plain text, with errors that name file and line.

TSV has no quoting (a " is a character of the text); CSV is quoted in the usual way. Both need a header line. All may be
compressed (.gz), but for Parquet, which is by itself.
"""

import csv
import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path

from compress.errors import DataError

SUFFIXES = (".tsv", ".csv", ".jsonl", ".parquet", ".conll", ".json", ".txt")
LINE = "line"  # the column of a plain text's lines
Row = dict[str, object]


def read_rows(file: Path) -> list[tuple[str, Row]]:
    """(place, row) of every row; place is "FILE, line N" for messages. Raises DataError where there is no table."""
    suffix = Path(file.name.removesuffix(".gz")).suffix
    if suffix not in _READERS:
        raise DataError(f"'{suffix}' files can't be read", where=str(file), remedy=f"use one of {', '.join(SUFFIXES)}")
    if file.stat().st_size == 0:
        raise DataError("the file is empty", where=str(file), remedy="it needs a header and at least one row")
    rows = list(_READERS[suffix](file))
    if not rows:
        raise DataError("there are no rows in the file", where=str(file), remedy="add examples")
    return rows


def read_text(file: Path) -> str:
    """The file's text, unpacked, without a byte order mark. Raises DataError with the line that is not UTF-8."""
    data = file.read_bytes()
    if file.suffix == ".gz":
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(
                "this is not a gzip file, or a damaged one", where=str(file), remedy="pack it again"
            ) from error
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise DataError(
            f"this is not UTF-8 (byte 0x{data[error.start]:02x})",
            where=f"{file}, line {line}",
            remedy="save the file as UTF-8",
        ) from error


def _read_separated(file: Path) -> Iterator[tuple[str, Row]]:
    lines = read_text(file).split("\n")  # not splitlines: other Unicode line separators belong to the text
    if ".csv" not in file.suffixes:
        table = ((n, line.rstrip("\r").split("\t")) for n, line in enumerate(lines, 1) if line.strip())
    else:
        reader = csv.reader((line + "\n" for line in lines), strict=True)
        table = ((reader.line_num, cells) for cells in _csv_rows(reader, file) if any(cells))
    _, header = next(table)
    if len(set(header)) < len(header):
        raise DataError(
            f"a column name occurs twice in the header {header}", where=f"{file}, line 1", remedy="rename one"
        )
    for number, cells in table:
        place = f"{file}, line {number}"
        if len(cells) != len(header):
            raise DataError(
                f"{len(cells)} columns where the header has {len(header)} ({', '.join(header)})",
                where=place,
                remedy="give every row the same columns",
            )
        yield place, dict(zip(header, cells, strict=True))


def _csv_rows(reader: Iterator[list[str]], file: Path) -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error as error:
        line = getattr(reader, "line_num", "?")
        raise DataError(
            f"this is not valid CSV ({error})", where=f"{file}, line {line}", remedy="correct the quoting"
        ) from error


def _read_jsonl(file: Path) -> Iterator[tuple[str, Row]]:
    for number, line in enumerate(read_text(file).split("\n"), 1):
        if not line.strip():
            continue
        place = f"{file}, line {number}"
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise DataError(
                f"this is not JSON ({error.msg})", where=place, remedy="write one JSON object a line"
            ) from error
        if not isinstance(row, dict):
            raise DataError("this line is not a JSON object", where=place, remedy='write {"label": ..., "text": ...}')
        yield place, row


def _read_parquet(file: Path) -> Iterator[tuple[str, Row]]:
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(file)
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise DataError(
            "this is not a Parquet file, or a damaged one", where=str(file), remedy="write it again"
        ) from error
    for number, row in enumerate(table.to_pylist(), 1):
        yield f"{file}, row {number}", row


def _read_conll(file: Path) -> Iterator[tuple[str, Row]]:
    """A word a line, its label last, with tabs or blanks between; an empty line behind each sentence."""
    words: list[str] = []
    tags: list[str] = []
    for number, line in enumerate([*read_text(file).split("\n"), ""], 1):
        cells = line.rstrip("\r").split("\t" if "\t" in line else None)
        if line.startswith("-DOCSTART-"):
            continue
        if not line.strip():
            if words:
                yield f"{file}, line {number - len(words)}", {"tokens": words, "tags": tags}
            words, tags = [], []
        elif len(cells) < 2:
            raise DataError(
                "this line has a word without a label",
                where=f"{file}, line {number}",
                remedy="write the word, a tab and its label",
            )
        else:
            words.append(cells[0])
            tags.append(cells[-1])


def _read_squad(file: Path) -> Iterator[tuple[str, Row]]:
    """SQuAD v1.1's nesting of articles, paragraphs and questions."""
    try:
        for number, article in enumerate(json.loads(read_text(file))["data"], 1):
            for paragraph in article["paragraphs"]:
                for asked in paragraph["qas"]:
                    answers = [{"start": a.get("answer_start"), **a} for a in asked["answers"]]
                    row = {"question": asked["question"], "context": paragraph["context"], "answers": answers}
                    yield f"{file}, article {number}, question {asked.get('id', '?')}", row
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"this is not SQuAD's JSON ({type(error).__name__}: {error})",
            where=str(file),
            remedy='it needs {"data": [{"paragraphs": [{"context", "qas": [{"question", "answers"}]}]}]}',
        ) from error


def _read_lines(file: Path) -> Iterator[tuple[str, Row]]:
    for number, line in enumerate(read_text(file).split("\n"), 1):
        if line.strip():
            yield f"{file}, line {number}", {LINE: line.strip()}


_READERS = {
    ".tsv": _read_separated,
    ".csv": _read_separated,
    ".jsonl": _read_jsonl,
    ".parquet": _read_parquet,
    ".conll": _read_conll,
    ".json": _read_squad,
    ".txt": _read_lines,
}
