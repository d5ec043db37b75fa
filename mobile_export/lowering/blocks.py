"""The pieces of the phone form: an encoder's operators rewritten, same mathematics, so that XNNPACK takes all of them.

The stream is 2-D (T, H): one text, nothing padded. Views are written with -1, because a view with a symbolic size
stays outside XNNPACK and cuts the graph. A norm leaves out its additive bias; the `pending` bias is folded into
whatever reads the stream next: a Linear as W·pending, a residual sum as the bias of the Linear beside it.
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from compress.errors import ExportError
from compress.models.parts import FeedForward, Layer
from compress.training.rounding import GROUP


def folded(linear: nn.Linear, pending: Tensor | None = None, *, residual: Tensor | None = None) -> nn.Linear:
    """A copy of `linear` (H_in → H_out) that reads a stream lacking the bias `pending` (H_in,).

    `residual` (H_out,) is the bias that the stream added to this Linear's output lacks.
    """
    weight = linear.weight.detach().clone()
    bias = torch.zeros(linear.out_features) if linear.bias is None else linear.bias.detach().clone()
    if pending is not None:
        bias += weight @ pending
    if residual is not None:
        bias += residual
    return linear_of(weight, bias)


def linear_of(weight: Tensor, bias: Tensor) -> nn.Linear:
    """A Linear that owns `weight` (H_out, H_in) and `bias` (H_out,)."""
    linear = nn.Linear(weight.shape[1], weight.shape[0])
    linear.weight, linear.bias = nn.Parameter(weight.contiguous()), nn.Parameter(bias.contiguous())
    return linear


def without_idle(
    inner: nn.Linear, outer: nn.Linear, gate: nn.Linear | None, activation: Callable[[Tensor], Tensor]
) -> tuple[nn.Linear, nn.Linear, nn.Linear | None, int]:
    """The layers (H → F, F → H, and the gate H → F) without neurons that zeros leave idle, and how many went.

    An idle neuron has no input or no output: what it adds, its column of `outer` times the activation of
    its bias, is the same for every text, and goes into the bias of `outer`. What is left comes in groups of 32, as
    int4's scales and wide registers want it; idle neurons fill the last.
    """
    constant = activation(inner.bias)
    has_input = (inner.weight != 0).any(dim=1)
    if gate is not None:  # a product is the same for every text where both factors are, or one is always 0
        opens = (gate.weight != 0).any(dim=1)
        has_input = (has_input | opens) & (has_input | (constant != 0)) & (opens | (gate.bias != 0))
        constant = constant * gate.bias
    busy = has_input & (outer.weight != 0).any(dim=0)
    idle = (~busy).nonzero().flatten()
    kept = max(math.ceil(int(busy.sum()) / GROUP), 1) * GROUP
    gone = idle[kept - int(busy.sum()) :]
    if not len(gone):
        return inner, outer, gate, 0
    stays = torch.ones_like(busy).index_fill(0, gone, False)
    with torch.no_grad():
        added = outer.weight[:, gone] @ constant[gone]
        smaller = (
            linear_of(inner.weight[stays], inner.bias[stays]),
            linear_of(outer.weight[:, stays], outer.bias + added),
            gate and linear_of(gate.weight[stays], gate.bias[stays]),
        )
    return *smaller, len(gone)


class PhoneNorm(nn.Module):
    """LayerNorm without its bias, which is left in `pending` (H,), or `whole`. (T, H) → (T, H).

    XNNPACK has no layer_norm and no mean over the last dimension: both means are Linears with one output, the
    variance's with eps as its bias. MobileBERT's NoNorm is only a product.
    """

    def __init__(self, norm: nn.Module, *, whole: bool = False) -> None:
        super().__init__()
        width = norm.weight.numel()
        self.weight = nn.Parameter(norm.weight.detach().clone())
        self.centered = isinstance(norm, nn.LayerNorm)
        if self.centered:
            self.register_buffer("average", torch.full((1, width), 1.0 / width))
            self.register_buffer("eps", torch.tensor([norm.eps]))
        bias = torch.zeros(width) if norm.bias is None else norm.bias.detach().clone()
        self.bias = nn.Parameter(bias) if whole else None
        self.pending = torch.zeros_like(bias) if whole else bias

    def forward(self, x: Tensor) -> Tensor:
        if self.centered:
            x = x - F.linear(x, self.average)
            x = x * torch.rsqrt(F.linear(x * x, self.average, self.eps))
        x = x * self.weight
        return x if self.bias is None else x + self.bias


class PhoneAttention(nn.Module):
    """Multi-head attention with 1/√d folded into the query and no mask, residual and norm included."""

    def __init__(
        self, layer: Layer, *, query_key: Tensor | None, value: Tensor | None, residual: Tensor | None
    ) -> None:
        super().__init__()
        self.head_size, self.width = layer.head_size, layer.value.out_features
        scale = layer.head_size**-0.5
        query = folded(layer.query, query_key)
        self.query = linear_of(query.weight.detach() * scale, query.bias.detach() * scale)
        self.key, self.value = folded(layer.key, query_key), folded(layer.value, value)
        self.output = folded(layer.attention_output, residual=residual)
        self.norm = nn.Identity() if layer.norm_first else PhoneNorm(layer.attention_norm)

    def forward(
        self, rows: Tensor, query_key: Tensor, value: Tensor, residual: Tensor, added: Tensor | None = None
    ) -> Tensor:
        """Queries from `rows` (R, H), keys from `query_key` and values from `value` (T, H); adds `residual` (R, H).

        `added` (heads or 1, R, T) is added to the scores.
        """
        query = self.heads(self.query(rows)).transpose(0, 1)
        key = self.heads(self.key(query_key)).permute(1, 2, 0)
        return self.norm(self.attended(query, key, value, added) + residual)

    def attended(self, query: Tensor, key: Tensor, value: Tensor, added: Tensor | None) -> Tensor:
        """Of queries (heads, R, d) and keys (heads, d, T), and the rows (T, H) that values are made of: (R, H)."""
        scores = torch.bmm(query, key)  # (heads, R, T)
        if added is not None:
            scores = scores + added
        context = torch.bmm(torch.softmax(scores, -1), self.heads(self.value(value)).transpose(0, 1))
        return self.output(context.transpose(0, 1).contiguous().view(-1, self.width))

    def heads(self, x: Tensor) -> Tensor:
        """(R, heads · d) → (R, heads, d)."""
        return x.view(-1, self.width // self.head_size, self.head_size)


class PhoneFeedForward(nn.Module):
    """inner → activation [· gate] → outer, residual and norm included. (R, H) → (R, H)."""

    def __init__(self, block: FeedForward, pending: Tensor, activation: str, *, whole: bool = False) -> None:
        super().__init__()
        self.activation = activation_of(activation)
        self._take(block, pending, residual=pending)
        self.norm = PhoneNorm(block.norm, whole=whole)

    def _take(self, block: FeedForward, pending: Tensor, residual: Tensor | None) -> None:
        """Own the block's matrices, for rows that lack `pending`."""
        outer, gate = folded(block.outer, residual=residual), block.gate and folded(block.gate, pending)
        self.inner, self.outer, self.gate, self.idle = without_idle(
            folded(block.inner, pending), outer, gate, self.activation
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.inside(x) + x)

    def inside(self, x: Tensor) -> Tensor:
        """Without residual and norm."""
        hidden = self.activation(self.inner(x))
        return self.outer(hidden if self.gate is None else hidden * self.gate(x))


