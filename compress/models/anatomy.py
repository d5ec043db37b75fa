"""The parts of each supported encoder by their attribute names: the only file that holds them.

Everything else (masks, criteria, surgery, lowering) gets from here "the query of layer 3" or "the prunable matrices",
so supporting one more architecture means adding one row to `ARCHITECTURES`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, cast

import torch
from torch import Tensor, nn
from transformers import PretrainedConfig

from compress.errors import ModelError


@dataclass(frozen=True)
class FeedForward:
    """One feed-forward block: (B, T, H) → `inner` (B, T, F) → activation → `outer` (B, T, H) → + residual → `norm`."""

    inner: nn.Linear
    outer: nn.Linear
    norm: nn.Module


@dataclass(frozen=True)
class Bottleneck:
    """MobileBERT's Linear layers with norms before and after a layer's narrow blocks (Sun et al. 2020).

    The input of query and key is the output of `shared`; where it is None, the hidden states or, with `inside`, the
    output of `enter`, which is then the value's input, too. The hidden states are added between `leave` and its norm.
    """

    enter: tuple[nn.Linear, nn.Module]
    leave: tuple[nn.Linear, nn.Module]
    shared: tuple[nn.Linear, nn.Module] | None
    inside: bool


@dataclass(frozen=True)
class Layer:
    """One encoder layer, post-norm. `feed_forwards` has one entry; MobileBERT has three small ones before it."""

    query: nn.Linear
    key: nn.Linear
    value: nn.Linear
    attention_output: nn.Linear
    attention_norm: nn.Module
    feed_forwards: tuple[FeedForward, ...]
    head_size: int
    bottleneck: Bottleneck | None = None

    @property
    def heads(self) -> int:
        """How many attention heads are left: layers of a structured ticket may differ."""
        return self.query.out_features // self.head_size


@dataclass(frozen=True)
class Embeddings:
    """The embedding block. `token_type` and `projection` are None where the architecture has none.

    `up` maps the word table's rows (V, r) to the block's width, where the table has a low rank.

    `position_offset` is added to a token's index to get its row of `position` (RoBERTa starts at padding_idx + 1).

    `projection` is the block's last step or, with `projects_words`, reads the word rows before anything is added to
    them: with `trigram` each between its next and its previous neighbor.
    """

    word: nn.Embedding
    position: nn.Embedding
    token_type: nn.Embedding | None
    norm: nn.Module
    projection: nn.Linear | None
    position_offset: int
    up: nn.Linear | None = None
    projects_words: bool = False
    trigram: bool = False


@dataclass(frozen=True)
class ClassificationHead:
    """From the [CLS] row to the logits: `dense` (may be None) → `activation` (of torch.nn.functional) → `out`."""

    dense: nn.Linear | None
    activation: str | None
    out: nn.Linear


@dataclass(frozen=True)
class MaskedLanguageHead:
    """From every row to the vocabulary: `dense` → `activation` → `norm` → `weight` (V, H) and `bias` (V,)."""

    dense: nn.Linear
    activation: str
    norm: nn.Module
    weight: Tensor
    bias: Tensor


_BERT_LAYER = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "attention_output": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
}
_BERT_FFN = ("intermediate.dense", "output.dense", "output.LayerNorm")
_DISTILBERT_LAYER = {
    "query": "attention.q_lin",
    "key": "attention.k_lin",
    "value": "attention.v_lin",
    "attention_output": "attention.out_lin",
    "attention_norm": "sa_layer_norm",
}


_WORDS = "embeddings.word_embeddings"  # in all of them, relative to the encoder
_BERT_MLM = ("cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm", "cls.predictions.decoder")


@dataclass(frozen=True)
class Architecture:
    """The attribute paths of one `model_type`. Paths are relative to the encoder, or to one of its layers."""

    base: str  # the encoder inside a task model
    layers: str = "encoder.layer"
    layer: dict[str, str] = field(default_factory=lambda: _BERT_LAYER)
    feed_forward: tuple[str, str, str] = _BERT_FFN  # inner, outer, norm
    extra_feed_forwards: str | None = None  # a ModuleList of further blocks, run before the main one
    bottlenecks: dict[str, tuple[str, str]] | None = None  # Bottleneck's parts: dense and norm
    norm: str = "embeddings.LayerNorm"
    token_type: str | None = "embeddings.token_type_embeddings"
    projection: str | None = None
    projects_words: bool = False
    positions_follow_padding: bool = False
    pooler: str | None = None  # pre-trained dense layer on [CLS], relative to the encoder: prunable
    head_dense: str | None = None  # the task head's own dense layer, relative to the task model: never pruned
    head_activation: str | None = "tanh"
    head_out: str = "classifier"
    hidden_activation: str = "hidden_act"  # the config's key of the feed-forward's activation
    mlm: tuple[str, str, str] = _BERT_MLM  # dense, norm, decoder of the masked-LM head
    mlm_activation: str | None = None  # None: the feed-forward's
    mlm_decoder_rest: str | None = None  # MobileBERT's decoder: (H − E, V) beside the embedding's (V, E)


_ROBERTA = Architecture(  # XLM-RoBERTa and CamemBERT differ from it in words and tokenizer alone
    base="roberta",
    positions_follow_padding=True,
    head_dense="classifier.dense",
    head_out="classifier.out_proj",
    mlm=("lm_head.dense", "lm_head.layer_norm", "lm_head.decoder"),
    mlm_activation="gelu",
)


ARCHITECTURES: dict[str, Architecture] = {
    "bert": Architecture(base="bert", pooler="pooler.dense"),
    "roberta": _ROBERTA,
    "xlm-roberta": _ROBERTA,
    "camembert": _ROBERTA,
    "electra": Architecture(
        base="electra",
        projection="embeddings_project",
        head_dense="classifier.dense",
        head_activation="gelu",
        head_out="classifier.out_proj",
        mlm=("generator_predictions.dense", "generator_predictions.LayerNorm", "generator_lm_head"),
        mlm_activation="gelu",
    ),
    "distilbert": Architecture(
        base="distilbert",
        layers="transformer.layer",
        layer=_DISTILBERT_LAYER,
        feed_forward=("ffn.lin1", "ffn.lin2", "output_layer_norm"),
        token_type=None,
        head_dense="pre_classifier",
        head_activation="relu",
        hidden_activation="activation",
        mlm=("vocab_transform", "vocab_layer_norm", "vocab_projector"),
    ),
    "mobilebert": Architecture(
        base="mobilebert",
        extra_feed_forwards="ffn",
        bottlenecks={
            "enter": ("bottleneck.input.dense", "bottleneck.input.LayerNorm"),
            "shared": ("bottleneck.attention.dense", "bottleneck.attention.LayerNorm"),
            "leave": ("output.bottleneck.dense", "output.bottleneck.LayerNorm"),
        },
        projection="embeddings.embedding_transformation",
        projects_words=True,
        pooler="pooler.dense",
        mlm_decoder_rest="cls.predictions.dense",
    ),
}


def architecture_of(model: nn.Module) -> Architecture:
    """The row of `ARCHITECTURES` for a Hugging Face model.

    Raises ModelError, naming what to add, for an architecture that is not in the table.
    """
    kind = getattr(getattr(model, "config", None), "model_type", type(model).__name__)
    if kind not in ARCHITECTURES:
        raise ModelError(
            f"the architecture '{kind}' is not supported",
            where=getattr(getattr(model, "config", None), "_name_or_path", None) or None,
            remedy=f"use one of {', '.join(sorted(ARCHITECTURES))}, or add a row for '{kind}' to ARCHITECTURES in "
            "compress/models/anatomy.py that names its layers, attention and feed-forward matrices",
        )
    return ARCHITECTURES[kind]


def encoder_of(model: nn.Module) -> nn.Module:
    """The encoder inside a task model (or the model itself, when it is a bare encoder)."""
    return getattr(model, architecture_of(model).base, model)


def layers_of(model: nn.Module) -> list[Layer]:
    """The encoder's layers in order, as their parts."""
    row, encoder = architecture_of(model), encoder_of(model)
    head_size = _head_size(model)
    return [
        Layer(
            **{name: block.get_submodule(path) for name, path in row.layer.items()},
            feed_forwards=tuple(_feed_forwards(row, block)),
            head_size=head_size,
            bottleneck=_bottleneck(row, block, inside=getattr(model.config, "use_bottleneck_attention", False)),
        )
        for block in encoder.get_submodule(row.layers)
    ]


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
        yield FeedForward(inner, outer, norm)


