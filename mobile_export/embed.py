"""Vectors of many texts by a bundle's own program: `python -m mobile_export.embed BUNDLE texts.txt > vectors.npy`.

For those who make an index on a server and search it on phones: the vectors are those that the app's program gives.
Texts are read and vectors written one at a time, so the memory needed does not grow with their number.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from compress.console import Parser, exit_code
from compress.errors import ExportError
from mobile_export.bundle.vectors import VectorModel


def texts_of(file: Path) -> Iterator[str]:
    """The lines of a UTF-8 file. Raises ExportError for an empty line, or one that is not UTF-8, by its number."""
    try:
        with file.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                try:
                    text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
                except UnicodeDecodeError as error:
                    raise ExportError("this is not UTF-8", where=f"{file}, line {number}") from error
                if not text:
                    raise ExportError(
                        "the text is empty",
                        where=f"{file}, line {number}",
                        remedy="remove the line: each line has a vector",
                    )
                yield text
    except OSError as error:
        raise ExportError(f"the file can't be read ({error.strerror})", where=str(file)) from error


def write_vectors(bundle: Path, texts: Path, output: BinaryIO, *, query: bool = False) -> int:
    """Write the vectors (N, D), fp32, of a file's N lines as .npy; returns N. Raises ExportError."""
    count = sum(1 for _ in texts_of(texts))  # read twice: .npy begins with the number of rows
    model = VectorModel(bundle)
    header = {"descr": "<f4", "fortran_order": False, "shape": (count, model.size)}
    np.lib.format.write_array_header_1_0(output, header)
    for text in texts_of(texts):
        output.write(model.embed(text, query=query).astype("<f4").tobytes())
    output.flush()
    return count


def main(arguments: list[str] | None = None) -> int:
    """The command: 0 when all texts have a vector, 2 with one sentence when not."""
    parser = Parser(
        prog="python -m mobile_export.embed",
        description="Vectors of texts, one a line, by the program of a bundle, as .npy (fp32, a row each line).",
        epilog="example: python -m mobile_export.embed runs/mine/android texts.txt > vectors.npy",
    )
    parser.add_argument("bundle", type=Path, metavar="BUNDLE_DIR", help="folder of a bundle of kind embedding")
    parser.add_argument("texts", type=Path, metavar="TEXTS", help="UTF-8 file, a text a line")
    parser.add_argument("--queries", action="store_true", help="the texts search; without it they are searched")
    parser.add_argument("--output", type=Path, metavar="FILE", help="where to write; by default standard output")
    given = parser.parse_args(arguments)
    if given.output is None and sys.stdout.isatty():
        parser.error("vectors are no text: send them to a file with > vectors.npy or --output")

    def work() -> None:
        if given.output is None:
            write_vectors(given.bundle, given.texts, sys.stdout.buffer, query=given.queries)
            return
        part = given.output.with_name(f".{given.output.name}.part")
        try:
            with part.open("wb") as stream:
                write_vectors(given.bundle, given.texts, stream, query=given.queries)
            part.replace(given.output)
        finally:
            part.unlink(missing_ok=True)

    return exit_code(work)


if __name__ == "__main__":
    sys.exit(main())
