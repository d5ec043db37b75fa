"""ONNX Runtime at its best: attention must fuse into one operator, or its int8 files are no faster than its fp32 ones.

It fuses what TorchScript exports of eager attention. Its integer kernels want signed weights, one scale per channel.
"""

from pathlib import Path

import torch
from torch import nn

from benchmarks.peers.first_row import first_row_only
from compress.models.anatomy import layers_of
from mobile_export.lowering.lower import StockForm, load_model
from mobile_export.programs.quiet import quiet

INPUTS = ("input_ids", "attention_mask")
OPSET = 17


def export_onnx(model_dir: Path, output: Path, *, first_row: bool = False) -> dict[str, int]:
    """Write fp32.onnx and int8.onnx, of dynamic length, into `output`. Returns how often each operator was fused.

    With `first_row` the last layer computes only what the [CLS] row needs.
    """
    from onnxruntime.transformers import optimizer

    model = load_model(model_dir)
    model.set_attn_implementation("eager")
    heads, size = _attention_of(model)
    plain = output / "plain.onnx"
    with quiet():
        _trace(StockForm(first_row_only(model) if first_row else model).eval(), plain)
        fused = optimizer.optimize_model(str(plain), "bert", num_heads=heads, hidden_size=size, opt_level=0)
        fused.save_model_to_file(str(output / "fp32.onnx"))
        _quantize(output / "fp32.onnx", output / "int8.onnx")
    plain.unlink()
    return {name: count for name, count in fused.get_fused_operator_statistics().items() if count}


def _trace(module: nn.Module, path: Path) -> None:
    example = tuple(torch.ones(1, 64, dtype=torch.int64) for _ in INPUTS)
    axes = {name: {1: "T"} for name in INPUTS}
    with torch.no_grad():
        torch.onnx.export(
            module,
            example,
            str(path),
            input_names=list(INPUTS),
            output_names=["logits"],
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )


def _attention_of(model: nn.Module) -> tuple[int, int]:
    """(heads, width of all heads), or zeros where layers differ: the optimizer would give all of them the same."""
    layers = layers_of(model)
    heads = {layer.heads for layer in layers}
    return (layers[0].heads, layers[0].query.out_features) if len(heads) == 1 else (0, 0)


def _quantize(source: Path, target: Path) -> None:
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    model = onnx.load(str(source))
    del model.graph.value_info[:]  # shapes written by the exporter contradict those that the quantizer infers
    options = {"DefaultTensorType": onnx.TensorProto.FLOAT}
    quantize_dynamic(model, str(target), per_channel=True, weight_type=QuantType.QInt8, extra_options=options)
