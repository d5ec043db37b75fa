"""The parts of a given encoder: "the query of layer 3", "the prunable matrices", "the head".

Masks, criteria, surgery and lowering get them from here, and know no architecture by name.
"""

from collections.abc import Iterator, Sequence
from typing import Literal, cast

import torch
from torch import Tensor, nn
from transformers import PretrainedConfig

from compress.errors import ModelError
from compress.models.architectures import ARCHITECTURES, Architecture, architecture_of
from compress.models.kept_heads import kept_heads
from compress.models.parts import (
    Bottleneck,
    ClassificationHead,
    Embeddings,
    FeedForward,
    HeadDense,
    Layer,
    MaskedLanguageHead,
    PositionBias,
    Rotary,
)


def encoder_of(model: nn.Module) -> nn.Module:
    """The encoder inside a task model (or the model itself, when it is a bare encoder)."""
    return getattr(model, architecture_of(model).base, model)


def layers_of(model: nn.Module) -> list[Layer]:
    """The encoder's layers in order, as their parts."""
    row, encoder = architecture_of(model), encoder_of(model)
    head_size = _head_size(model)
    if row.fused and isinstance(blocks_of(model)[0].get_submodule(next(iter(row.fused))), nn.Linear):
        raise ModelError(
            "the model's fused matrices are not divided yet",
            remedy="load it with compress.models.load or store, or call compress.models.fused.divide_",
        )
    return [
        Layer(
            **{name: block.get_submodule(path) for name, path in row.layer.items()},
            feed_forwards=tuple(_feed_forwards(row, block)),
            head_size=head_size,
            bottleneck=_bottleneck(row, block, inside=getattr(model.config, "use_bottleneck_attention", False)),
            position_bias=_position_bias(row, encoder, block),
            norm_first=row.norm_first,
            rotary=_rotary(row, encoder, block),
            window=model.config.sliding_window if getattr(block, "attention_type", "") == "sliding_attention" else None,
        )
        for block in blocks_of(model)
    ]


def blocks_of(model: nn.Module) -> list[nn.Module]:
    """The encoder's layers as they run: one whose weights are shared stands there once for each time."""
    blocks = list(_list_of_blocks(model))
    return blocks * model.config.num_hidden_layers if architecture_of(model).shares_layers else blocks


def _list_of_blocks(model: nn.Module) -> nn.ModuleList:
    return cast(nn.ModuleList, encoder_of(model).get_submodule(architecture_of(model).layers))


def set_blocks_(model: nn.Module, blocks: Sequence[nn.Module]) -> None:
    """Let these of the encoder's layers run, in this order; of one with shared weights only their number counts."""
    row = architecture_of(model)
    if row.shares_layers:
        model.config.num_hidden_layers = len(blocks)  # the encoder reads it at every pass
        return
    owner, _, name = row.layers.rpartition(".")
    setattr(encoder_of(model).get_submodule(owner), name, nn.ModuleList(blocks))


def write_layers_(config: PretrainedConfig, kept: Sequence[int]) -> None:
    """Let a config describe the encoder with these of its layers."""
    if kinds := getattr(config, "layer_types", None):
        config.layer_types = [kinds[i] for i in kept]
    config.num_hidden_layers = len(kept)


def first_with_its_weights(layers: Sequence[Layer]) -> list[int]:
    """For each layer the index of the first that has the same weights: its own, unless they are shared."""
    first: dict[int, int] = {}
    return [first.setdefault(id(layer.query), i) for i, layer in enumerate(layers)]


def _head_size(model: nn.Module) -> int:
    """Columns per attention head (d): surgery removes heads but never changes their width."""
    config = model.config
    width = getattr(config, "true_hidden_size", None) or config.hidden_size  # MobileBERT attends in its bottleneck
    return getattr(config, "head_size", None) or width // config.num_attention_heads


def _feed_forwards(row: Architecture, block: nn.Module) -> Iterator[FeedForward]:
    more = cast(nn.ModuleList, block.get_submodule(row.extra_feed_forwards)) if row.extra_feed_forwards else ()
    owners = [*more, block]
    for owner in owners:
        inner, outer, norm = (owner.get_submodule(path) for path in row.feed_forward)
        yield FeedForward(inner, outer, norm, gate=_optional(owner, row.gate))


def _bottleneck(row: Architecture, block: nn.Module, *, inside: bool) -> Bottleneck | None:
    parts = {name: tuple(_optional(block, path) for path in paths) for name, paths in (row.bottlenecks or {}).items()}
    if not parts or None in parts["enter"]:  # switched off by its config
        return None
    shared = parts.pop("shared")
    return Bottleneck(**parts, shared=None if None in shared else shared, inside=inside)


