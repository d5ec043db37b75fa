"""Tables of separated values as people and spreadsheets write them: which delimiter, which quoting, which header.

In TSV a " is a character of the text, unless every cell that has one is quoted as in CSV. Both need a header line.
"""

import csv
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from compress.data.reading import Reading, Row
from compress.errors import DataError

_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_LOOKED_AT = 50  # rows that show the delimiter
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
Cells = tuple[int, list[str]]  # (line, the row's cells)


def separated(text: str, file: Path, reading: Reading, *, tabs: bool) -> Iterator[tuple[str, Row]]:
    """(place, row) of every row; `tabs`: TSV. Raises DataError for a header without names and for broken quoting."""
    lines = text.split("\n")  # not splitlines: other Unicode line separators belong to the text
    head = next((line for line in lines if line.strip()), "")
    delimiter = "\t" if tabs and "\t" in head else _delimiter(lines, "\t" if tabs else ",")
    if delimiter != ("\t" if tabs else ","):
        reading.note(f"{file.name}: the columns are separated by {_DELIMITERS[delimiter]}")
    if delimiter == "\t" and tabs and not _quoted_tsv(lines):
        table: Iterator[Cells] = ((n, line.rstrip("\r").split("\t")) for n, line in enumerate(lines, 1) if line.strip())
    else:
        if tabs and delimiter == "\t":
            reading.note(f'{file.name}: cells in quotes are read as in CSV ("" is one ")')
        # a blank after each delimiter is no part of a cell, nor of the quotes that may follow it
        blanks = any(cell.startswith(" ") for cell in head.split(delimiter)[1:])
        table = _csv(lines, file, delimiter, blanks)
    yield from reading.usable(_rows(table, file))


def _rows(table: Iterator[Cells], file: Path) -> Iterator[tuple[str, Callable[[], Row]]]:
    first, header = next(table, (1, [""]))
    header = [name.strip() for name in header]
    if len(set(header)) < len(header):
        raise DataError(
            f"a column name occurs twice in the header {header}", where=f"{file}, line {first}", remedy="rename one"
        )
    for number, cells in table:
        place = f"{file}, line {number}"
        yield place, lambda place=place, cells=cells: _row(place, header, cells)  # type: ignore[misc]


def _row(place: str, header: list[str], cells: list[str]) -> Row:
    if len(cells) != len(header):
        raise DataError(
            f"{len(cells)} columns where the header has {len(header)} ({', '.join(header)})",
            where=place,
            remedy="give every row the same columns",
        )
    return dict(zip(header, cells, strict=True))


def _csv(lines: list[str], file: Path, delimiter: str, blanks: bool) -> Iterator[Cells]:
    # documents stand in cells; the standard library's limit of 128 KiB is against broken quoting, which strict finds
    csv.field_size_limit(2**31 - 1)
    ended = (line + "\n" for line in lines)
    reader = csv.reader(ended, delimiter=delimiter, strict=True, skipinitialspace=blanks)
    try:
        for cells in reader:
            if any(cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise DataError(
            f"this is not valid CSV ({error})", where=f"{file}, line {reader.line_num}", remedy="correct the quoting"
        ) from error


def _delimiter(lines: list[str], usual: str) -> str:
    """The delimiter that gives the first rows the same number of columns, two or more; else the usual one."""
    csv.field_size_limit(2**31 - 1)
    best, most = usual, 0
    for delimiter in sorted(_DELIMITERS, key=lambda d: d != usual):
        widths = []
        reader = csv.reader((line + "\n" for line in lines), delimiter=delimiter, skipinitialspace=True)
        for cells in reader:
            if any(cells):
                widths.append(len(cells))
            if len(widths) > _LOOKED_AT:
                break
        agreeing = sum(width == widths[0] for width in widths) if widths and widths[0] > 1 else 0
        if agreeing > most:
            best, most = delimiter, agreeing
    return best


def _quoted_tsv(lines: list[str]) -> bool:
    """Whether a TSV was written with CSV's quoting: "" stands for ", and no cell has quotes of its own."""
    cells = [cell for line in lines if '"' in line for cell in line.rstrip("\r").split("\t") if '"' in cell]
    if not cells or not any('""' in cell[1:-1] for cell in cells):
        return False
    if all(_QUOTED.fullmatch(cell) for cell in cells):
        return True
    try:  # a quoted cell may go over several lines
        rows = [r for r in csv.reader((line + "\n" for line in lines), delimiter="\t", strict=True) if any(r)]
    except csv.Error:
        return False
    return len({len(r) for r in rows}) == 1 and all(cell.startswith('"') or cell.endswith('"') for cell in cells)
