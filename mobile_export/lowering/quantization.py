"""Quantization schemes: what is stored in how many bits, applied with torchao, and listed so that no fp32 hides."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from typing import get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from compress.errors import ExportError
from compress.training.rounding import GROUP, word_group
from mobile_export.programs.program import SchemeName, TensorStorage
from mobile_export.programs.quiet import quiet


@dataclass(frozen=True)
class Scheme:
    """How weights and activations are stored. Both quantized schemes compute with int8 activations, a scale per token.

    none: fp32. int8: one scale per output channel, and per embedding row. int4: one scale per 32 weights, and per 192
    values of a word at most; a matrix whose width is not a multiple of 32 is stored as int8, and so are those whose
    names, as the program's listing gives them, match a pattern of `int8` ("layers.0.*"). Raises ExportError for another
    name.
    """

    name: SchemeName = "int8"
    int8: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.name not in get_args(SchemeName):
            raise ExportError(
                f"there is no quantization scheme '{self.name}'", remedy=f"use one of {', '.join(get_args(SchemeName))}"
            )

    def apply(self, model: nn.Module) -> nn.Module:
        """Quantize every Linear, embedding and position table of `model` in place, and return it.

        A word table that the phone form gathers becomes int8 rows with a scale each (`Int8Rows`).
        """
        if self.name == "none":
            return model
        names = [name for name, module in model.named_modules() if isinstance(module, nn.Linear | nn.Embedding)]
        for pattern in self.int8:
            if not any(_matches(name, pattern) for name in names):
                raise ExportError(
                    f"no matrix is called '{pattern}'",
                    where="quantize.keep_int8",
                    remedy=f"use names such as {', '.join(names[:3])}",
                )
        with quiet():
            self._apply_linears(model)
            self._apply_tables(model)
        return model

    def _in_four_bits(self, name: str, width: int) -> bool:
        kept = any(_matches(name, pattern) for pattern in self.int8)
        return self.name == "int4" and width % GROUP == 0 and not kept

    def _apply_linears(self, model: nn.Module) -> None:
        from torchao.quantization import Int8DynamicActivationIntxWeightConfig, quantize_
        from torchao.quantization.granularity import PerAxis, PerGroup

        def chosen(module: nn.Module, name: str, four_bits: bool) -> bool:
            return type(module) is nn.Linear and self._in_four_bits(name, module.in_features) == four_bits

        for dtype, granularity in ((torch.int4, PerGroup(GROUP)), (torch.int8, PerAxis(0))):
            config = Int8DynamicActivationIntxWeightConfig(weight_dtype=dtype, weight_granularity=granularity)
            quantize_(model, config, partial(chosen, four_bits=dtype == torch.int4))
        load_quantized_operators()
        for module in model.modules():
            for name, child in list(module.named_children()):
                if type(child) is nn.Linear:
                    setattr(module, name, DynamicLinear(child))

    def _apply_tables(self, model: nn.Module) -> None:
        from torchao.quantization import IntxWeightOnlyConfig, quantize_
        from torchao.quantization.granularity import PerGroup

        for place, module in model.named_modules():
            for name, child in list(module.named_children()):
                if isinstance(child, Quantizable):
                    setattr(module, name, child.quantized())
                elif isinstance(child, nn.Embedding):
                    child.padding_idx = None  # torchao's embedding refuses one
                    if not self._in_four_bits(f"{place}.{name}".lstrip("."), child.embedding_dim):
                        setattr(module, name, Int8Rows(child.weight.detach()))
        for table in [module for module in model.modules() if isinstance(module, nn.Embedding)]:
            granularity = PerGroup(word_group(table.embedding_dim))
            config = IntxWeightOnlyConfig(weight_dtype=torch.int4, granularity=granularity)
            quantize_(table, config, lambda module, _: isinstance(module, nn.Embedding))


def _matches(name: str, pattern: str) -> bool:
    """Whether a matrix, or the one that it is a half of, has a name of this pattern."""
    return fnmatchcase(name, pattern) or fnmatchcase(name.rpartition(".")[0], pattern)


class DynamicLinear(nn.Module):
    """A Linear that torchao quantized, (…, H_in) → (…, H_out), in the operators that XNNPACK knows by themselves.

    torchao's own operators are Python functions that every pass of the exporter runs again: half of its time.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        weight = linear.weight
        self.bits = 4 if weight.target_dtype == torch.int4 else 8
        grouped = (lambda x: x) if self.bits == 4 else torch.flatten  # (H_out, groups) or (H_out,)
        self.register_buffer("weight", weight.qdata)
        self.register_buffer("scales", grouped(weight.scale))
        self.register_buffer("zeros", grouped(weight.zero_point))
        self.bias = linear.bias

    def forward(self, x: Tensor) -> Tensor:
        q = torch.ops.quantized_decomposed
        scale, zero = q.choose_qparams_per_token_asymmetric(x, torch.int8)
        x = q.quantize_per_token(x, scale, zero, -128, 127, torch.int8)
        x = q.dequantize_per_token(x, scale, zero, -128, 127, torch.int8, torch.float32)
        if self.bits == 4:
            stored = (self.weight, self.scales, self.zeros, -8, 7, torch.int8, GROUP, torch.float32)
            return F.linear(x, q.dequantize_per_channel_group(*stored), self.bias)
        stored = (self.weight, self.scales, self.zeros, 0, -127, 127, torch.int8)
        return F.linear(x, q.dequantize_per_channel(*stored), self.bias)


