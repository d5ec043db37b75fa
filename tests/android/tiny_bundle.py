"""Bundles of every kind of task around a small random BERT (2 layers, 32 wide), made by the exporter itself.

The vocabulary and the tokenizer are the default model's, so that texts are split as in earnest.
"""

import shutil
from pathlib import Path

import torch
from transformers import (
    BertConfig,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertForTokenClassification,
    BertModel,
)

from compress.files import file_sha256
from compress.models.pooling import Pooling, project, with_pooling
from mobile_export.bundle.golden import Text
from mobile_export.bundle.write import License, write_bundle
from mobile_export.lowering.lower import lower, to_program
from mobile_export.programs.program import Program

MAX_TOKENS = 64
PAIRS = ("pair", "pair_regression", "qa")
LABELS = {
    "classification": [
        "AddToPlaylist",
        "BookRestaurant",
        "GetWeather",
        "PlayMusic",
        "RateBook",
        "SearchCreativeWork",
        "SearchScreeningEvent",
    ],
    "multilabel": ["joy", "anger", "surprise", "fear"],
    "pair": ["not_entailment", "entailment"],
    "regression": ["value"],
    "pair_regression": ["value"],
    "tokens": ["O", "B-person", "I-person", "B-location", "I-location"],
    "qa": ["start", "end"],
    "embedding": [],
}
HEADS = {"tokens": BertForTokenClassification, "qa": BertForQuestionAnswering}
TEXTS = [
    "play the new song by miley cyrus",
    "book a table for four in münchen tomorrow",
    "Will it rain in Łódź?",
    "add 'Beyoncé – Déjà Vu' to my running playlist",
    "who directed The Godfather, and when?",
]
PASSAGES = ["It rains in the city of Łódź today, said the man from München.", "nothing to see", "Emojis 🎉 too, é!"]


def save_model(folder: Path, kind: str, tokenizer_folder: Path) -> Path:
    """A random model for a kind of task, as compress saves one."""
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=30522,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        initializer_range=0.5,
        id2label=dict(enumerate(LABELS[kind])),
        label2id={n: i for i, n in enumerate(LABELS[kind])},
        pocket_ticket={"task": f"tiny {kind}", "kind": kind, "max_tokens": MAX_TOKENS, "metric": "accuracy"},
    )
    if kind == "embedding":
        model = with_pooling(BertModel(config), Pooling("mean", query="query: ", passage="passage: "))
        project(model, torch.randn(128, config.hidden_size)).save_pretrained(folder)
    if "regression" in kind:
        config.problem_type = "regression"
    if kind != "embedding":
        HEADS.get(kind, BertForSequenceClassification)(config).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt"):
        shutil.copy(tokenizer_folder / name, folder / name)
    return folder


class Here(torch.nn.Module):
    """A model without a mask, since nothing is padded: ids (1, T) [, segments (1, T)] → its outputs."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: torch.Tensor, segments: torch.Tensor | None = None) -> tuple[torch.Tensor, ...]:
        answer = self.model(ids, torch.ones_like(ids), segments)
        return (answer.logits,) if "logits" in answer else (answer.start_logits, answer.end_logits)


def lower_here(model_dir: Path, output: Path) -> Program:
    """Models for tokens and passages, in fp32 and in the stock form."""
    from transformers import AutoConfig

    head = HEADS[AutoConfig.from_pretrained(model_dir).pocket_ticket["kind"]]
    inputs = ("input_ids", "token_type_ids") if head is HEADS["qa"] else ("input_ids",)
    outputs = ("start_logits", "end_logits") if head is HEADS["qa"] else ("logits",)
    data, census = to_program(Here(head.from_pretrained(model_dir)).eval(), inputs, MAX_TOKENS)
    output.parent.mkdir(parents=True)
    output.write_bytes(data)
    return Program(output, file_sha256(output), len(data), "stock", "fp32", inputs, outputs, MAX_TOKENS, census, ())


def make_bundle(folder: Path, kind: str, tokenizer_folder: Path) -> Path:
    """Saves, lowers (int8) and bundles; returns folder/android."""
    model = save_model(folder / "model", kind, tokenizer_folder)
    lowered = lower_here if kind in HEADS else lower  # the exporter lowers sequence heads
    program = lowered(model, folder / "program" / "model.pte")
    texts = [Text(t, PASSAGES[i % len(PASSAGES)] if kind in PAIRS else None) for i, t in enumerate(TEXTS)]
    if kind == "embedding":
        texts += [Text(f"passage: {text}") for text in TEXTS]
    write_bundle(
        folder / "android",
        model,
        program,
        texts,
        name=f"{kind} on a small random BERT",
        report={
            "metric_test": 0.91,
            "ci95": [0.89, 0.93],
            "dense_metric_test": 0.92,
            "bytes_dense": 91_000_000,
            "size_ratio": 3.84,
            "speed_ratio": {"12": 2.3, "64": 4.1},
        },
        licenses=[License("a small random BERT", "Apache-2.0")],
        value_range=(0.0, 5.0) if "regression" in kind else None,
        thresholds=(0.4, 0.5, 0.6, 0.7) if kind == "multilabel" else None,
    )
    return folder / "android"
