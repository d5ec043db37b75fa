"""The run folder: every path of a run and the marks of complete stages.

A stage writes into a hidden partial folder that is renamed when the stage is complete, so a stage's folder either
exists whole or not at all. Its fingerprint covers everything that its result depends on; the same command started
again keeps the stages whose fingerprint still fits, and runs the others.
"""

import fcntl
import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from compress.errors import PocketTicketError
from compress.files import read_json, write_json

_MARK, _LOCK = "complete.json", ".lock"


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

    @contextmanager
    def locked(self, command: str) -> Iterator[None]:
        """Within the block no other process may write into the folder.

        The system drops the lock when the process ends, however it ends, so a killed run leaves none.
        Raises PocketTicketError that names the run which holds the lock.
        """
        with (self.root / _LOCK).open("a+", encoding="utf-8") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                stream.seek(0)
                holder = stream.read().strip() or "another process"
                raise PocketTicketError(
                    f"another run writes into this folder ({holder})",
                    where=str(self.root),
                    remedy="wait for it to end, or choose another --output",
                ) from error
            stream.truncate(0)
            stream.write(f"process {os.getpid()} on {socket.gethostname()}, started {time.ctime()}: {command}")
            stream.flush()
            yield

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

        What an interrupted run with the same fingerprint left in it is still there (a stage of several rounds
        continues from it); leftovers of another fingerprint are removed.
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
