"""The phone form of a whole model: embeddings, layers, head, for one text of T tokens without padding."""

import torch
from torch import Tensor, nn

from compress.errors import ExportError
from compress.models.anatomy import embeddings_of, final_norm_of, first_with_its_weights, layers_of
from compress.models.architectures import architecture_of
from compress.models.merging import merged_length, merging_table
from compress.models.parts import Layer
from compress.models.saved import Saved
from mobile_export.lowering import cls_shortcut
from mobile_export.lowering.blocks import PhoneAttention, PhoneFeedForward, PhoneNorm, folded
from mobile_export.lowering.heads import head_of
from mobile_export.lowering.mobilebert import MobileBertLayer, Trigram
from mobile_export.lowering.places import Places
from mobile_export.lowering.prenorm import PreNormLayer
from mobile_export.lowering.quantization import HalvesTable, Int8Positions, Quantizable


class PhoneEmbeddings(nn.Module):
    """Ids (T,) → stream (T, H), which lacks `pending` (H,), or nothing with `whole`.

    Position and the first token type are one table. The second token type of a pair is its difference from the first,
    switched on by the id itself (0 or 1).
    """

    def __init__(self, model: nn.Module, max_tokens: int, *, segments: bool, whole: bool = False) -> None:
        super().__init__()
        parts = embeddings_of(model)
        self.word = nn.Embedding.from_pretrained(parts.word.weight.detach().clone())
        self.up = None if parts.up is None else folded(parts.up)
        self.norm = PhoneNorm(parts.norm, whole=whole)
        self.projection, self.trigram = None, None
        self.position = None
        if parts.position is not None:
            first = parts.position_offset
            position = parts.position.weight.detach()[first : first + max_tokens].clone()
            if parts.token_type is not None:
                types = parts.token_type.weight.detach()
                position += types[0]
                if segments:
                    self.register_buffer("second_segment", types[1:2] - types[0])
            self.position = PositionTable(position)
        self.pending = self.norm.pending
        if parts.projection is not None:
            if parts.projects_words:
                self.trigram = Trigram(parts.projection, enabled=parts.trigram)
            else:
                self.projection = folded(parts.projection, self.pending)
                self.pending = torch.zeros(self.projection.out_features)

    def forward(self, ids: Tensor, segments: Tensor | None) -> Tensor:
        x = self.word(ids)
        if self.up is not None:
            x = self.up(x)
        if self.trigram is not None:
            x = self.trigram(x)
        if self.position is not None:
            x = x + self.position(ids.shape[0])
        if segments is not None:
            x = x + segments.view(-1, 1).to(torch.float32) * self.second_segment
        x = self.norm(x)
        return x if self.projection is None else self.projection(x)


class PositionTable(nn.Module, Quantizable):
    """The first T rows of a table (max_tokens, H)."""

    def __init__(self, rows: Tensor) -> None:
        super().__init__()
        self.register_buffer("rows", rows)

    def forward(self, length: int) -> Tensor:
        return self.rows[:length]

    def quantized(self) -> nn.Module:
        return Int8Positions(self.rows)


class PhoneLayer(nn.Module):
    """One post-norm encoder layer (R, H), (T, H) → (R, H): `rows` are those of the stream that are still needed.

    With `whole` its output lacks nothing, so that the same layer can read it.
    """

    def __init__(self, layer: Layer, pending: Tensor, activation: str, *, whole: bool = False) -> None:
        super().__init__()
        self.attention = PhoneAttention(layer, query_key=pending, value=pending, residual=pending)
        pending = self.attention.norm.pending
        blocks = []
        for number, block in enumerate(layer.feed_forwards, 1):
            last = number == len(layer.feed_forwards)
            blocks.append(PhoneFeedForward(block, pending, activation, whole=whole and last))
            pending = blocks[-1].norm.pending
        self.feed_forwards = nn.ModuleList(blocks)
        self.pending = pending

    def forward(self, rows: Tensor, stream: Tensor, added: Tensor | None = None) -> Tensor:
        x = self.attention(rows, stream, stream, rows, added)
        for block in self.feed_forwards:
            x = block(x)
        return x


