"""MobileBERT's own parts in phone form: the trigram embedding and the layer with bottlenecks (Sun et al. 2020).

It gets its own block rather than a fallback on the stock form, because attention and feed-forward blocks are those of
every other architecture; only what surrounds them differs.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from compress.models.parts import Layer
from mobile_export.lowering.blocks import PhoneAttention, PhoneFeedForward, PhoneNorm, folded, linear_of


class Trigram(nn.Module):
    """Word rows (T, E) → projected (T, H), each seeing its next and previous neighbor where `enabled`."""

    def __init__(self, projection: nn.Linear, *, enabled: bool) -> None:
        super().__init__()
        self.projection, self.enabled = folded(projection), enabled

    def forward(self, x: Tensor) -> Tensor:
        if self.enabled:
            padded = F.pad(x, (0, 0, 1, 1))  # first, so that no slice can be one row long: export would refuse T = 2
            x = torch.cat([padded[2:], x, padded[:-2]], dim=1)
        return self.projection(x)


class Squeeze(nn.Module):
    """A bottleneck: dense, then norm. NoNorm is folded into the dense layer whole. (T, H) → (T, B)."""

    def __init__(self, dense: nn.Linear, norm: nn.Module, pending: Tensor) -> None:
        super().__init__()
        linear = folded(dense, pending)
        self.norm = PhoneNorm(norm)
        self.pending = self.norm.pending
        if not self.norm.centered:
            weight = self.norm.weight.detach()
            linear = linear_of(linear.weight.detach() * weight[:, None], linear.bias.detach() * weight + self.pending)
            self.norm, self.pending = nn.Identity(), torch.zeros_like(self.pending)
        self.dense = linear

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.dense(x))


class MobileBertLayer(nn.Module):
    """(R, H), (T, H) → (R, H): attention and feed-forward blocks work B wide between two bottlenecks."""

    def __init__(self, layer: Layer, pending: Tensor, activation: str) -> None:
        super().__init__()
        narrow = layer.bottleneck
        self.enter = Squeeze(narrow.enter[0], narrow.enter[1], pending)
        self.shared, key_rows, value = None, pending, pending
        self.inside = narrow.inside
        if self.inside:
            key_rows = value = self.enter.pending
        elif narrow.shared is not None:
            self.shared = Squeeze(narrow.shared[0], narrow.shared[1], pending)
            key_rows = self.shared.pending
        self.attention = PhoneAttention(layer, query_key=key_rows, value=value, residual=self.enter.pending)
        inner = self.attention.norm.pending
        blocks = []
        for block in layer.feed_forwards:
            blocks.append(PhoneFeedForward(block, inner, activation))
            inner = blocks[-1].norm.pending
        self.feed_forwards = nn.ModuleList(blocks)
        leave, norm = narrow.leave
        self.leave = folded(leave, inner, residual=pending)
        self.norm = PhoneNorm(norm)
        self.pending = self.norm.pending

    def forward(self, rows: Tensor, stream: Tensor) -> Tensor:
        squeezed = self.enter(rows)
        if self.inside:
            query_rows, key_rows = squeezed, squeezed if rows is stream else self.enter(stream)
            x = self.attention(query_rows, key_rows, key_rows, squeezed)
        elif self.shared is not None:
            key_rows = self.shared(stream)
            x = self.attention(key_rows if rows is stream else self.shared(rows), key_rows, stream, squeezed)
        else:
            x = self.attention(rows, stream, stream, squeezed)
        for block in self.feed_forwards:
            x = block(x)
        return self.norm(self.leave(x) + rows)
