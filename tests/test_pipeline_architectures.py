"""Every architecture goes the whole path from a tiny random checkpoint to a verified program, for classes and words."""

import json
from pathlib import Path

import pytest
import torch
from test_pipeline_kinds import run, write
from transformers import AutoConfig, AutoModel

from compress.models.architectures import ARCHITECTURES
from compress.models.load import load_tokenizer
from compress.models.source import resolve_model
from compress.models.store import save
from compress.report.schema import validate
from mobile_export.bundle.verification import verify_bundle

SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 72,
    "vocab_size": 30522,
    "pad_token_id": 0,
}
OWN = {
    "distilbert": {"dim": 32, "n_layers": 3, "n_heads": 2, "hidden_dim": 64},
    "electra": {"embedding_size": 16},
    "albert": {"embedding_size": 16},
    "mobilebert": {"embedding_size": 16, "intra_bottleneck_size": 16},
    "modernbert": {"local_attention": 8, "classifier_pooling": "mean"},
}
SHARES = ("structure.layers=0.67", "structure.heads=0.5", "structure.neurons=0.5", "structure.vocabulary=1500")
STRUCTURE = ["--ticket", "structure", *(word for share in SHARES for word in ("--set", share))]


def encoder(kind: str, folder: Path) -> Path:
    torch.manual_seed(0)
    config = AutoConfig.for_model(kind, **SIZES | OWN.get(kind, {}))
    folder.mkdir()
    save(AutoModel.from_config(config), load_tokenizer(resolve_model("minilm")[1]), folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("kind", ARCHITECTURES)
@pytest.mark.parametrize(
    ("task", "more", "stages"),
    [
        ("classes", STRUCTURE, ["dense", "shrunk", "program"]),
        ("tokens", ["--ticket", "weights"], ["dense", "ticket", "distilled", "program"]),
    ],
)
def test_every_architecture_goes_the_whole_path(
    kind: str, task: str, more: list[str], stages: list[str], tiny_task: Path, tmp_path: Path
) -> None:
    data = tiny_task if task == "classes" else write(tmp_path, "tokens")
    done = run(encoder(kind, tmp_path / "encoder"), data, tmp_path / "run", *more)
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    validate(report)
    assert [s["name"] for s in report["stages"]] == stages
    assert report["programs"]["ticket"]["agreement_with_eager"] > 0.9
    assert verify_bundle(tmp_path / "run" / "android").agreement == 1.0
    if task == "classes":
        kept = json.loads((tmp_path / "run" / "shrunk" / "metrics.json").read_text())["structure"]
        assert len(kept["layers"]) == 2 and set(kept["heads"]) == {1}


@pytest.mark.parametrize("kind", [kind for kind, row in ARCHITECTURES.items() if not row.merges])
def test_merging_is_refused_before_anything_is_trained(kind: str, tiny_task: Path, tmp_path: Path) -> None:
    merging = ("--ticket", "structure", "--set", "structure.merge_after=[0.4]")
    done = run(encoder(kind, tmp_path / "encoder"), tiny_task, tmp_path / "run", *merging)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert f"tokens can't be merged in an encoder of the architecture '{kind}'" in done.stderr
    assert not list((tmp_path / "run").glob("*/metrics.json"))
