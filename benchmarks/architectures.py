"""Prove architectures in real shapes and measure long inputs: `python -m benchmarks.architectures NAME ...`.

Each is built in the sizes of a published encoder with random weights, but for the words, of which it has 1,000: a text
reads one row for each token, whatever their number. Its int8 program for 512 tokens is compared with the module that
it was made from, its fp32 phone form with transformers; memory is measured at 128, 256 and 512 tokens, with `--time`
latency, too. A row of docs/results/measured.json is replaced; `python -m benchmarks.pages` writes the tables.
"""

import argparse
import datetime
import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedModel

from benchmarks.measured import MEASURED
from compress.console import Parser, exit_code
from compress.errors import ModelError
from compress.files import write_atomic
from compress.models.architectures import ARCHITECTURES
from compress.models.fused import divide_
from compress.models.saved import Saved
from compress.models.store import load_saved, save_model
from mobile_export.lowering.lower import FORMS, lower
from mobile_export.lowering.quantization import Scheme
from mobile_export.programs.latency import latency, peak_memory
from mobile_export.programs.program import Program
from mobile_export.runtime import predict

WORDS = 1000
LENGTHS = (128, 256, 512)
COMPARED = (5, 100, 511)  # tokens of the texts that are compared
_BASE = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072}


@dataclass(frozen=True)
class Published:
    """The encoder whose sizes are taken: its name, and its config where transformers' default is another."""

    name: str
    config: dict[str, Any] = field(default_factory=dict)


PUBLISHED = {
    "bert": Published("bert-base-uncased"),
    "roberta": Published("roberta-base", {"max_position_embeddings": 514, "type_vocab_size": 1}),
    "xlm-roberta": Published("xlm-roberta-base", {"max_position_embeddings": 514, "type_vocab_size": 1}),
    "camembert": Published("camembert-base", {"max_position_embeddings": 514, "type_vocab_size": 1}),
    "distilbert": Published("distilbert-base-uncased"),
    "electra": Published("electra-small-discriminator"),
    "mobilebert": Published("mobilebert-uncased"),
    "mpnet": Published("mpnet-base", {"max_position_embeddings": 514}),
    "albert": Published("albert-base-v2", {**_BASE, "embedding_size": 128}),
    "modernbert": Published("ModernBERT-base", {"classifier_pooling": "mean"}),
}


def built(kind: str) -> PreTrainedModel:
    """A classifier of this architecture in its published sizes, with random weights; always the same."""
    torch.manual_seed(0)
    special = {"pad_token_id": 1 if ARCHITECTURES[kind].positions_follow_padding else 0}
    special |= {"bos_token_id": 2, "eos_token_id": 3, "cls_token_id": 2, "sep_token_id": 3}
    config = AutoConfig.for_model(kind, **PUBLISHED[kind].config | special, vocab_size=WORDS, num_labels=8)
    Saved(task="random", kind="classification", metric="accuracy", max_tokens=max(LENGTHS)).write(config)
    model = divide_(AutoModelForSequenceClassification.from_config(config)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape) * 0.01)
    return model


def texts() -> list[dict[str, list[int]]]:
    """Random ids of the compared lengths; none is padding."""
    random = torch.Generator().manual_seed(0)
    return [{"input_ids": torch.randint(5, WORDS, (length,), generator=random).tolist()} for length in COMPARED]


@torch.no_grad()
def outputs(module: nn.Module) -> torch.Tensor:
    """The logits (N, L) of the compared texts."""
    found = [module(torch.tensor([text["input_ids"]])) for text in texts()]
    return torch.cat([each if isinstance(each, torch.Tensor) else each.logits for each in found])


def row(kind: str, folder: Path, *, timed: bool) -> dict[str, Any]:
    """What is proven and measured of one architecture; its files go into `folder`."""
    if kind not in PUBLISHED:
        raise ModelError(f"there is no architecture '{kind}'", remedy=f"use some of {', '.join(PUBLISHED)}")
    save_model(built(kind), folder)
    model = load_saved(folder)
    phone, _ = FORMS["phone"](model, max(LENGTHS), False)
    expected, found = outputs(model), outputs(phone)
    program = lower(folder, folder / "program.pte", scheme="int8", max_tokens=max(LENGTHS))
    rounded = outputs(Scheme("int8").apply(phone))
    answers = torch.from_numpy(predict(program, texts()))
    spread = float(expected.std())
    return {
        "architecture": kind,
        "shapes": PUBLISHED[kind].name,
        "date": datetime.date.today().isoformat(),
        "matrices": sum(p.numel() for p in model.parameters()),
        "mb": round(program.bytes / 1e6, 1),
        "pieces": program.census.pieces,
        "fp32_off": float((found - expected).abs().max()) / spread,
        "int8_off": float((answers - rounded).abs().mean()) / spread,
        "memory_mb": {str(n): round(peak_memory(program, tokens=n)["peak_rss_growth_bytes"] / 1e6) for n in LENGTHS},
        "ms": _milliseconds(program) if timed else None,
    }


def _milliseconds(program: Program) -> dict[str, float]:
    timed = latency({"program": program}, lengths=LENGTHS)["program"]
    return {length: round(each["median"], 1) for length, each in timed.items() if each is not None}


def main(arguments: list[str] | None = None) -> int:
    """The command: 0, or 2 with one sentence."""
    parser = Parser(prog="python -m benchmarks.architectures", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(PUBLISHED), metavar="NAME", help="all by default")
    parser.add_argument("--time", action="store_true", help="measure latency, too; only on a quiet machine")
    given: argparse.Namespace = parser.parse_args(arguments)

    def work() -> None:
        for kind in given.names:
            with tempfile.TemporaryDirectory() as folder:
                new = row(kind, Path(folder), timed=given.time)
            measured = json.loads(MEASURED.read_text(encoding="utf-8"))
            old = measured.setdefault("architectures", [])
            earlier = next((r for r in old if r["architecture"] == kind), {})
            new["ms"] = new["ms"] or earlier.get("ms")
            rows = [r for r in old if r["architecture"] != kind] + [new]
            measured["architectures"] = sorted(rows, key=lambda r: list(PUBLISHED).index(r["architecture"]))
            write_atomic(MEASURED, json.dumps(measured, indent=1, ensure_ascii=False) + "\n")
            print(json.dumps(new))

    return exit_code(work)


if __name__ == "__main__":
    raise SystemExit(main())
