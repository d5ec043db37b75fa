"""Task heads in phone form: each is a small module that reads the stream (T, H) and says which rows it needs."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from compress.models.anatomy import (
    HeadKind,
    classification_head_of,
    head_kind_of,
    masked_language_head_of,
    row_head_dense_of,
    span_head_of,
    token_head_of,
)
from compress.models.parts import HeadDense
from compress.models.pooling import PROJECTION, Pooling
from mobile_export.lowering.blocks import PhoneNorm, activation_of, folded, linear_of

EMBEDDING_EPS = 1e-12  # an embedding's smallest length, as in torch.nn.functional.normalize


class RowHead(nn.Module):
    """What a head does to each row before its last matrix, if anything: dense → activation → norm."""

    def __init__(self, parts: HeadDense | None, pending: Tensor) -> None:
        super().__init__()
        self.dense = self.activation = self.norm = None
        self.pending = pending  # what the rows before the last matrix lack
        if parts is not None:
            self.dense, self.activation = folded(parts.dense, pending), activation_of(parts.activation)
            self.norm = None if parts.norm is None else PhoneNorm(parts.norm)
            self.pending = torch.zeros(parts.dense.out_features) if self.norm is None else self.norm.pending

    def before_out(self, x: Tensor) -> Tensor:
        """(R, H) → (R, H)."""
        if self.dense is not None and self.activation is not None:
            x = self.activation(self.dense(x))
        return x if self.norm is None else self.norm(x)


class SequenceHead(RowHead):
    """Classification and regression: the [CLS] row (1, H), or the mean of all → dense → activation → logits (1, L)."""

    outputs = ("logits",)

    def __init__(self, model: nn.Module, pending: Tensor) -> None:
        parts = classification_head_of(model)
        super().__init__(parts.first, pending)
        self.first_row_only = not parts.mean
        self.mean = RowMean(pending.numel()) if parts.mean else None
        self.out = folded(parts.out, self.pending)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.before_out(x if self.mean is None else self.mean(x)))


class TokenHead(RowHead):
    """Token classification: every row (T, H) → logits (1, T, L)."""

    first_row_only = False
    outputs = ("logits",)

    def __init__(self, model: nn.Module, pending: Tensor) -> None:
        super().__init__(row_head_dense_of(model), pending)
        self.out = folded(token_head_of(model), self.pending)
        self.labels = self.out.out_features  # kept: a quantized Linear does not say it

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.before_out(x)).view(1, -1, self.labels)


class SpanHead(RowHead):
    """Extractive question answering: every row (T, H) → start and end logits, (1, T) each.

    Two Linears with one output each: columns sliced from one Linear would stay outside XNNPACK.
    """

    first_row_only = False
    outputs = ("start_logits", "end_logits")

    def __init__(self, model: nn.Module, pending: Tensor) -> None:
        super().__init__(row_head_dense_of(model), pending)
        both = folded(span_head_of(model), self.pending)
        self.start, self.end = (linear_of(both.weight.detach()[[i]], both.bias.detach()[[i]]) for i in (0, 1))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.before_out(x)
        return self.start(x).view(1, -1), self.end(x).view(1, -1)


class MaskedLanguageModelHead(nn.Module):
    """Masked language modeling: every row (T, H) → logits over the vocabulary (1, T, V)."""

    first_row_only = False
    outputs = ("logits",)

    def __init__(self, model: nn.Module, pending: Tensor) -> None:
        super().__init__()
        parts = masked_language_head_of(model)
        self.dense, self.activation = folded(parts.dense, pending), activation_of(parts.activation)
        self.norm = PhoneNorm(parts.norm)
        bias = torch.zeros(len(parts.weight)) if parts.bias is None else parts.bias.detach()
        self.out = folded(linear_of(parts.weight.detach(), bias), self.norm.pending)
        self.words = self.out.out_features

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.norm(self.activation(self.dense(x)))).view(1, -1, self.words)


class RowMean(nn.Module):
    """The mean of all rows, (T, H) → (1, H).

    XNNPACK has no sum over rows. The mean is attention that weighs each of them alike: a softmax over T equal scores.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.register_buffer("nothing", torch.zeros(1, width))

    def forward(self, x: Tensor) -> Tensor:
        weights = torch.softmax(F.linear(x, self.nothing).view(1, 1, -1), -1)  # (1, 1, T), each 1 / T
        return torch.bmm(weights, x.view(1, -1, self.width)).view(1, -1)


class EmbeddingHead(nn.Module):
    """A text's vector (1, D), as `models.pooling` computes it.

    It is the mean of all rows (T, H), or [CLS] (1, H); projected and L2-normalized where the model says so.
    """

    outputs = ("embedding",)

    def __init__(self, model: nn.Module, pending: Tensor) -> None:
        super().__init__()
        pooling = Pooling.of(model.config)
        self.first_row_only, self.normalize = pooling.mode == "cls", pooling.normalize
        self.projection = folded(model.get_submodule(PROJECTION), pending) if pooling.size else None
        self.mean = None if self.first_row_only else RowMean(pending.numel())
        self.register_buffer("missing", pending)
        self.register_buffer("ones", torch.ones(1, pooling.size or pending.numel()))
        self.register_buffer("eps", torch.tensor([EMBEDDING_EPS**2]))

    def forward(self, x: Tensor) -> Tensor:
        if self.mean is not None:
            x = self.mean(x)
        x = x + self.missing if self.projection is None else self.projection(x)
        return x * torch.rsqrt(F.linear(x * x, self.ones, self.eps)) if self.normalize else x


HEADS: dict[HeadKind, type[nn.Module]] = {
    "sequence": SequenceHead,
    "tokens": TokenHead,
    "span": SpanHead,
    "masked": MaskedLanguageModelHead,
    "none": EmbeddingHead,
}


def head_of(model: nn.Module, pending: Tensor) -> nn.Module:
    """The head of a Hugging Face task model in phone form, for a stream that lacks `pending` (H,).

    Raises ModelError for a kind of model without one.
    """
    return HEADS[head_kind_of(model)](model, pending)


def outputs_of(model: nn.Module) -> tuple[str, ...]:
    """The names of a task model's outputs, in order."""
    return HEADS[head_kind_of(model)].outputs
