"""Converts one saved model to LiteRT, in an environment of its own (benchmarks/peers/requirements-litert.txt).

    python -m benchmarks.peers.litert_convert [--first-row] MODEL_DIR OUTPUT_DIR LENGTH ...

Writes fp32_LENGTH.tflite and int8_LENGTH.tflite (weights int8, activations int8 as each text gives their range) for
every length: the converter takes no symbolic length for these models. Both take input_ids and attention_mask, each
(1, LENGTH). With --first-row the last layer computes only what the [CLS] row needs. Prints the versions that it used,
as JSON.
"""

import json
import sys
from importlib.metadata import version
from pathlib import Path

import torch


def convert(model_dir: Path, output: Path, lengths: list[int], *, first_row: bool = False) -> None:
    """Write the two files of each length into `output`."""
    import litert_torch

    from benchmarks.peers.first_row import first_row_only
    from mobile_export.lowering.lower import StockForm, load_model

    model = load_model(model_dir)
    model = StockForm(first_row_only(model) if first_row else model).eval()
    for length in lengths:
        example = tuple(torch.ones(1, length, dtype=torch.int64) for _ in range(2))
        plain = output / f"fp32_{length}.tflite"
        with torch.no_grad():
            litert_torch.convert(model, example).export(str(plain))
        quantize(plain, output / f"int8_{length}.tflite")


def quantize(source: Path, target: Path) -> None:
    """LiteRT's own dynamic quantization: int8 weights, one scale per channel, embeddings included."""
    from ai_edge_quantizer import quantizer, recipe

    worker = quantizer.Quantizer(str(source))
    worker.load_quantization_recipe(recipe.dynamic_wi8_afp32())
    worker.quantize().export_model(str(target))


if __name__ == "__main__":
    first_row, arguments = "--first-row" in sys.argv, [word for word in sys.argv[1:] if word != "--first-row"]
    convert(Path(arguments[0]), Path(arguments[1]), [int(length) for length in arguments[2:]], first_row=first_row)
    print(json.dumps({package: version(package) for package in ("litert-torch", "ai-edge-quantizer", "torch")}))