class Quantizable(ABC):
    """A table that knows its own quantized form."""

    @abstractmethod
    def quantized(self) -> nn.Module:
        """A module that answers as this one does, stored in fewer bits."""


def int8_rows(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Rows (N, H) → int8 rows (N, H) and fp32 scales (N, 1), symmetric: row ≈ int8 · scale."""
    scales = weight.abs().amax(1, keepdim=True).clamp_min(1e-9) / 127
    return torch.round(weight / scales).to(torch.int8), scales


def dequantized(rows: Tensor, scales: Tensor) -> Tensor:
    """int8 rows (T, H) and scales (T, 1) → fp32 (T, H). The multiplication by one scale per row happens in XNNPACK."""
    return torch.ops.quantized_decomposed.dequantize_per_tensor(rows, 1.0, 0, -128, 127, torch.int8) * scales


class _Int8Table(nn.Module):
    """A table (N, H) stored as int8 rows with a scale each."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        load_quantized_operators()
        rows, scales = int8_rows(weight)
        self.register_buffer("rows", rows)
        self.register_buffer("scales", scales)


class Int8Rows(_Int8Table):
    """An embedding stored as int8 rows: ids (…) → (…, H). Rows are gathered as they are and scaled afterwards."""

    def forward(self, ids: Tensor) -> Tensor:
        return dequantized(F.embedding(ids, self.rows), F.embedding(ids, self.scales))


class Int8Positions(_Int8Table):
    """The first T rows of a table stored as int8 rows: (T, H)."""

    def forward(self, length: int) -> Tensor:
        return dequantized(self.rows[:length], self.scales[:length])


class HalvesTable(nn.Module):
    """A table (1, M, T) of multiples of a half, stored exactly as int8; of fewer tokens its upper left corner.

    `rows` tells M of a T.
    """

    def __init__(self, table: Tensor, rows: Callable[[int], int]) -> None:
        super().__init__()
        load_quantized_operators()
        self.register_buffer("doubled", (table * 2).to(torch.int8))
        self.rows = rows

    def forward(self, length: int) -> Tensor:
        part = self.doubled[:, : self.rows(length), :length]
        return torch.ops.quantized_decomposed.dequantize_per_tensor(part, 0.5, 0, -128, 127, torch.int8)


def load_quantized_operators() -> None:
    """Define the quantized_decomposed operators, which torch knows only after this import."""
    with quiet():
        import torch.ao.quantization.fx._decomposed  # noqa: F401


def storage_of(model: nn.Module) -> list[TensorStorage]:
    """What each parameter and buffer of a (quantized) model takes in the program, in order; shared ones once."""
    return list(_stored(model))


def _stored(model: nn.Module) -> Iterator[TensorStorage]:
    four_bits = {id(m.weight): m.scales for m in model.modules() if isinstance(m, DynamicLinear) and m.bits == 4}
    seen = set()
    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        owner = model.get_submodule(name.rpartition(".")[0])
        if id(tensor) in seen or (isinstance(owner, DynamicLinear) and name.endswith(".zeros")):
            continue  # all zero, not stored
        seen.add(id(tensor))
        bits, scale_bytes = tensor.element_size() * 8, 0
        if id(tensor) in four_bits:  # int4 values are int8 ones until they are packed for the file
            bits = 4
        elif hasattr(tensor, "qdata"):  # torchao's embedding
            bits, scale_bytes = 4, tensor.scale.numel() * 4
        size = tensor.numel() * bits // 8 + scale_bytes
        yield TensorStorage(name, tuple(tensor.shape), bits, size)
