"""The attribute names of each supported encoder: supporting one more architecture means adding one row to the table."""

from dataclasses import dataclass, field

from torch import nn
from transformers import PretrainedConfig

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
_MPNET_LAYER = {
    "query": "attention.attn.q",
    "key": "attention.attn.k",
    "value": "attention.attn.v",
    "attention_output": "attention.attn.o",
    "attention_norm": "attention.LayerNorm",
}
_ALBERT_LAYER = {
    "query": "attention.query",
    "key": "attention.key",
    "value": "attention.value",
    "attention_output": "attention.dense",
    "attention_norm": "attention.LayerNorm",
}
_MODERNBERT_LAYER = {
    "query": "attn.Wqkv.query",
    "key": "attn.Wqkv.key",
    "value": "attn.Wqkv.value",
    "attention_output": "attn.Wo",
    "attention_norm": "attn_norm",
}
_BERT_MLM = ("cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm", "cls.predictions.decoder")


@dataclass(frozen=True)
class Architecture:
    """The attribute paths of one `model_type`. Paths are relative to the encoder, or to one of its layers."""

    base: str  # the encoder inside a task model
    layers: str = "encoder.layer"
    shares_layers: bool = False  # one block runs as often as the config has layers
    layer: dict[str, str] = field(default_factory=lambda: _BERT_LAYER)
    feed_forward: tuple[str, str, str] = _BERT_FFN  # inner, outer, norm
    gate: str | None = None  # multiplies the activation of a feed-forward block
    fused: dict[str, tuple[str, ...]] = field(default_factory=dict)  # one matrix in transformers → its parts, in order
    norm_first: bool = False  # norms before attention and feed-forward, and a last one after all layers
    extra_feed_forwards: str | None = None  # a ModuleList of further blocks, run before the main one
    bottlenecks: dict[str, tuple[str, str]] | None = None  # Bottleneck's parts: dense and norm
    words: str = "embeddings.word_embeddings"
    position: str | None = "embeddings.position_embeddings"
    rotary: str | None = None  # the module with the frequencies by which queries and keys are turned
    position_bias: str | None = None  # a score for each distance and head, shared by all layers
    attention: str = "attention"  # the module that adds the position bias, relative to a layer
    norm: str = "embeddings.LayerNorm"
    final_norm: str | None = None
    token_type: str | None = "embeddings.token_type_embeddings"
    projection: str | None = None
    projects_words: bool = False
    positions_follow_padding: bool = False
    first_position: int = 0  # the row of a text's first token, where it does not follow padding
    pooler: str | None = None  # pre-trained dense layer on [CLS], relative to the encoder: prunable
    head_dense: str | None = None  # the task head's own dense layer, relative to the task model: never pruned
    head_activation: str | None = "tanh"  # or the config's key that names it
    head_norm: str | None = None  # the head's norm after the activation: of every head, as is the dense layer then
    head_out: str = "classifier"
    span_out: str = "qa_outputs"
    hidden_activation: str = "hidden_act"  # the config's key of the feed-forward's activation
    mlm: tuple[str, str, str] = _BERT_MLM  # dense, norm, decoder of the masked-LM head
    mlm_activation: str | None = None  # or the config's key that names it; None: the feed-forward's
    mlm_decoder_rest: str | None = None  # MobileBERT's decoder: (H − E, V) beside the embedding's (V, E)

    @property
    def merges(self) -> bool:
        """Whether tokens can be merged between layers: none counts distances, or has weights of more than one place."""
        return self.position_bias is None and self.rotary is None and not self.shares_layers


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
    "mpnet": Architecture(
        base="mpnet",
        layer=_MPNET_LAYER,
        position_bias="encoder.relative_attention_bias",
        attention="attention.attn",
        token_type=None,
        first_position=2,  # transformers counts from padding id 1 here, whatever the config says
        head_dense="classifier.dense",
        head_out="classifier.out_proj",
        mlm=("lm_head.dense", "lm_head.layer_norm", "lm_head.decoder"),
        mlm_activation="gelu",
    ),
    "albert": Architecture(
        base="albert",
        layers="encoder.albert_layer_groups.0.albert_layers",
        shares_layers=True,
        layer=_ALBERT_LAYER,
        feed_forward=("ffn", "ffn_output", "full_layer_layer_norm"),
        projection="encoder.embedding_hidden_mapping_in",
        pooler="pooler",
        mlm=("predictions.dense", "predictions.LayerNorm", "predictions.decoder"),
    ),
    "modernbert": Architecture(
        base="model",
        layers="layers",
        layer=_MODERNBERT_LAYER,
        feed_forward=("mlp.Wi.inner", "mlp.Wo", "mlp_norm"),
        gate="mlp.Wi.gate",
        fused={"attn.Wqkv": ("query", "key", "value"), "mlp.Wi": ("inner", "gate")},
        norm_first=True,
        words="embeddings.tok_embeddings",
        position=None,
        rotary="rotary_emb",
        norm="embeddings.norm",
        final_norm="final_norm",
        token_type=None,
        head_dense="head.dense",
        head_activation="classifier_activation",
        head_norm="head.norm",
        span_out="classifier",
        hidden_activation="hidden_activation",
        mlm=("head.dense", "head.norm", "decoder"),
        mlm_activation="classifier_activation",
    ),
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


_DEBERTA = "each of its scores is looked up by the distance of two tokens, which phones' fast kernels can't do"
REFUSED = {"deberta": _DEBERTA, "deberta-v2": _DEBERTA}  # what is asked for, and why there is no row for it


def why_refused(config: PretrainedConfig) -> tuple[str, str] | None:
    """What of an encoder with this config can't be used, and what to do about it; None: all can."""
    kind = config.model_type
    if kind not in ARCHITECTURES:
        because = f": {REFUSED[kind]}" if kind in REFUSED else ""
        found = f"the architecture '{kind}' is not supported{because}"
        others = f"use one of {', '.join(sorted(ARCHITECTURES))}"
        more = "" if because else f", or add a row for '{kind}' to ARCHITECTURES in compress/models/architectures.py"
        return found, others + more
    position = getattr(config, "position_embedding_type", None)
    if position not in (None, "absolute"):
        return (
            f"its positions are {position}, and only absolute ones are supported",
            "use an encoder with absolute positions",
        )
    groups = getattr(config, "num_hidden_groups", 1), getattr(config, "inner_group_num", 1)
    if groups != (1, 1):
        return (
            f"it has {groups[0]} groups of {groups[1]} layers that share weights, and only one of one is supported",
            "use an encoder with num_hidden_groups and inner_group_num of 1, as all published ones have",
        )
    turned = getattr(config, "rope_parameters", None) or {}
    for each in turned.values() if ARCHITECTURES[kind].rotary else ():
        if each.get("rope_type", "default") != "default":
            return (
                f"its rotary positions are of type {each['rope_type']}, and only default ones are supported",
                "use the encoder as it was pre-trained, without rope_scaling",
            )
    return None


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
