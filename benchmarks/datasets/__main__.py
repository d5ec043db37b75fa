"""Prepare a public data set from its original source: `python -m benchmarks.datasets NAME --output DIR`.

Each published file is downloaded at a fixed commit, and its hash is checked; the result's hash is checked, too, where
it is known. Nothing is downloaded unless you run this. Read the license of the data before you use it.
"""

import argparse
import hashlib
import sys
import urllib.error
import urllib.request
from pathlib import Path

from benchmarks.datasets.sources import DATASETS, File
from compress.errors import DataError, PocketTicketError
from compress.files import write_atomic

BASE = "https://raw.githubusercontent.com"


def prepare(name: str, output: Path) -> list[Path]:
    """Download and convert a data set of the table; the files that it left in `output`.

    Raises DataError for a name that is not in the table, a file that can't be downloaded, or another hash.
    """
    if name not in DATASETS:
        raise DataError("there is no such data set", where=name, remedy=f"use one of {', '.join(DATASETS)}")
    data = DATASETS[name]
    prepared = data.convert([download(file) for file in data.files])
    if data.sha256 and (found := fingerprint(prepared)) != data.sha256:
        raise DataError(
            f"the prepared files have the hash {found}, the table says {data.sha256}",
            where=name,
            remedy="please report it: the conversion has changed",
        )
    paths = {output / file: text for file, text in prepared.items()}
    for path, text in paths.items():
        write_atomic(path, text)
    return list(paths)


def download(file: File) -> bytes:
    """A published file's bytes. Raises DataError where it can't be had or has another hash."""
    url = f"{BASE}/{file.repository.name}/{file.repository.commit}/{file.path}"
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            raw: bytes = answer.read()
    except (urllib.error.URLError, TimeoutError) as error:
        raise DataError(f"the file can't be downloaded: {error}", where=url, remedy="check the network") from error
    if blob_id(raw) != file.blob:
        raise DataError("the downloaded file is not the published one: its hash differs", where=url)
    return raw


def blob_id(raw: bytes) -> str:
    """Git's hash of a file's bytes, which a repository's tree names."""
    return hashlib.sha1(b"blob %d\0" % len(raw) + raw, usedforsecurity=False).hexdigest()


def fingerprint(prepared: dict[str, str]) -> str:
    """SHA-256 of prepared files: of each name, a zero byte, and the file's UTF-8."""
    digest = hashlib.sha256()
    for name in sorted(prepared):
        digest.update(name.encode() + b"\0" + prepared[name].encode())
    return digest.hexdigest()


def main(arguments: list[str] | None = None) -> int:
    """The command: 0, or 2 with one sentence."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.datasets", description=__doc__.splitlines()[0])
    parser.add_argument("name", metavar="NAME", help=f"one of {', '.join(DATASETS)}")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="the folder to write into")
    chosen = parser.parse_args(arguments)
    try:
        paths = prepare(chosen.name, chosen.output)
    except PocketTicketError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    data = DATASETS[chosen.name]
    print(f"{', '.join(map(str, paths))}\nsource: {data.source}; license: {data.license}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
