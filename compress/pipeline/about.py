"""What a report says of a run besides its numbers: the target's limits, licenses, software and hardware."""

import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from compress import __version__
from compress.data.sources import BUNDLED
from compress.pipeline.run import Run

VERSIONS = ("torch", "executorch", "torchao", "transformers", "datasets", "numpy")


def target_of(run: Run) -> dict[str, str]:
    """report.json's "target": what the program is for, and what could not be proven for it."""
    from mobile_export.targets import TARGETS

    target = TARGETS[run.recipe.target]
    return {"name": target.name, "limits": target.limits}


def licenses(run: Run) -> list[dict[str, str]]:
    """The works in a run's program with their licenses, as far as this project knows them."""
    known = []
    if run.recipe.model.name == "minilm":
        known.append({"name": "all-MiniLM-L6-v2", "licence": "Apache-2.0"})
    if run.recipe.data.source in BUNDLED:
        known.append({"name": run.recipe.data.source, "licence": "CC0-1.0"})
    return [*known, {"name": "ExecuTorch", "licence": "BSD-3-Clause"}]


def environment() -> dict[str, Any]:
    """The software and hardware of this process, as report.json's "environment"."""
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "system": platform.system(),
        "processor": _processor(),
        "threads": torch.get_num_threads(),
        "accelerator": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "pocket-ticket": __version__,
        **{name: version(name) for name in VERSIONS},
    }


def _processor() -> str | None:
    """The processor's name, where the system has it."""
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or None