def _gelu_tanh(x: Tensor) -> Tensor:
    """The tanh form of GELU, as x·σ(2u) = x·(1 + tanh u)/2: XNNPACK's own GELU ignores `approximate`."""
    return x * torch.sigmoid(math.sqrt(8 / math.pi) * (x + 0.044715 * (x * x * x)))


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": F.gelu,
    "gelu_python": F.gelu,
    "gelu_new": _gelu_tanh,
    "gelu_fast": _gelu_tanh,
    "gelu_pytorch_tanh": _gelu_tanh,
    "gelu_python_tanh": _gelu_tanh,
    "quick_gelu": lambda x: x * torch.sigmoid(1.702 * x),
    "relu": F.relu,
    "silu": lambda x: x * torch.sigmoid(x),
    "swish": lambda x: x * torch.sigmoid(x),
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
}


def activation_of(name: str) -> Callable[[Tensor], Tensor]:
    """The activation (…) → (…) that a config calls `name`, in operators that XNNPACK computes as written.

    Raises ExportError for a name that is not in `ACTIVATIONS`.
    """
    if name not in ACTIVATIONS:
        raise ExportError(
            f"the activation '{name}' can't be lowered",
            remedy=f"use a model with one of {', '.join(sorted(ACTIVATIONS))}",
        )
    return ACTIVATIONS[name]
