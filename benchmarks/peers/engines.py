"""The engines: each loads its file and turns a text of T token ids into a call that answers with logits (L,), fp32.

What is timed is that call: inputs are made before, and every engine runs through its own ordinary Python interface.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

Call = Callable[[], np.ndarray]


class Engine(ABC):
    """A model in an engine. `longest`: the longest text in tokens, or None for an engine that compiles per length."""

    longest: int | None

    @abstractmethod
    def prepare(self, ids: Sequence[int]) -> Call:
        """The call that answers for one text."""


class Eager(Engine):
    """PyTorch as it comes: the saved model itself, fp32. Its answers are what all others are compared with."""

    longest = 512

    def __init__(self, model_dir: Path) -> None:
        from mobile_export.lowering.lower import StockForm, load_model

        self.module: Callable[..., torch.Tensor] = StockForm(load_model(model_dir)).eval()

    def prepare(self, ids: Sequence[int]) -> Call:
        given = _tensors(ids)

        def call() -> np.ndarray:
            with torch.inference_mode():
                return self.module(*given)[0].numpy()

        return call


class Compiled(Eager):
    """torch.compile, for each length anew, as fast as it gets: a symbolic length costs it time."""

    longest = None

    def __init__(self, model_dir: Path) -> None:
        super().__init__(model_dir)
        torch._dynamo.config.recompile_limit = 64  # a graph per length
        self.module = torch.compile(self.module, dynamic=False)


class ExecuTorch(Engine):
    """A .pte in ExecuTorch's runtime; its threads are the process's."""

    def __init__(self, path: Path, inputs: int, longest: int) -> None:
        from executorch.runtime import Runtime

        from mobile_export.programs.runtime import load_runtime

        load_runtime()
        self.method, self.inputs, self.longest = (
            Runtime.get().load_program(path).load_method("forward"),
            inputs,
            longest,
        )

    def prepare(self, ids: Sequence[int]) -> Call:
        given = _tensors(ids)[: self.inputs]
        return lambda: self.method.execute(given)[0][0].numpy()


class OnnxRuntime(Engine):
    """A .onnx in ONNX Runtime's CPU provider."""

    def __init__(self, path: Path, threads: int, longest: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.names, self.longest = [given.name for given in self.session.get_inputs()], longest

    def prepare(self, ids: Sequence[int]) -> Call:
        given = dict(zip(self.names, (tensor.numpy() for tensor in _tensors(ids)), strict=True))
        return lambda: self.session.run(None, given)[0][0]


class LiteRT(Engine):
    """One .tflite per length: a text goes to the shortest that holds it, padded and masked where it is not full."""

    def __init__(self, files: dict[int, Path], threads: int) -> None:
        self.files, self.threads, self.longest = files, threads, max(files)
        self.interpreters: dict[int, Any] = {}

    def prepare(self, ids: Sequence[int]) -> Call:
        length = min(length for length in self.files if length >= len(ids))
        interpreter = self._interpreter(length)
        details = sorted(interpreter.get_input_details(), key=lambda given: given["name"])  # ids, then mask
        padding = [0] * (length - len(ids))
        rows = ([*ids, *padding], [1] * len(ids) + padding)
        given = [(one["index"], np.asarray([row], one["dtype"])) for one, row in zip(details, rows, strict=True)]
        answer = interpreter.get_output_details()[0]["index"]

        def call() -> np.ndarray:
            for index, array in given:
                interpreter.set_tensor(index, array)
            interpreter.invoke()
            return interpreter.get_tensor(answer)[0]

        return call

    def _interpreter(self, length: int) -> Any:
        if length not in self.interpreters:
            from ai_edge_litert.interpreter import Interpreter

            from mobile_export.programs.quiet import quiet

            with quiet():
                loaded = Interpreter(model_path=str(self.files[length]), num_threads=self.threads)
                loaded.allocate_tensors()
            self.interpreters[length] = loaded
        return self.interpreters[length]


def _tensors(ids: Sequence[int]) -> list[torch.Tensor]:
    """input_ids and attention_mask (1, T), int64."""
    given = torch.tensor([list(ids)], dtype=torch.int64)
    return [given, torch.ones_like(given)]
