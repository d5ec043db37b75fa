"""Small real things that many tests share: a tiny encoder with MiniLM's tokenizer, and a tiny task as files."""

import os
from pathlib import Path

import pytest
import small

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
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a random BERT, 2 layers, 32 wide, and the embedded model's tokenizer."""
    return small.encoder(tmp_path_factory.mktemp("tiny_encoder"))


@pytest.fixture(scope="session")
def tiny_task(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with train, dev and test of an easy two-class task."""
    return small.task(tmp_path_factory.mktemp("tiny_task"))