def _bottleneck(row: Architecture, block: nn.Module, *, inside: bool) -> Bottleneck | None:
    parts = {name: tuple(_optional(block, path) for path in paths) for name, paths in (row.bottlenecks or {}).items()}
    if not parts or None in parts["enter"]:  # switched off by its config
        return None
    shared = parts.pop("shared")
    return Bottleneck(**parts, shared=None if None in shared else shared, inside=inside)


def word_embedding_of(model: nn.Module) -> nn.Module:
    """The module that maps ids to word vectors: an Embedding, or a factorized one."""
    return encoder_of(model).get_submodule(_WORDS)


def set_word_embedding_(model: nn.Module, module: nn.Module) -> None:
    """Put another module in the place of the word embedding."""
    owner, _, name = _WORDS.rpartition(".")
    setattr(encoder_of(model).get_submodule(owner), name, module)


def longest_input(config: PretrainedConfig) -> int:
    """How many tokens an encoder with this config takes: its positions, without those that padding uses up."""
    return int(config.max_position_embeddings) - _position_offset(config)


def _position_offset(config: PretrainedConfig) -> int:
    return config.pad_token_id + 1 if ARCHITECTURES[config.model_type].positions_follow_padding else 0


def embeddings_of(model: nn.Module) -> Embeddings:
    """The embedding block's parts."""
    row, encoder = architecture_of(model), encoder_of(model)
    word = word_embedding_of(model)
    return Embeddings(
        word=getattr(word, "table", word),
        up=getattr(word, "up", None),
        position=encoder.get_submodule("embeddings.position_embeddings"),
        token_type=encoder.get_submodule(row.token_type) if row.token_type else None,
        norm=encoder.get_submodule(row.norm),
        projection=_optional(encoder, row.projection),
        position_offset=_position_offset(model.config),
        projects_words=row.projects_words,
        trigram=row.projects_words and model.config.trigram_input,
    )


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
    if row.head_dense:
        dense, activation = model.get_submodule(row.head_dense), row.head_activation
    else:  # MobileBERT's pooler may be switched off by its config: then [CLS] goes straight to the classifier
        dense = _optional(encoder_of(model), row.pooler)
        activation = row.head_activation if dense is not None else None
    return ClassificationHead(dense=dense, activation=activation, out=model.get_submodule(row.head_out))