class PhoneMerging(nn.Module):
    """Neighboring rows (T, H) become their mean, the first row stays: (M, H)."""

    def __init__(self, pending: Tensor, max_tokens: int) -> None:
        super().__init__()
        self.register_buffer("bias", pending)
        # larger than any text in both sizes: else the exporter wants to know which texts fill it
        self.table = MergingTable(merging_table(max_tokens + 2).unsqueeze(0))

    def forward(self, x: Tensor, length: int) -> Tensor:
        width = self.bias.numel()
        # a product stays inside XNNPACK, a mean over neighbors would not; nor would a view that only drops the 1
        rows = torch.bmm(self.table(length), (x + self.bias).view(1, -1, width))
        return rows.transpose(0, 1).contiguous().view(-1, width)


class MergingTable(nn.Module, Quantizable):
    """The part of a table (1, M, T) of halves that merges fewer tokens."""

    def __init__(self, table: Tensor) -> None:
        super().__init__()
        self.register_buffer("table", table)

    def forward(self, length: int) -> Tensor:
        return self.table[:, : merged_length(length), :length]

    def quantized(self) -> nn.Module:
        return HalvesTable(self.table, merged_length)


class PhoneEncoder(nn.Module):
    """A task model in phone form: input_ids (1, T) [, token_type_ids (1, T)] → what its head gives."""

    def __init__(self, model: nn.Module, max_tokens: int, *, segments: bool) -> None:
        super().__init__()
        layers = layers_of(model)
        if min(layer.heads for layer in layers) < 1:
            raise ExportError(
                "a layer without attention heads can't be lowered", remedy="keep at least one head in each layer"
            )
        whole = architecture_of(model).shares_layers or layers[0].norm_first
        self.embeddings = PhoneEmbeddings(model, max_tokens, segments=segments, whole=whole)
        self.places = Places(model, layers, max_tokens)
        activation = getattr(model.config, architecture_of(model).hidden_activation)
        pending, blocks = self.embeddings.pending, []
        self.mergings, merge_after = nn.ModuleDict(), Saved.of(model.config).merge_after
        self.passes = first_with_its_weights(layers)  # which block runs at each step
        for number, layer in enumerate(layers, 1):
            if self.passes[number - 1] != number - 1:
                continue
            if layer.bottleneck is not None:
                blocks.append(MobileBertLayer(layer, pending, activation))
            elif layer.norm_first:
                blocks.append(PreNormLayer(layer, activation))
            else:
                blocks.append(PhoneLayer(layer, pending, activation, whole=whole))
            pending = blocks[-1].pending
            if number in merge_after:
                self.mergings[str(number)] = PhoneMerging(pending, max_tokens)
                pending, max_tokens = torch.zeros_like(pending), merged_length(max_tokens)
        self.layers = nn.ModuleList(blocks)
        self.norm = None
        if (norm := final_norm_of(model)) is not None:
            self.norm = PhoneNorm(norm)
            pending = self.norm.pending
        self.head = head_of(model, pending)

    @property
    def idle_neurons(self) -> int:
        """How many of the model's feed-forward neurons never add anything but a constant, and were left out."""
        return sum(m.idle for m in self.modules() if isinstance(m, PhoneFeedForward))

    def forward(self, input_ids: Tensor, token_type_ids: Tensor | None = None) -> Tensor | tuple[Tensor, ...]:
        segments = None if token_type_ids is None else token_type_ids.view(-1)
        ids = input_ids.view(-1)
        x, length = self.embeddings(ids, segments), ids.shape[0]
        places = self.places(length)
        for number, block in enumerate(self.passes[:-1], 1):
            x = self.layers[block](x, x, *places[number - 1])
            if str(number) in self.mergings:
                x, length = self.mergings[str(number)](x, length), merged_length(length)
        last, place = self.layers[self.passes[-1]], places[-1]
        if self.head.first_row_only:
            place = self.places.of_first_row(length)
        x = cls_shortcut.last_layer(last, self.head, x, *place)
        return self.head(x if self.norm is None else self.norm(x))
