"""Tensors with a JSON description in one safetensors file, written whole or not at all."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from compress.errors import ModelError

_KEY = "pocket_ticket"


def write(path: Path, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> None:
    """Write `tensors` and their description: into a temporary neighbor, flushed to disk, then renamed."""
    data = save(dict(tensors), metadata={_KEY: json.dumps(about, sort_keys=True)})
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read(path: Path, *, format: str, what: str, remedy: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and the description that `write` left. Raises ModelError for a missing, foreign or damaged file.

    `format` is the description's entry of that name; `what` names the content in the error, such as "mask".
    """
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {}).get(_KEY, "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelError(f"the {what} can't be read ({error})", where=str(path), remedy=remedy) from error
    if about.get("format") != format:
        raise ModelError(f"this safetensors file is not a {what}", where=str(path), remedy=remedy)
    return tensors, about
