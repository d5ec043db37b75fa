"""Measuring in a process of its own: what is sent to it, and what comes back."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from compress.errors import ExportError
from mobile_export.programs.program import Program


def portable(program: Program) -> dict[str, Any]:
    """What `LoadedProgram` is made of, as plain JSON values."""
    return {
        "path": str(program.path),
        "inputs": program.inputs,
        "outputs": program.outputs,
        "max_tokens": program.max_tokens,
        "min_tokens": program.min_tokens,
        "sha256": program.sha256,
    }


def in_fresh_process(request: Mapping[str, Any]) -> Any:
    """What `programs.worker` answers, in a process of its own. Raises ExportError when it fails."""
    root = str(Path(__file__).resolve().parents[2])
    paths = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": str(request["threads"])}
    command = [sys.executable, "-m", "mobile_export.programs.worker"]
    done = subprocess.run(command, input=json.dumps(request), env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise ExportError(
            f"measuring {request['what']} failed ({last})", remedy="check free memory, then measure again"
        )
    return json.loads(done.stdout.splitlines()[-1])
