"""Who is compared: each model on each engine in fp32 and int8, loaded for a number of threads."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.peers.engines import Compiled, Eager, Engine, ExecuTorch, LiteRT, OnnxRuntime
from benchmarks.peers.models import MAX_TOKENS, Subject
from benchmarks.peers.programs import about, built

ALONE = ("eager", "compile")  # PyTorch runs the model itself, in fp32: nothing is built


@dataclass(frozen=True)
class Contestant:
    """A model on an engine. `files` are its programs, by length for LiteRT; `folder` is None where nothing is built."""

    model: str
    family: str
    precision: str
    folder: Path | None
    source: Path

    @property
    def name(self) -> str:
        return f"{self.model} {self.family} {self.precision}"

    @property
    def files(self) -> list[Path]:
        """Its programs: one, or one per length."""
        names = about(self.folder)["sizes"] if self.folder else ()
        return [self.folder / name for name in names if name.startswith(self.precision)]

    @property
    def size(self) -> tuple[int, int] | None:
        """(bytes, bytes deflated) of its program, of the longest one where there are several."""
        if self.folder is None:
            return None
        return tuple(about(self.folder)["sizes"][max(self.files, key=_length_of).name])

    @property
    def facts(self) -> dict[str, Any]:
        """What its builder reported of its programs."""
        return about(self.folder)["facts"] if self.folder else {}

    def load(self, threads: int) -> Engine:
        """The program in its engine. `set_threads` must have been called with the same number."""
        if self.family == "eager":
            return Eager(self.source)
        if self.family == "compile":
            return Compiled(self.source)
        if self.family.startswith("litert"):
            return LiteRT({_length_of(file): file for file in self.files}, threads)
        if self.family.startswith("onnxruntime"):
            return OnnxRuntime(self.files[0], threads, MAX_TOKENS)
        return ExecuTorch(self.files[0], 2 if self.family == "stock" else 1, MAX_TOKENS)


def contestants(subject: Subject, family: str, lengths: Sequence[int]) -> list[Contestant]:
    """A model on a family's engine, its programs built where they are not there yet."""
    if family in ALONE:
        return [Contestant(subject.name, family, "fp32", None, subject.folder)]
    folder = built(subject, family, lengths)
    return [Contestant(subject.name, family, precision, folder, subject.folder) for precision in ("fp32", "int8")]


def set_threads(threads: int) -> None:
    """Give PyTorch and ExecuTorch, whose threads belong to the process, that many, and forget compiled graphs."""
    from mobile_export.programs.runtime import set_threads as set_runtime_threads

    torch.set_num_threads(threads)
    torch._dynamo.reset()
    set_runtime_threads(threads)


def _length_of(file: Path) -> int:
    """The length in a LiteRT file's name; 0 for a file of any length."""
    number = re.search(r"_(\d+)\.", file.name)
    return int(number[1]) if number else 0
