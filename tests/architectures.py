"""A small random configuration of every architecture that the anatomy knows, and a classifier of it."""

import copy

import torch
from transformers import (
    AutoModelForSequenceClassification,
    BertConfig,
    CamembertConfig,
    DistilBertConfig,
    ElectraConfig,
    MobileBertConfig,
    RobertaConfig,
    XLMRobertaConfig,
)

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
    "electra": ElectraConfig(**SMALL, embedding_size=8),
    "distilbert": DistilBertConfig(vocab_size=50, dim=16, n_layers=2, n_heads=2, hidden_dim=32),
    "mobilebert": MobileBertConfig(**SMALL | {"hidden_size": 32}, embedding_size=8, intra_bottleneck_size=16),
}


def model_of(kind: str) -> torch.nn.Module:
    """A classifier whose every parameter, biases and norms included, is random; always the same."""
    torch.manual_seed(0)
    model = AutoModelForSequenceClassification.from_config(copy.deepcopy(CONFIGS[kind])).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return model
