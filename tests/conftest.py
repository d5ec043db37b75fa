"""Small real things that many tests share: a tiny encoder with MiniLM's tokenizer, and a tiny task as files."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import small

from mobile_export.cache import made_once

Once = Callable[[str, Callable[[Path], Any]], Path]
SHARED = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of public data sets, beside the project."""
    if not SHARED.is_dir():
        pytest.skip("needs the public data sets in ../shared/data")
    return SHARED


@pytest.fixture(scope="session")
def run_folder() -> Path:
    """A finished run's folder, such as `make run` leaves, named by POCKET_TICKET_RUN."""
    if not (named := os.environ.get("POCKET_TICKET_RUN")):
        pytest.skip("needs a finished run: set POCKET_TICKET_RUN to its folder")
    return Path(named).resolve()


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """`once(name, make)`: a folder that `make(folder)` filled, once for all processes of pytest-xdist."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    root = root / "once"
    root.mkdir(exist_ok=True)

    def shared(name: str, make: Callable[[Path], Any]) -> Path:
        with (root / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return made_once(root / name, make)

    return shared


@pytest.fixture(scope="session")
def tiny_encoder(once: Once) -> Path:
    """A folder with a random BERT, 2 layers, 32 wide, and the embedded model's tokenizer."""
    return once("tiny_encoder", small.encoder)


@pytest.fixture(scope="session")
def tiny_task(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with train, dev and test of an easy two-class task."""
    return small.task(tmp_path_factory.mktemp("tiny_task"))
