"""Instruction counts on ARM cores, which QEMU emulates: exact, and the kernels are those of a phone's core.

Counts QEMU's plugin.c, compiled when needed. Debian's qemu-user-static takes no plugins, its qemu-user does.
"""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from itertools import product
from pathlib import Path

from benchmarks.instructions.callgrind import RUNS, Counts
from compress.errors import ToolError
from mobile_export.programs.arm import WHEELS, emulated, find_emulator

EMULATOR, PACKAGE = "qemu-aarch64", "qemu-user"
PLUGIN, WORKER = (Path(__file__).with_name(name) for name in ("plugin.c", "emulated_worker.py"))


def versions() -> dict[str, str]:
    """On what the counts depend beside our own code. Raises ToolError where the emulator or the compiler is missing."""
    emulator = find_emulator((EMULATOR,), PACKAGE)
    if "-plugin" not in subprocess.run([emulator, "-h"], capture_output=True, text=True).stdout:
        raise ToolError(
            "this emulator of ARM processors takes no plugins",
            where=emulator,
            remedy=f"install one that does (Debian 12: apt-get install {PACKAGE})",
        )
    if shutil.which("cc") is None:
        raise ToolError(
            "the C compiler is not on this machine",
            where="cc",
            remedy="install it (Debian: apt-get install gcc libc6-dev)",
        )
    said = subprocess.run([emulator, "--version"], capture_output=True, text=True).stdout
    runtime = re.search(r"^executorch-numpy-runtime==(\S+)", WHEELS.read_text(encoding="utf-8"), re.MULTILINE)
    numbers = {"runtime": runtime, "qemu": re.search(r"\bversion (\d+\.\d+)", said)}
    return {"executorch": version("executorch")} | {name: found[1] if found else "?" for name, found in numbers.items()}


def count(core: str, programs: Mapping[str, Path], lengths: Sequence[int]) -> Counts:
    """Count on an emulated `core`. Raises ToolError where compiling or emulating fails."""
    paths = {name: str(path.resolve()) for name, path in programs.items()}
    with tempfile.TemporaryDirectory() as temporary:
        plugin = Path(temporary) / "plugin.so"
        _run(["cc", "-O2", "-shared", "-fPIC", "-o", str(plugin), str(PLUGIN)], "", None)
        emulator = find_emulator((EMULATOR,), PACKAGE)
        command, environment = emulated(WORKER, core=core, emulator=emulator, options=("-plugin", str(plugin)))
        said = _run(command, json.dumps({"programs": paths, "lengths": list(lengths), "runs": RUNS}), environment)
    return counts_of(said, list(paths), lengths)


def counts_of(said: str, names: Sequence[str], lengths: Sequence[int]) -> Counts:
    """Instructions of one inference from the plugin's counts so far: at the start, after no call, and after RUNS more.

    Raises ToolError for other than three counts of each model at each length.
    """
    marks = [int(line) for line in said.split() if line.isdecimal()]
    if len(marks) != 3 * len(names) * len(lengths):
        raise ToolError(
            f"counting failed (of {3 * len(names) * len(lengths)} marks there are {len(marks)})",
            where=EMULATOR,
            remedy=f"use the {PACKAGE} of Debian 12",
        )
    found: Counts = {name: {} for name in names}
    threes = zip(marks[::3], marks[1::3], marks[2::3], strict=True)
    for (name, length), (start, none, runs) in zip(product(names, lengths), threes, strict=True):
        found[name][length] = round((runs - none - (none - start)) / RUNS)
    return found


def _run(command: Sequence[str], request: str, environment: Mapping[str, str] | None) -> str:
    done = subprocess.run(command, input=request, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise ToolError(
            f"counting failed ({last[-200:]})",
            where=Path(command[0]).name,
            remedy=f"check that it runs here, with the {PACKAGE} of Debian 12",
        )
    return done.stdout
