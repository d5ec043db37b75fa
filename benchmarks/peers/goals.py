"""What the project has set itself: its time over a peer's, for each length, on the same model in int8."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """`most[length]`: the time of the contestant `program` ÷ that of `peer` should be no more than that.

    Empty where the ratio is only reported.
    """

    name: str
    program: str
    peer: str
    most: Mapping[int, float]


def _at(*ratios: float) -> dict[int, float]:
    return dict(zip((12, 32, 64, 128), ratios, strict=True))


GOALS = (
    Goal("LiteRT int8", "dense pocket_ticket int8", "dense litert int8", _at(0.97, 0.92, 0.89, 0.86)),
    Goal("ONNX Runtime int8", "dense pocket_ticket int8", "dense onnxruntime int8", _at(0.80, 0.62, 0.55, 0.52)),
    Goal("LiteRT int8 with the [CLS] shortcut", "dense pocket_ticket int8", "dense litert_cls int8", {}),
    Goal("ONNX Runtime int8 with the [CLS] shortcut", "dense pocket_ticket int8", "dense onnxruntime_cls int8", {}),
    Goal("stock ExecuTorch int8", "dense pocket_ticket int8", "dense stock int8", _at(0.60, 0.40, 0.30, 0.23)),
    Goal(
        "LiteRT int8 of the dense model",
        "ticket pocket_ticket int8",
        "dense litert int8",
        _at(0.45, 0.40, 0.38, 0.36),
    ),
    Goal(
        "LiteRT int8 of the unmerged model",
        "merged pocket_ticket int8",
        "dense litert int8",
        _at(0.85, 0.85, 0.85, 0.85),
    ),
    Goal("ONNX Runtime int8 of the unmerged model", "merged pocket_ticket int8", "dense onnxruntime int8", {}),
    Goal(
        "LiteRT int8 of the unmerged model with the [CLS] shortcut",
        "merged pocket_ticket int8",
        "dense litert_cls int8",
        {},
    ),
)
