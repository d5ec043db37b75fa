"""ModernBERT's own parts in phone form: norms before what they prepare, and queries and keys that are turned.

Column i of a head is turned with column i + d/2. Halves of a head would be slices of dynamic rows, which stay outside
XNNPACK; so the two halves of all heads are Linears of their own, which cost and hold the same as one.
"""

import torch
from torch import Tensor, nn

from compress.models.parts import FeedForward, Layer
from mobile_export.lowering.blocks import PhoneAttention, PhoneFeedForward, PhoneNorm, linear_of


class Halves(nn.Module):
    """(R, H) → the first and the second half of every head, (R, heads, d/2) each."""

    def __init__(self, linear: nn.Linear, head_size: int) -> None:
        super().__init__()
        rows = torch.arange(linear.out_features).view(-1, 2, head_size // 2)
        weight, bias = linear.weight.detach(), linear.bias.detach()
        self.first, self.second = (
            linear_of(weight[half], bias[half]) for half in (rows[:, i].flatten() for i in (0, 1))
        )
        self.heads, self.size = len(rows), head_size // 2

    def forward(self, x: Tensor, cosine: Tensor | None, sine: Tensor | None) -> Tensor:
        """Both halves turned, (R, heads, d). `cosine` and `sine` are (R, 1, d/2); None: those of the first place."""
        first, second = (part(x).view(-1, self.heads, self.size) for part in (self.first, self.second))
        if cosine is not None:
            first, second = first * cosine - second * sine, second * cosine + first * sine
        return torch.cat([first, second], -1)


class RotaryAttention(PhoneAttention):
    """Attention whose queries and keys are turned, on rows that are normalized already; no residual, no norm."""

    def __init__(self, layer: Layer, pending: Tensor) -> None:
        super().__init__(layer, query_key=pending, value=pending, residual=None)
        self.query, self.key = Halves(self.query, layer.head_size), Halves(self.key, layer.head_size)

    def forward(
        self, rows: Tensor, stream: Tensor, cosine: Tensor, sine: Tensor, added: Tensor | None = None
    ) -> Tensor:
        """Queries from `rows` (R, H), all or the first alone, keys and values from `stream` (T, H)."""
        turned = (cosine, sine) if rows is stream else (None, None)  # the first place is turned by nothing
        query = self.query(rows, *turned).transpose(0, 1)
        key = self.key(stream, cosine, sine).permute(1, 2, 0)
        return self.attended(query, key, stream, added)


class NormedFeedForward(PhoneFeedForward):
    """norm → inner → activation [· gate] → outer, residual included. (R, H) → (R, H)."""

    def __init__(self, block: FeedForward, activation: str) -> None:
        super().__init__(block, torch.zeros(block.inner.in_features), activation)
        self._take(block, self.norm.pending, residual=None)

    def forward(self, x: Tensor) -> Tensor:
        return self.inside(self.norm(x)) + x


class PreNormLayer(nn.Module):
    """One layer with its norms first, (R, H), (T, H) → (R, H), on a stream that lacks nothing."""

    def __init__(self, layer: Layer, activation: str) -> None:
        super().__init__()
        first = isinstance(layer.attention_norm, nn.Identity)  # it reads the embeddings, which are normalized
        self.norm = nn.Identity() if first else PhoneNorm(layer.attention_norm)
        pending = torch.zeros(layer.query.in_features) if first else self.norm.pending
        self.attention = RotaryAttention(layer, pending)
        self.feed_forwards = nn.ModuleList(NormedFeedForward(block, activation) for block in layer.feed_forwards)
        self.pending = torch.zeros_like(pending)

    def forward(self, rows: Tensor, stream: Tensor, *place: Tensor) -> Tensor:
        normed = self.norm(stream)
        x = rows + self.attention(normed if rows is stream else self.norm(rows), normed, *place)
        for block in self.feed_forwards:
            x = block(x)
        return x
