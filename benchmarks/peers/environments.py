"""The peers' environments, under `.peers/` in the project's root: nothing of theirs is needed by the project itself.

`run` holds every engine; it sees the project's own packages through a .pth file instead of copies of them. `litert`
holds LiteRT's converter, which wants another torch.
"""

import hashlib
import os
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

from compress.errors import ToolError
from compress.files import write_atomic

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / ".peers"
SETUP = "run python -m benchmarks.peers setup"
NAMES = ("run", "litert")


def python_of(name: str) -> Path:
    """The interpreter of an environment."""
    return PEERS / name / "bin" / "python"


def is_ready(name: str) -> bool:
    """Whether an environment holds what its requirements file asks for."""
    stamp = PEERS / name / "ready"
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == _wanted(name)


def set_up(name: str) -> None:
    """Make an environment, unless it is there. Raises ToolError when its packages can't be installed."""
    if is_ready(name):
        return
    folder = PEERS / name
    _check(f"the environment {name}", sys.executable, "-m", "venv", "--clear", str(folder))
    if name == "run":
        purelib = sysconfig.get_path("purelib")
        site = folder / Path(purelib).relative_to(sys.prefix) / "project.pth"
        site.write_text(f"{purelib}\n{ROOT}\n", encoding="utf-8")
    requirements = str(_requirements(name))
    _check(
        f"what {Path(requirements).name} lists", str(python_of(name)), "-m", "pip", "install", "-q", "-r", requirements
    )
    write_atomic(folder / "ready", _wanted(name))


def enter(arguments: Sequence[str]) -> int:
    """Run this command again in the `run` environment. Returns its exit code. Raises ToolError where there is none."""
    if not is_ready("run"):
        raise ToolError("the peers' environment is missing or out of date", where=str(PEERS / "run"), remedy=SETUP)
    command = [str(python_of("run")), "-m", "benchmarks.peers", *arguments]
    return subprocess.run(command, env=environment()).returncode


def entered() -> bool:
    """Whether this process is one of the `run` environment."""
    return Path(sys.prefix).resolve() == (PEERS / "run").resolve()


def environment() -> dict[str, str]:
    """Variables for a process of the peers: it can import the project, and torch.compile keeps its kernels here."""
    paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": paths, "TORCHINDUCTOR_CACHE_DIR": str(PEERS / "inductor")}


def _requirements(name: str) -> Path:
    return Path(__file__).with_name(f"requirements-{name}.txt")


def _wanted(name: str) -> str:
    """What an environment depends on: its requirements and the Python that made it."""
    return hashlib.sha256(_requirements(name).read_bytes() + sys.version.encode()).hexdigest()


def _check(what: str, *command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise ToolError(f"{what} can't be installed ({last})", remedy="check the network and the disk, then try again")
