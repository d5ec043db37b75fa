"""The user's cache folder: what is downloaded or built once and used by every run."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path


def cache_dir() -> Path:
    """The user's cache folder: downloaded parts, compiled code, debug key. Deleting it loses time and the key."""
    base = os.environ.get("POCKET_TICKET_CACHE")
    if base:
        return Path(base)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pocket-ticket"


def made_once(folder: Path, make: Callable[[Path], None]) -> Path:
    """`folder`, made by `make(work)` in a neighbor of it unless it is there. It exists whole or not at all."""
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(dir=folder.parent))
        try:
            make(work)
            work.rename(folder)
        except OSError:
            if not folder.is_dir():  # otherwise another process was faster
                raise
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return folder
