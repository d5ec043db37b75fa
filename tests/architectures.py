"""A small random configuration of every architecture that the anatomy knows, and a classifier of it."""

import copy

import torch
from transformers import (
    AlbertConfig,
    AutoModelForSequenceClassification,
    BertConfig,
    CamembertConfig,
    DistilBertConfig,
    ElectraConfig,
    MobileBertConfig,
    ModernBertConfig,
    MPNetConfig,
    PretrainedConfig,
    PreTrainedModel,
    RobertaConfig,
    XLMRobertaConfig,
)

from compress.models.fused import divide_

SMALL = {
    "vocab_size": 50,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}
CONFIGS = {
    "bert": BertConfig(**SMALL),
    "roberta": RobertaConfig(**SMALL),
    "xlm-roberta": XLMRobertaConfig(**SMALL),
    "camembert": CamembertConfig(**SMALL),
    "mpnet": MPNetConfig(**SMALL),
    "albert": AlbertConfig(**SMALL, embedding_size=8),
    "modernbert": ModernBertConfig(
        **SMALL, local_attention=6, pad_token_id=0, bos_token_id=1, cls_token_id=1, eos_token_id=2, sep_token_id=2
    ),
    "electra": ElectraConfig(**SMALL, embedding_size=8),
    "distilbert": DistilBertConfig(vocab_size=50, dim=16, n_layers=2, n_heads=2, hidden_dim=32),
    "mobilebert": MobileBertConfig(**SMALL | {"hidden_size": 32}, embedding_size=8, intra_bottleneck_size=16),
}


def with_layers(kind: str, count: int) -> PretrainedConfig:
    """The configuration with another number of layers."""
    config = CONFIGS[kind]
    more = {"n_layers" if kind == "distilbert" else "num_hidden_layers": count}
    return type(config)(**{**config.to_dict(), **more, "layer_types": None})


def made(auto: type, config: PretrainedConfig, **options: object) -> PreTrainedModel:
    """A model as `compress.models.load` gives it."""
    return divide_(auto.from_config(config, **options)).eval()


def model_of(kind: str) -> torch.nn.Module:
    """A classifier whose every parameter, biases and norms included, is random; always the same."""
    torch.manual_seed(0)
    model = made(AutoModelForSequenceClassification, copy.deepcopy(CONFIGS[kind]))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return model
