"""Task heads in phone form: each is a small module that reads the stream (T, H) and says which rows it needs."""

from torch import Tensor, nn

from compress.errors import ExportError
from compress.models.anatomy import classification_head_of
from mobile_export.lowering_blocks import activation_of, folded


class SequenceHead(nn.Module):
    """Classification and regression: the [CLS] row (1, H) → dense → activation → logits (1, L)."""

    first_row_only = True
    outputs = ("logits",)

    def __init__(self, model: nn.Module, pending: Tensor) -> None:
        super().__init__()
        parts = classification_head_of(model)
        self.dense = None if parts.dense is None else folded(parts.dense, pending)
        self.activation = None if parts.activation is None else activation_of(parts.activation)
        self.out = folded(parts.out, pending if self.dense is None else None)

    def forward(self, x: Tensor) -> Tensor:
        if self.dense is not None:
            x = self.dense(x)
        if self.activation is not None:
            x = self.activation(x)
        return self.out(x)


HEADS: dict[str, type[nn.Module]] = {"ForSequenceClassification": SequenceHead}


def head_of(model: nn.Module, pending: Tensor) -> nn.Module:
    """The head of a Hugging Face task model in phone form, reading a stream that lacks `pending` (H,).

    Raises ExportError for a kind of model without one.
    """
    for suffix, head in HEADS.items():
        if type(model).__name__.endswith(suffix):
            return head(model, pending)
    raise ExportError(
        f"a {type(model).__name__} has no head that can be lowered",
        remedy=f"use a model that ends in {' or '.join(HEADS)}",
    )


def outputs_of(model: nn.Module) -> tuple[str, ...]:
    """The names of a task model's outputs, in order."""
    return next((h.outputs for suffix, h in HEADS.items() if type(model).__name__.endswith(suffix)), ("logits",))
