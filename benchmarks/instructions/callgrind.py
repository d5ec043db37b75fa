"""Instruction counts on this machine's kind of processor, by valgrind's callgrind.

Valgrind's own processor has AVX2 at most, so XNNPACK chooses its AVX2 kernels even where the machine has better ones.
"""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks.peers.compare import machine
from benchmarks.peers.environments import ROOT
from compress.errors import ToolError

RUNS = 2  # counted inferences of each program at each length: all take the same
Counts = dict[str, dict[int, int]]  # model → length → instructions of one inference


def versions() -> dict[str, str]:
    """On what the counts depend beside our own code. Raises ToolError where valgrind is missing."""
    if shutil.which("valgrind") is None:
        raise ToolError(
            "the program that counts instructions is not on this machine",
            where="valgrind",
            remedy="install it (Debian: apt-get install valgrind)",
        )
    said = subprocess.run(["valgrind", "--version"], capture_output=True, text=True).stdout.strip()
    has = "avx2" if "avx2" in machine(0)["features"] else platform.machine()  # valgrind's processor has it, too
    return {"executorch": version("executorch"), "valgrind": said.removeprefix("valgrind-"), "processor": has}


def count(programs: Mapping[str, Path], lengths: Sequence[int]) -> Counts:
    """Count with callgrind. Raises ToolError where valgrind fails."""
    request = {"programs": {name: str(path) for name, path in programs.items()}, "lengths": list(lengths), "runs": RUNS}
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as temporary:
        dumps = Path(temporary) / "callgrind.out"
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={dumps}", sys.executable]
        command += ["-m", "benchmarks.instructions.callgrind_worker"]
        done = subprocess.run(command, input=json.dumps(request), env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise ToolError(
                f"counting failed ({last[-200:]})", where="valgrind", remedy="check that valgrind runs here"
            )
        return counts_of([dump.read_text() for dump in dumps.parent.glob(f"{dumps.name}.*")])


def counts_of(dumps: Sequence[str]) -> Counts:
    """Instructions of one inference from callgrind's dumps, each named "MODEL@LENGTH@RUNS" by its caller."""
    sums: dict[tuple[str, int], dict[int, int]] = {}
    for dump in dumps:
        named = re.search(r"^desc: Trigger: dump (.+)@(\d+)@(\d+)$", dump, re.MULTILINE)
        total = re.search(r"^summary: (\d+)$", dump, re.MULTILINE)
        if named and total:
            sums.setdefault((named[1], int(named[2])), {})[int(named[3])] = int(total[1])
    found: Counts = {}
    for (name, length), by_runs in sorted(sums.items()):
        runs = max(by_runs)
        found.setdefault(name, {})[length] = round((by_runs[runs] - by_runs[0]) / runs)
    return found
