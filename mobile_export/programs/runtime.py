"""Loaded programs: what ExecuTorch's own runtime answers, text by text, and never another engine's answer."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from compress.errors import ExportError
from compress.files import file_sha256
from mobile_export.programs.padding import check_unpadded, recorded_pad_id
from mobile_export.programs.program import MIN_TOKENS, Program
from mobile_export.programs.quiet import quiet

if TYPE_CHECKING:
    from executorch.runtime import Method
    from torch import Tensor

Encoded = Mapping[str, Sequence[int]]  # "input_ids" (T,), and "token_type_ids" (T,) for a pair; never padded


class LoadedProgram:
    """A program in the runtime. One text at a time, unpadded, as on a phone."""

    def __init__(
        self,
        path: Path,
        *,
        inputs: Sequence[str],
        outputs: Sequence[str],
        max_tokens: int,
        min_tokens: int = MIN_TOKENS,
        sha256: str | None = None,
        pad_id: int | None = None,
    ) -> None:
        """Load `path`; with `sha256`, only if it is that very file. Raises ExportError for a damaged file.

        `pad_id` is the id that padding has; None: the one in the description or the manifest beside the program.
        """
        self.path, self.inputs, self.outputs = Path(path), tuple(inputs), tuple(outputs)
        self.min_tokens, self.max_tokens = min_tokens, max_tokens
        self.pad_id = recorded_pad_id(self.path) if pad_id is None else pad_id
        if not self.path.is_file():
            raise ExportError("there is no such program", where=str(path), remedy="lower the model again")
        if sha256 is not None and file_sha256(self.path) != sha256:
            raise ExportError(
                "the program is damaged: its hash does not match the recorded one",
                where=str(path),
                remedy="lower the model again",
            )
        try:
            self._method = _load_method(self.path)
        except (RuntimeError, ValueError, KeyError) as error:
            raise ExportError(
                "the file is not a complete ExecuTorch program", where=str(path), remedy="lower the model again"
            ) from error

    @classmethod
    def of(cls, program: Program) -> "LoadedProgram":
        """Load what `lower` made, checking its hash."""
        return cls(
            program.path,
            inputs=program.inputs,
            outputs=program.outputs,
            max_tokens=program.max_tokens,
            min_tokens=program.min_tokens,
            sha256=program.sha256,
            pad_id=program.pad_id,
        )

    def answer(self, text: Encoded) -> tuple[np.ndarray, ...]:
        """One encoded text of T tokens → one fp32 array per output: (1, L), (1, T, L) or (1, T).

        Raises ExportError for a text that is too long or padded, and for outputs that are not numbers.
        """
        check_unpadded(text, self.pad_id, self.path)
        try:
            answers = tuple(array.numpy().copy() for array in self.execute(self.tensors(text)))
        except RuntimeError as error:
            raise ExportError(
                f"the program does not run on a text of {len(text['input_ids'])} tokens as {' and '.join(self.inputs)} "
                f"({str(error).strip().splitlines()[0][:120]})",
                where=str(self.path),
                remedy="check that these are its inputs",
            ) from error
        if len(answers) != len(self.outputs):
            raise ExportError(
                f"the program gives {len(answers)} outputs, not {' and '.join(self.outputs)}",
                where=str(self.path),
                remedy="lower the model again",
            )
        for name, values in zip(self.outputs, answers, strict=True):
            if not np.isfinite(values).all():
                raise ExportError(
                    f"the program's {name} are not numbers (NaN or infinite)",
                    where=str(self.path),
                    remedy="check that the model was trained to finite weights, then lower it again",
                )
        return answers

    def execute(self, tensors: "list[Tensor]") -> "Sequence[Tensor]":
        """Run the program on its inputs (1, T) as they are: what is timed."""
        return self._method.execute(tensors)

    def tensors(self, text: Encoded) -> "list[Tensor]":
        """The program's inputs (1, T) for one encoded text, int64."""
        import torch

        length = len(text["input_ids"])
        if not self.min_tokens <= length <= self.max_tokens:
            raise ExportError(
                f"a text has {length} tokens, the program takes {self.min_tokens} to {self.max_tokens}",
                where=str(self.path),
                remedy="truncate when tokenizing",
            )
        types = text.get("token_type_ids")
        if types is not None and len(types) not in (0, length):
            raise ExportError(
                f"a text has {length} input_ids and {len(types)} token_type_ids",
                where=str(self.path),
                remedy="give one of each for every token",
            )
        given = {
            "input_ids": text["input_ids"],
            "attention_mask": [1] * length,
            "token_type_ids": [0] * length if types is None or len(types) == 0 else types,
        }
        return [torch.tensor([list(given[name])], dtype=torch.int64) for name in self.inputs]


def predict(
    program: Program | LoadedProgram,
    texts: Iterable[Encoded],
    *,
    progress: Callable[[int], None] | None = None,
) -> np.ndarray:
    """The logits (N, L), fp32, of a classifier's or regressor's program for N encoded texts, special tokens included.

    `progress` is called with the number of texts done, after each. Raises ExportError as `LoadedProgram.answer` does.
    """
    loaded = program if isinstance(program, LoadedProgram) else LoadedProgram.of(program)
    rows = []
    for done, text in enumerate(texts, start=1):
        rows.append(loaded.answer(text)[0][0])
        if progress is not None:
            progress(done)
    return np.stack(rows) if rows else np.empty((0, 0), np.float32)


def set_threads(threads: int) -> None:
    """Give the runtime's thread pool `threads` threads, for every program of this process."""
    with quiet():
        from executorch.extension.pybindings import portable_lib

        portable_lib._unsafe_reset_threadpool(threads)


def load_runtime() -> None:
    """Import the runtime and its kernels, without a program."""
    with quiet():
        import executorch.kernels.quantized  # noqa: F401 - registers the kernels of int4 embeddings
        from executorch.extension.pybindings import portable_lib
        from executorch.runtime import Runtime

        Runtime.get()
        portable_lib._threadpool_get_thread_count()  # looks at the processor now, and says so on stderr


def _load_method(path: Path) -> "Method":
    load_runtime()
    with quiet():
        from executorch.runtime import Runtime, Verification

        program = Runtime.get().load_program(path, verification=Verification.InternalConsistency)
        return program.load_method("forward")
