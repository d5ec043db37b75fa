"""The attribute names of each supported encoder: supporting one more architecture means adding one row to the table."""

from dataclasses import dataclass, field

from torch import nn

from compress.errors import ModelError

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
            "compress/models/architectures.py that names its layers, attention and feed-forward matrices",
        )
    return ARCHITECTURES[kind]