def token_head_of(model: nn.Module) -> nn.Linear:
    """The head of a token classifier: every row (T, H) → label logits (T, L)."""
    architecture_of(model)
    return model.get_submodule("classifier")


def span_head_of(model: nn.Module) -> nn.Linear:
    """The head of an extractive question answerer: every row (T, H) → start and end logits (T, 2)."""
    architecture_of(model)
    return model.get_submodule("qa_outputs")


def masked_language_head_of(model: nn.Module) -> MaskedLanguageHead:
    """The head of a masked language model."""
    row = architecture_of(model)
    dense, norm, decoder = (model.get_submodule(path) for path in row.mlm)
    weight, bias = decoder.weight, decoder.bias
    if row.mlm_decoder_rest:
        rest: Tensor = model.get_submodule(row.mlm_decoder_rest).weight
        weight = torch.cat([cast(Tensor, weight), rest.T], dim=1)
    activation = row.mlm_activation or getattr(model.config, row.hidden_activation)
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
    for i, layer in enumerate(layers_of(model)):
        attention = {"query": layer.query, "key": layer.key, "value": layer.value, "output": layer.attention_output}
        found |= {f"layers.{i}.attention.{name}": matrix for name, matrix in attention.items()}
        for j, block in enumerate(layer.feed_forwards):
            place = f"layers.{i}.feed_forwards.{j}"
            found |= {f"{place}.inner": block.inner, f"{place}.outer": block.outer}
    found |= _head_matrices(model)
    return {name: matrix for name, matrix in found.items() if matrix is not None}


def _head_matrices(model: nn.Module) -> dict[str, nn.Linear | None]:
    """A task model's own matrices; a masked language model's last one is the word table once more."""
    kind = head_kind_of(model)
    if kind == "tokens":
        return {"head.out": token_head_of(model)}
    if kind == "span":
        return {"head.out": span_head_of(model)}
    if kind == "masked":
        return {"head.dense": masked_language_head_of(model).dense}
    if kind == "none":
        return {}
    head = classification_head_of(model)
    return {"head.dense": head.dense, "head.out": head.out}


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
        wanted.update(id(m.weight) for ffn in layer.feed_forwards for m in (ffn.inner, ffn.outer))
        if (narrow := layer.bottleneck) is not None:
            wanted.update(id(part[0].weight) for part in (narrow.enter, narrow.shared, narrow.leave) if part)
    if (pooler := _optional(encoder, row.pooler)) is not None:
        wanted.add(id(pooler.weight))
    return {name: parameter for name, parameter in model.named_parameters() if id(parameter) in wanted}
