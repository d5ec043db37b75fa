"""A file's bytes as text: unpacked, decoded, with one kind of line end. What is no text is named by its type."""

import gzip
import zlib
from pathlib import Path

from compress.errors import DataError

_BYTE_ORDER_MARKS = {
    b"\xef\xbb\xbf": "utf-8",
    b"\xff\xfe\x00\x00": "utf-32-le",  # before UTF-16's, which it begins with
    b"\x00\x00\xfe\xff": "utf-32-be",
    b"\xff\xfe": "utf-16-le",
    b"\xfe\xff": "utf-16-be",
}
_GZIP = b"\x1f\x8b"
_NO_TEXT = {  # how a file begins, what it is, what to do
    b"PK\x03\x04": ("a ZIP archive or a spreadsheet", "unpack it, or save the sheet as CSV"),
    b"\xd0\xcf\x11\xe0": ("an old spreadsheet", "save the sheet as CSV"),
    b"PAR1": ("a Parquet file", "let its name end with .parquet"),
    b"%PDF": ("a PDF", "give a table of texts and labels, such as CSV"),
    b"SQLite format 3": ("a database", "export the table as CSV"),
    b"BZh": ("a bzip2 file", "unpack it, or pack it with gzip"),
    b"\xfd7zXZ": ("an xz file", "unpack it, or pack it with gzip"),
    b"\x28\xb5\x2f\xfd": ("a Zstandard file", "unpack it, or pack it with gzip"),
}
_MARK = "\ufeff"  # a second byte order mark, which concatenated files have


def read_text(file: Path) -> str:
    """The file's text, unpacked, its encoding by the byte order mark (else UTF-8), its lines ending in \\n.

    A \\r before the \\n stays. Raises DataError with the line that can't be decoded, and for what is no text.
    """
    data = file.read_bytes()
    if file.suffix == ".gz" or data.startswith(_GZIP):
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(
                "this is not a gzip file, or a damaged one", where=str(file), remedy="pack it again"
            ) from error
    for begin, (what, remedy) in _NO_TEXT.items():
        if data.startswith(begin):
            raise DataError(f"this is {what}", where=str(file), remedy=remedy)
    text = _decoded(data, file)
    if "\0" in text:
        raise DataError(
            "there are NUL characters: this is no text, or UTF-16 without its mark",
            where=f"{file}, line {text[: text.index(chr(0))].count(chr(10)) + 1}",
            remedy="save the file as UTF-8",
        )
    text = text.lstrip(_MARK)
    # line ends of old Macintosh files, some of which end in a \n that a later program added
    return text.replace("\r", "\n") if text.count("\r") > 2 * text.count("\n") else text


def _decoded(data: bytes, file: Path) -> str:
    mark = next((m for m in _BYTE_ORDER_MARKS if data.startswith(m)), b"")
    encoding = _BYTE_ORDER_MARKS.get(mark, "utf-8")
    data = data.removeprefix(mark)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise DataError(
            f"this is not {encoding.upper()} (byte 0x{data[error.start]:02x})",
            where=f"{file}, line {line}",
            remedy="save the file as UTF-8, in a spreadsheet as 'CSV UTF-8'",
        ) from error
