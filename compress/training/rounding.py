"""Quantization-aware training: the forward pass uses rounded weights, the gradient passes through the rounding.

The rounding is torchao's own, so that what is trained for is what is exported, bit for bit (Jacob et al. 2018, section
3; straight-through estimator of Bengio et al. 2013).
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn.utils import parametrize

GROUP = 32  # weights of a matrix that share a scale in int4: the smallest that XNNPACK takes
_WORD_GROUP = 192  # a word's values that share one, at most: a fp32 scale for 32 of them was a fifth of the table


def word_group(width: int) -> int:
    """How many values of a row of the word table share a scale in int4: the largest divisor of `width` up to 192.

    It is a multiple of 32, as `width` is.
    """
    return max(group for group in range(GROUP, _WORD_GROUP + 1, GROUP) if width % group == 0)


@contextmanager
def rounded_weights(matrices: Iterable[nn.Linear | nn.Embedding], scheme: str) -> Iterator[None]:
    """Within the block the `matrices` compute with weights as `scheme`, "int8" or "int4", stores them.

    Embeddings in int8 are so near to fp32 that they are left alone. Afterwards all are plain fp32 weights again, the
    trained ones before rounding.
    """
    from torchao.quantization.qat import IntxFakeQuantizeConfig, IntxFakeQuantizer

    def four_bits(matrix: nn.Linear | nn.Embedding) -> Any:
        width = matrix.weight.shape[1]
        size = word_group(width) if isinstance(matrix, nn.Embedding) else GROUP
        return IntxFakeQuantizeConfig(torch.int4, group_size=size)  # type: ignore[attr-defined]  # missing in torch's stubs

    eight_bits = IntxFakeQuantizeConfig(torch.int8, "per_channel")
    configs: dict[nn.Module, Any] = {}
    for matrix in matrices:
        if scheme == "int4" and matrix.weight.shape[1] % GROUP == 0:
            configs[matrix] = four_bits(matrix)
        elif isinstance(matrix, nn.Linear):
            configs[matrix] = eight_bits
    for module, config in configs.items():
        parametrize.register_parametrization(module, "weight", IntxFakeQuantizer(config))
    try:
        yield
    finally:
        for module in configs:
            parametrize.remove_parametrizations(module, "weight", leave_parametrized=False)
