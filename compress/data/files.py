"""Reading rows of TSV, CSV, JSON, JSON lines, Parquet, CoNLL and plain text, with errors that name file and line.

All but Parquet may be compressed (.gz).
"""

import gzip
import json
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from compress.data.reading import Reading, Row, Table
from compress.data.separated import separated
from compress.errors import DataError

LINE = "line"  # the column of a plain text's lines
_BYTE_ORDER_MARKS = {
    b"\xef\xbb\xbf": "utf-8",
    b"\xff\xfe\x00\x00": "utf-32-le",  # before UTF-16's, which it begins with
    b"\x00\x00\xfe\xff": "utf-32-be",
    b"\xff\xfe": "utf-16-le",
    b"\xfe\xff": "utf-16-be",
}
_HALF = re.compile("[\ud800-\udfff]")  # half of a UTF-16 pair, which is no character
_BOOKS = (".xlsx", ".xls", ".ods", ".numbers")
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


def read_text(file: Path) -> str:
    """The file's text, unpacked, its encoding by the byte order mark (else UTF-8), its lines ending in \\n.

    A \\r before the \\n stays. Raises DataError with the line that can't be decoded.
    """
    data = file.read_bytes()
    if file.suffix == ".gz":
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(
                "this is not a gzip file, or a damaged one", where=str(file), remedy="pack it again"
            ) from error
    mark = next((m for m in _BYTE_ORDER_MARKS if data.startswith(m)), b"")
    encoding = _BYTE_ORDER_MARKS.get(mark, "utf-8")
    data = data.removeprefix(mark)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise DataError(
            f"this is not {encoding.upper()} (byte 0x{data[error.start]:02x})",
            where=f"{file}, line {line}",
            remedy="save the file as UTF-8",
        ) from error
    if "\0" in text:
        raise DataError(
            "there are NUL characters: this is no text, or UTF-16 without its mark",
            where=f"{file}, line {text[: text.index(chr(0))].count(chr(10)) + 1}",
            remedy="save the file as UTF-8",
        )
    return text if "\n" in text else text.replace("\r", "\n")


def _read_separated(file: Path, reading: Reading) -> Iterator[tuple[str, Row]]:
    return separated(read_text(file), file, reading, tabs=suffix_of(file) == ".tsv")


def _read_jsonl(file: Path, reading: Reading) -> Iterator[tuple[str, Row]]:
    yield from _json_lines(read_text(file), file, reading)


def _json_lines(text: str, file: Path, reading: Reading) -> Iterator[tuple[str, Row]]:
    def row_of(place: str, line: str) -> Callable[[], Row]:
        def read() -> Row:
            try:
                return _object(json.loads(line), place, reading)
            except json.JSONDecodeError as error:
                raise DataError(
                    f"this is not JSON ({error.msg})", where=place, remedy="write one JSON object a line"
                ) from error
            except RecursionError as error:
                raise DataError("this JSON is nested too deep", where=place, remedy="write flat rows") from error

        return read

    places = ((f"{file}, line {n}", line) for n, line in enumerate(text.split("\n"), 1) if line.strip())
    yield from reading.usable((place, row_of(place, line)) for place, line in places)


def _object(row: object, place: str, reading: Reading) -> Row:
    if not isinstance(row, dict):
        raise DataError("this is not a JSON object", where=place, remedy='write {"label": ..., "text": ...}')
    whole = _whole_characters(row)
    if whole != row:
        reading.note(f"{place}: half a character (a lone surrogate) was read as U+FFFD; other places may have more")
    return {str(name).strip(): value for name, value in whole.items()}


def _whole_characters(value: Any) -> Any:
    """The same with U+FFFD for halves of UTF-16 pairs, which JSON can escape and no tokenizer can read."""
    if isinstance(value, str):
        return _HALF.sub("\ufffd", value)
    if isinstance(value, list):
        return [_whole_characters(each) for each in value]
    if isinstance(value, dict):
        return {_whole_characters(name): _whole_characters(each) for name, each in value.items()}
    return value


def _read_json(file: Path, reading: Reading) -> Iterator[tuple[str, Row]]:
    """An array of objects, alone or under one key; JSON lines; or SQuAD's nesting."""
    text = read_text(file)
    try:
        content = json.loads(text)
    except RecursionError as error:
        raise DataError("this JSON is nested too deep", where=str(file), remedy="write an array of objects") from error
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and error.lineno > 1:  # a whole object before it: one a line
            yield from _json_lines(text, file, reading)
            return
        raise DataError(
            f"this is not JSON ({error.msg})", where=f"{file}, line {error.lineno}", remedy="correct it"
        ) from error
    if isinstance(content, dict) and len(content) == 1 and not _nested(content):
        content = next(iter(content.values()))  # such as {"data": [{...}, ...]}
    if isinstance(content, dict) and not isinstance(content.get("data"), list) and "label" in content:
        content = [content]
    if isinstance(content, list):
        numbered = ((f"{file}, object {number}", row) for number, row in enumerate(content, 1))
        yield from reading.usable((place, lambda p=place, r=row: _object(r, p, reading)) for place, row in numbered)  # type: ignore[misc]
    else:
        yield from _squad(content, file, reading)


def _nested(content: dict[str, Any]) -> bool:
    """Whether this is SQuAD's nesting."""
    articles = content.get("data")
    return isinstance(articles, list) and any(isinstance(a, dict) and "paragraphs" in a for a in articles)


def _squad(content: Any, file: Path, reading: Reading) -> Iterator[tuple[str, Row]]:
    """The nesting of articles, paragraphs and questions of SQuAD v1.1 and v2.0."""
    try:
        for number, article in enumerate(content["data"], 1):
            for paragraph in article["paragraphs"]:
                for question in paragraph["qas"]:
                    answers = [{"start": a.get("answer_start"), **a} for a in question["answers"]]
                    row = {"question": question["question"], "context": paragraph["context"], "answers": answers}
                    row |= {key: question[key] for key in ("is_impossible",) if key in question}
                    place = f"{file}, article {number}, question {question.get('id', '?')}"
                    yield place, _object(row, place, reading)
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"this is neither an array of objects nor SQuAD's JSON ({type(error).__name__}: {error})",
            where=str(file),
            remedy='write [{"label": ..., "text": ...}, ...], or {"data": [{"paragraphs": [{"context", "qas": '
            '[{"question", "answers"}]}]}]}',
        ) from error


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
        yield f"{file}, row {number}", row


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
    for number, line in enumerate(read_text(file).split("\n"), 1):
        if line.strip():
            yield f"{file}, line {number}", {LINE: line.strip()}


_READERS: dict[str, Callable[[Path, Reading], Iterator[tuple[str, Row]]]] = {
    ".tsv": _read_separated,
    ".csv": _read_separated,
    ".jsonl": _read_jsonl,
    ".parquet": _read_parquet,
    ".conll": _read_conll,
    ".json": _read_json,
    ".txt": _read_lines,
}
SUFFIXES = tuple(_READERS)
