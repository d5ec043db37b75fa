"""The run folder: every path of a run, atomic writes, completion marks and fingerprints. Nothing else joins file names.

A stage writes into a hidden partial folder that is renamed when the stage is complete, so a stage's folder either
exists whole or not at all. Its fingerprint covers everything that its result depends on; the same command started
again keeps the stages whose fingerprint still fits, and goes on with the others.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from compress.errors import PocketTicketError

_MARK = "complete.json"


def fingerprint(*parts: Any) -> str:
    """16 hexadecimal digits of the SHA-256 of the parts' canonical JSON."""
    text = json.dumps(parts, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_atomic(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all: into a temporary neighbour, flushed to disk, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode() if isinstance(content, str) else content
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically, readable by people. NaN is refused: a number in a report is a number or null."""
    write_atomic(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file of a run. Raises PocketTicketError for a damaged one."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise PocketTicketError(
            f"this file of the run is damaged ({error})",
            where=str(path),
            remedy="delete the folder that holds it and run the same command again",
        ) from error


class RunDir:
    """The folder of one run. `recipe` and `report` are its fixed places; stages have a folder each, the bundle too."""

    def __init__(self, root: Path) -> None:
        self.root = root
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise PocketTicketError(
                f"the output folder can't be made ({error.strerror})", where=str(root), remedy="choose another --output"
            ) from error

    @property
    def recipe(self) -> Path:
        return self.root / "recipe.yaml"

    @property
    def report(self) -> Path:
        return self.root / "report.json"

    def stage(self, name: str) -> Path:
        """The folder of a complete stage."""
        return self.root / name

    def is_complete(self, name: str, fingerprint: str) -> bool:
        """Whether the stage's folder is there, whole, and made from exactly these inputs."""
        mark = self.stage(name) / _MARK
        return mark.exists() and read_json(mark)["fingerprint"] == fingerprint

    @contextmanager
    def writing(self, name: str, fingerprint: str) -> Iterator[Path]:
        """A partial folder for a stage to write into; renamed to the stage's folder when the block ends well.

        What an interrupted run with the same fingerprint left in it is still there (a stage of several rounds goes
        on from them); leftovers of another fingerprint are removed.
        """
        partial = self.root / f".{name}.partial"
        started = partial / "started.json"
        if not (started.exists() and read_json(started)["fingerprint"] == fingerprint):
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            write_json(started, {"fingerprint": fingerprint})
        yield partial
        write_json(partial / _MARK, {"fingerprint": fingerprint})
        started.unlink()
        shutil.rmtree(self.stage(name), ignore_errors=True)
        partial.replace(self.stage(name))
