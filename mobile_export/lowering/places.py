"""What attention needs to know of the places of tokens, beside the position rows of the embeddings."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from compress.models.anatomy import distance_buckets
from compress.models.parts import Layer
from mobile_export.lowering.quantization import Quantizable, load_quantized_operators

_FAR = -1e4  # added to the score of a token that is not seen: its softmax is 0 exactly


class DistanceBias(nn.Module):
    """A score (heads, R, T) for each distance, added to those of the first R of T rows (MPNet's).

    The scores of all pairs would be a table of heads · T² for each layer: the table (T, T) of buckets, which all layers
    share, is looked up instead. `weight` is (buckets, heads).
    """

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.register_buffer("weight", weight.clone())

    def forward(self, buckets: Tensor) -> tuple[Tensor, ...]:
        return (F.embedding(buckets, self.weight).permute(2, 0, 1),)


class Turns(nn.Module):
    """Cosines and sines (T, 1, d/2) that turn queries and keys, and a window's mask (1, R, T) where texts exceed it."""

    def __init__(self, layer: Layer, max_tokens: int) -> None:
        super().__init__()
        angles = torch.arange(max_tokens)[:, None, None] * layer.rotary.frequencies
        self.register_buffer("cosine", angles.cos() * layer.rotary.scale)
        self.register_buffer("sine", angles.sin() * layer.rotary.scale)
        places = torch.arange(max_tokens)
        far = (places[None] - places[:, None]).abs() > (layer.window or max_tokens)
        self.window = Window(far) if far.any() else None

    def forward(self, rows: int, length: int) -> tuple[Tensor, ...]:
        turns = self.cosine[:length], self.sine[:length]
        return turns if self.window is None else (*turns, self.window(rows, length))


class Window(nn.Module, Quantizable):
    """(1, R, T) of 0 for a token in the window and a very low score for one beyond it."""

    def __init__(self, far: Tensor) -> None:
        super().__init__()
        self.register_buffer("added", far[None] * _FAR)

    def forward(self, rows: int, length: int) -> Tensor:
        return self.added[:, :rows, :length]

    def quantized(self) -> nn.Module:
        return Int8Window(self.added != 0)


class Int8Window(nn.Module):
    """The same stored in a byte each."""

    def __init__(self, far: Tensor) -> None:
        super().__init__()
        load_quantized_operators()
        self.register_buffer("far", -far.to(torch.int8))

    def forward(self, rows: int, length: int) -> Tensor:
        part = self.far[:, :rows, :length]
        return torch.ops.quantized_decomposed.dequantize_per_tensor(part, -_FAR, 0, -128, 127, torch.int8)


class Places(nn.Module):
    """For each layer what its attention takes beside the rows; layers that take the same share it."""

    def __init__(self, model: nn.Module, layers: Sequence[Layer], max_tokens: int) -> None:
        super().__init__()
        longest = max_tokens + 1  # longer than any text: else the exporter asks what holds for the longest alone
        self.kinds, self.kind_of = nn.ModuleDict(), [""] * len(layers)
        biased = layers[0].position_bias is not None
        self.register_buffer("buckets", distance_buckets(model, longest).to(torch.int32) if biased else None)
        for i, layer in enumerate(layers):
            if (bias := layer.position_bias) is not None:
                name = "heads_" + "_".join(map(str, bias.heads.tolist()))
                made: nn.Module = DistanceBias(bias.table.weight.detach()[:, bias.heads])
            elif layer.rotary is not None:
                name = f"window_{layer.window}"
                made = self.kinds[name] if name in self.kinds else Turns(layer, longest)
            else:
                continue
            self.kind_of[i] = name
            if name not in self.kinds:
                self.kinds[name] = made

    def forward(self, length: int) -> list[tuple[Tensor, ...]]:
        """For each layer of a text of `length` tokens."""
        found = self._of(list(self.kinds), length, length)
        return [found.get(name, ()) for name in self.kind_of]

    def of_first_row(self, length: int) -> tuple[Tensor, ...]:
        """For the last layer, where only its first row is computed."""
        name = self.kind_of[-1]
        return self._of([name], 1, length)[name] if name else ()

    def _of(self, names: Sequence[str], rows: int, length: int) -> dict[str, tuple[Tensor, ...]]:
        if self.buckets is None:
            return {name: self.kinds[name](rows, length) for name in names}
        buckets = self.buckets[:rows, :length]
        return {name: self.kinds[name](buckets) for name in names}
