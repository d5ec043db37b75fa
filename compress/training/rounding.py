"""Quantization-aware training: the forward pass sees weights as the program will store them, the gradient does not.

The rounding is torchao's own, so that what is trained for is what is exported, bit for bit (Jacob et al. 2018, section
3; straight-through estimator of Bengio et al. 2013).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.utils import parametrize

GROUP = 32  # weights that share a scale in int4, as in mobile_export.quantization


@contextmanager
def rounded_weights(model: nn.Module, scheme: str) -> Iterator[None]:
    """Within the block every Linear of `model` computes with weights of `scheme`, "int8" or "int4".

    int4 embeddings do, too; int8 ones are so near to the fp32 ones that there is nothing to be aware of. Afterwards all
    are plain fp32 weights again, the trained ones before rounding.
    """
    from torchao.quantization.qat import IntxFakeQuantizeConfig, IntxFakeQuantizer

    four_bits = IntxFakeQuantizeConfig(torch.int4, group_size=GROUP)
    eight_bits = IntxFakeQuantizeConfig(torch.int8, "per_channel")
    configs: dict[nn.Module, IntxFakeQuantizeConfig] = {}
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Embedding) and scheme == "int4" and module.weight.shape[1] % GROUP == 0:
            configs[module] = four_bits
        elif isinstance(module, nn.Linear):
            configs[module] = eight_bits
    for module, config in configs.items():
        parametrize.register_parametrization(module, "weight", IntxFakeQuantizer(config))
    try:
        yield
    finally:
        for module in configs:
            parametrize.remove_parametrizations(module, "weight", leave_parametrized=False)