def _position_bias(row: Architecture, encoder: nn.Module, block: nn.Module) -> PositionBias | None:
    if row.position_bias is None:
        return None
    table = cast(nn.Embedding, encoder.get_submodule(row.position_bias))
    return PositionBias(table, kept_heads(block.get_submodule(row.attention), table.embedding_dim))


def _rotary(row: Architecture, encoder: nn.Module, block: nn.Module) -> Rotary | None:
    if row.rotary is None:
        return None
    owner, kind = encoder.get_submodule(row.rotary), block.attention_type
    return Rotary(getattr(owner, f"{kind}_inv_freq"), getattr(owner, f"{kind}_attention_scaling"))


def distance_buckets(model: nn.Module, length: int) -> Tensor:
    """(T, T): the row of a position bias's table for query i and key j of a text of `length` tokens."""
    places = torch.arange(length)
    owner = encoder_of(model).get_submodule(cast(str, architecture_of(model).position_bias).rpartition(".")[0])
    buckets: Tensor = owner.relative_position_bucket(places[None] - places[:, None])
    return buckets


def word_embedding_of(model: nn.Module) -> nn.Module:
    """The module that maps ids to word vectors: an Embedding, or a factorized one."""
    return encoder_of(model).get_submodule(architecture_of(model).words)


def set_word_embedding_(model: nn.Module, module: nn.Module) -> None:
    """Put another module in the place of the word embedding."""
    owner, _, name = architecture_of(model).words.rpartition(".")
    setattr(encoder_of(model).get_submodule(owner), name, module)


def longest_input(config: PretrainedConfig) -> int:
    """How many tokens an encoder with this config takes: its positions, without those that padding uses up."""
    return int(config.max_position_embeddings) - _position_offset(config)


def _position_offset(config: PretrainedConfig) -> int:
    row = ARCHITECTURES[config.model_type]
    return config.pad_token_id + 1 if row.positions_follow_padding else row.first_position


def embeddings_of(model: nn.Module) -> Embeddings:
    """The embedding block's parts."""
    row, encoder = architecture_of(model), encoder_of(model)
    word = word_embedding_of(model)
    return Embeddings(
        word=getattr(word, "table", word),
        up=getattr(word, "up", None),
        position=_optional(encoder, row.position),
        token_type=encoder.get_submodule(row.token_type) if row.token_type else None,
        norm=encoder.get_submodule(row.norm),
        projection=_optional(encoder, row.projection),
        position_offset=_position_offset(model.config),
        projects_words=row.projects_words,
        trigram=row.projects_words and model.config.trigram_input,
    )


def final_norm_of(model: nn.Module) -> nn.Module | None:
    """The norm after all layers, where there is one."""
    return _optional(encoder_of(model), architecture_of(model).final_norm)


HeadKind = Literal["sequence", "tokens", "span", "masked", "none"]
_HEADS: dict[str, HeadKind] = {
    "ForSequenceClassification": "sequence",
    "ForTokenClassification": "tokens",
    "ForQuestionAnswering": "span",
    "ForMaskedLM": "masked",
    "Model": "none",
}


def head_kind_of(model: nn.Module) -> HeadKind:
    """Which head a task model has; "none" for an encoder alone. Raises ModelError for any other class of models."""
    name = type(model).__name__
    for suffix, kind in _HEADS.items():
        if name.endswith(suffix):
            return kind
    raise ModelError(f"a {name} has no known head", remedy=f"use a model that ends in {', '.join(_HEADS)}")


def classification_head_of(model: nn.Module) -> ClassificationHead:
    """The head of a sequence classifier or regressor."""
    row = architecture_of(model)
    # MobileBERT's pooler may be switched off by its config: then [CLS] goes straight to the classifier
    dense = model.get_submodule(row.head_dense) if row.head_dense else _optional(encoder_of(model), row.pooler)
    mean = getattr(model.config, "classifier_pooling", "cls") == "mean"
    return ClassificationHead(_head_dense(model, dense), out=model.get_submodule(row.head_out), mean=mean)


def _head_dense(model: nn.Module, dense: nn.Module | None) -> HeadDense | None:
    if dense is None:
        return None
    row = architecture_of(model)
    norm = model.get_submodule(row.head_norm) if row.head_norm else None
    return HeadDense(cast(nn.Linear, dense), getattr(model.config, row.head_activation, row.head_activation), norm)


