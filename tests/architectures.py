"""A small random configuration of every architecture that the anatomy knows."""

from transformers import BertConfig, DistilBertConfig, ElectraConfig, MobileBertConfig, RobertaConfig

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
    "electra": ElectraConfig(**SMALL, embedding_size=8),
    "distilbert": DistilBertConfig(vocab_size=50, dim=16, n_layers=2, n_heads=2, hidden_dim=32),
    "mobilebert": MobileBertConfig(**SMALL | {"hidden_size": 32}, embedding_size=8, intra_bottleneck_size=16),
}
