"""What is known of a lowered program: where it is, its hash, how it was made and what it holds. Needs no exporter."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from compress.errors import ExportError
from compress.files import file_sha256

Form = Literal["phone", "stock"]
SchemeName = Literal["none", "int8", "int4"]
PAIR_KINDS = ("pair", "pair_regression", "qa")  # tasks of two texts
MIN_TOKENS = 2  # [CLS] and [SEP]


@dataclass(frozen=True)
class TensorStorage:
    """One stored tensor: its values take `bits` each; `bytes` include the scales."""

    name: str
    shape: tuple[int, ...]
    bits: int
    bytes: int


@dataclass(frozen=True)
class Census:
    """How much of the graph XNNPACK computes: `pieces` delegated, and the operators left outside by name."""

    pieces: int
    delegated_fraction: float
    leftovers: Mapping[str, int]


@dataclass(frozen=True)
class Program:
    """A lowered model on disk: `path` holds it, `path` with the suffix .json holds this description."""

    path: Path
    sha256: str
    bytes: int
    form: Form
    scheme: SchemeName
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    max_tokens: int
    census: Census
    storage: tuple[TensorStorage, ...]
    min_tokens: int = MIN_TOKENS
    idle_neurons: int = 0  # of the model: the program does without them and answers the same
    pad_id: int | None = None  # the padding token's id, with which no text may begin or end; None: it has none

    def to_json(self) -> dict[str, Any]:
        """The description as plain JSON values; `path` is its file name."""
        return {**asdict(self), "path": self.path.name}

    @classmethod
    def read(cls, path: Path) -> "Program":
        """The description saved beside the program `path`, checked against the program's hash.

        Raises ExportError when either is missing, damaged or not of the other.
        """
        path = Path(path)
        try:
            saved = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
            storage = tuple(TensorStorage(**{**item, "shape": tuple(item["shape"])}) for item in saved["storage"])
            lists = {key: tuple(saved[key]) for key in ("inputs", "outputs")}
            program = cls(**{**saved, **lists, "path": path, "census": Census(**saved["census"]), "storage": storage})
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ExportError(
                f"the program's description can't be read ({type(error).__name__})",
                where=str(path.with_suffix(".json")),
                remedy="lower the model again",
            ) from error
        if not path.is_file() or file_sha256(path) != program.sha256:
            raise ExportError("the program is missing or damaged", where=str(path), remedy="lower the model again")
        return program