def row_head_dense_of(model: nn.Module) -> HeadDense | None:
    """What the heads that read every row, of token labels and spans, do before their last matrix."""
    row = architecture_of(model)
    return _head_dense(model, model.get_submodule(cast(str, row.head_dense))) if row.head_norm else None


def token_head_of(model: nn.Module) -> nn.Linear:
    """The head of a token classifier: every row (T, H) → label logits (T, L)."""
    architecture_of(model)
    return cast(nn.Linear, model.get_submodule("classifier"))


def span_head_of(model: nn.Module) -> nn.Linear:
    """The head of an extractive question answerer: every row (T, H) → start and end logits (T, 2)."""
    return cast(nn.Linear, model.get_submodule(architecture_of(model).span_out))


def masked_language_head_of(model: nn.Module) -> MaskedLanguageHead:
    """The head of a masked language model."""
    row = architecture_of(model)
    dense, norm, decoder = (model.get_submodule(path) for path in row.mlm)
    weight, bias = decoder.weight, decoder.bias
    if row.mlm_decoder_rest:
        rest: Tensor = model.get_submodule(row.mlm_decoder_rest).weight
        weight = torch.cat([cast(Tensor, weight), rest.T], dim=1)
    key = row.mlm_activation or row.hidden_activation
    activation = getattr(model.config, key, key)
    return MaskedLanguageHead(dense, activation, norm, weight, bias)


def stored_matrices(model: nn.Module) -> dict[str, nn.Linear | nn.Embedding]:
    """The matrices that a program stores in few bits, by the names of its listing.

    The word table, each layer's attention and feed-forward matrices, and the head's.
    """
    embeddings = embeddings_of(model)
    found: dict[str, nn.Linear | nn.Embedding | None] = {
        "embeddings.word": embeddings.word,
        "embeddings.up": embeddings.up,
    }
    layers = layers_of(model)
    for i, layer in enumerate(layers):
        if first_with_its_weights(layers)[i] != i:
            continue
        attention = {"query": layer.query, "key": layer.key, "value": layer.value, "output": layer.attention_output}
        found |= {f"layers.{i}.attention.{name}": matrix for name, matrix in attention.items()}
        for j, block in enumerate(layer.feed_forwards):
            place = f"layers.{i}.feed_forwards.{j}"
            found |= {f"{place}.inner": block.inner, f"{place}.gate": block.gate, f"{place}.outer": block.outer}
    found |= _head_matrices(model)
    return {name: matrix for name, matrix in found.items() if matrix is not None}


def _head_matrices(model: nn.Module) -> dict[str, nn.Linear | None]:
    """A task model's own matrices; a masked language model's last one is the word table once more."""
    kind = head_kind_of(model)
    if kind in ("tokens", "span"):
        before = row_head_dense_of(model)
        out = token_head_of(model) if kind == "tokens" else span_head_of(model)
        return {"head.dense": None if before is None else before.dense, "head.out": out}
    if kind == "masked":
        return {"head.dense": masked_language_head_of(model).dense}
    if kind == "none":
        return {"head.projection": getattr(model, "projection", None)}
    head = classification_head_of(model)
    return {"head.dense": None if head.first is None else head.first.dense, "head.out": head.out}


def _optional(module: nn.Module, path: str | None) -> nn.Module | None:
    try:
        return module.get_submodule(path) if path else None
    except AttributeError:
        return None


def prunable_parameters(model: nn.Module) -> dict[str, nn.Parameter]:
    """Name → weight of every prunable matrix, in the model's order.

    Query, key, value, attention output, feed-forward matrices and the pre-trained pooler; never embeddings,
    biases, norms or the task head (Chen et al. 2020, section 3).
    """
    row, encoder = architecture_of(model), encoder_of(model)
    wanted: set[int] = set()
    for layer in layers_of(model):
        wanted.update(id(m.weight) for m in (layer.query, layer.key, layer.value, layer.attention_output))
        wanted.update(id(m.weight) for ffn in layer.feed_forwards for m in (ffn.inner, ffn.gate, ffn.outer) if m)
        if (narrow := layer.bottleneck) is not None:
            wanted.update(id(part[0].weight) for part in (narrow.enter, narrow.shared, narrow.leave) if part)
    if (pooler := _optional(encoder, row.pooler)) is not None:
        wanted.add(id(pooler.weight))
    return {name: parameter for name, parameter in model.named_parameters() if id(parameter) in wanted}
