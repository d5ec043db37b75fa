"""The run folder: every path of a run and the marks of complete stages.

A stage writes into a hidden partial folder that is renamed when the stage is complete, so a stage's folder either
exists whole or not at all. Its fingerprint covers everything that its result depends on; the same command started
again keeps the stages whose fingerprint still fits, and goes on with the others.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from compress.errors import PocketTicketError
from compress.files import read_json, write_json

_MARK = "complete.json"


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
