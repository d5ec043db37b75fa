"""Tables of separated values as people and spreadsheets write them: which delimiter, which quoting, which header.

In TSV a " is a character of the text, unless every cell that has one is quoted as in CSV. Both need a header line.
"""

import contextlib
import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from compress.data.columns import again
from compress.data.reading import Reading, Row
from compress.errors import DataError

_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_LOOKED_AT = 50  # rows that show the delimiter
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_SEP = re.compile(r'"?sep=.?"?', re.IGNORECASE)
_MOST_NAMES = 8  # of columns in a message
Cells = tuple[int, list[str]]  # (line, the row's cells)


def separated(text: str, file: Path, reading: Reading, *, tabs: bool) -> Iterator[tuple[str, Row]]:
    """(place, row) of every row; `tabs`: TSV. Raises DataError for a header without names and for broken quoting."""
    lines = text.split("\n")  # not splitlines: other Unicode line separators belong to the text
    if _SEP.fullmatch(lines[0].strip()):  # spreadsheets' word on the delimiter
        lines[0] = ""
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
    _, names = next(table, (1, [""]))
    seen: Counter[str] = Counter()
    header = []
    for name in map(str.strip, names):
        seen[name] += 1
        header.append(again(name, seen[name]) if seen[name] > 1 else name)
    for number, cells in table:
        place = f"{file}, line {number}"
        yield place, lambda place=place, cells=cells: _row(place, header, cells)  # type: ignore[misc]


def _row(place: str, header: list[str], cells: list[str]) -> Row:
    while len(cells) > len(header) and not cells[-1].strip():  # a delimiter at the end
        cells = cells[:-1]
    if len(cells) != len(header):
        raise DataError(
            f"{len(cells)} column{'s'[: len(cells) != 1]} where the header has {len(header)} ({_shown(header)})",
            where=place,
            remedy=_remedy(cells, header),
        )
    return dict(zip(header, cells, strict=True))


def _remedy(cells: list[str], header: list[str]) -> str:
    if len(header) == 1:
        return "the first line must name the columns"
    quotes = ', and put a cell that has the delimiter in quotes (")' if len(cells) > len(header) else ""
    return f"give every row the same columns{quotes}"


def _shown(header: list[str]) -> str:
    more = f" and {len(header) - _MOST_NAMES} more" if len(header) > _MOST_NAMES else ""
    return f"{', '.join(header[:_MOST_NAMES])}{more}"


def _csv(lines: list[str], file: Path, delimiter: str, blanks: bool) -> Iterator[Cells]:
    # documents stand in cells; the standard library's limit of 128 KiB is against broken quoting, which strict finds
    csv.field_size_limit(2**31 - 1)
    ended = (line + "\n" for line in lines)
    reader, before = csv.reader(ended, delimiter=delimiter, strict=True, skipinitialspace=blanks), 0
    try:
        for cells in reader:
            before = reader.line_num
            if any(cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise DataError(
            f"the row that begins here is not valid CSV ({str(error).partition(' - ')[0]})",
            where=f"{file}, line {before + 1}",
            remedy='put cells with quotes in quotes, and write "" for one inside',
        ) from error


def _delimiter(lines: list[str], usual: str) -> str:
    """The delimiter that gives the first rows the same number of columns, two or more; else the usual one."""
    csv.field_size_limit(2**31 - 1)
    best, most = usual, 0
    for delimiter in sorted(_DELIMITERS, key=lambda d: d != usual):
        widths = []
        reader = csv.reader((line + "\n" for line in lines), delimiter=delimiter, skipinitialspace=True)
        with contextlib.suppress(csv.Error):  # reading will meet it again, and say so
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
