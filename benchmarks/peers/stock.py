"""Stock ExecuTorch: the Hugging Face model as it is, torchao's int8, XNNPACK's partitioner, a dynamic length."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from benchmarks.peers.models import MAX_TOKENS
from mobile_export.lowering.lower import StockForm, census_of, load_model
from mobile_export.lowering.passes import hurried
from mobile_export.programs.quiet import quiet


def export_stock(model_dir: Path, output: Path) -> Mapping[str, Any]:
    """Write fp32.pte and int8.pte into `output`. Returns how much XNNPACK took of each."""
    census = {}
    for precision in ("fp32", "int8"):
        module = StockForm(load_model(model_dir)).eval()
        with quiet(), torch.no_grad():
            if precision == "int8":
                _quantize(module)
            census[precision] = _export(module, output / f"{precision}.pte")
    return census


def _quantize(module: nn.Module) -> None:
    """int8 weights, a scale per output channel, int8 activations, a scale per token; the word table in int8 too."""
    from torchao.quantization import Int8DynamicActivationIntxWeightConfig, IntxWeightOnlyConfig, quantize_
    from torchao.quantization.granularity import PerAxis

    stored = {"weight_dtype": torch.int8, "granularity": PerAxis(0)}
    computed = Int8DynamicActivationIntxWeightConfig(weight_dtype=torch.int8, weight_granularity=PerAxis(0))
    for table in (part for part in module.modules() if isinstance(part, nn.Embedding)):
        table.padding_idx = None  # torchao's embedding refuses one
    quantize_(module, IntxWeightOnlyConfig(**stored), lambda part, _: isinstance(part, nn.Embedding))
    quantize_(module, computed, lambda part, _: isinstance(part, nn.Linear))


def _export(module: nn.Module, path: Path) -> dict[str, Any]:
    import executorch.kernels.quantized  # noqa: F401 - registers the operator that an int8 embedding becomes
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.backends.xnnpack.utils.configs import get_transform_passes
    from executorch.exir import ExecutorchBackendConfig, to_edge_transform_and_lower

    example = tuple(torch.ones(1, 64, dtype=torch.int64) for _ in range(2))
    length = torch.export.Dim("T", min=2, max=MAX_TOKENS)
    with hurried():  # the same program, byte for byte, sooner
        exported = torch.export.export(module, example, dynamic_shapes=({1: length}, {1: length}), strict=False)
        edge = to_edge_transform_and_lower(
            exported, transform_passes=get_transform_passes(), partitioner=[XnnpackPartitioner()]
        )
        census = census_of(edge)
        # without this option an embedding quantized by torchao is stored dequantized
        data = edge.to_executorch(ExecutorchBackendConfig(do_quant_fusion_and_const_prop=True)).buffer
    path.write_bytes(data)
    return {"pieces": census.pieces, "delegated": census.delegated_fraction}
