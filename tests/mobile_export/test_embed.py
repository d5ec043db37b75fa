"""Vectors by a bundle's own program: those of the golden texts, with prefixes, row by row, and refusals."""

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from compress.errors import ExportError
from compress.models.pooling import Pooling, project, with_pooling
from mobile_export.bundle.golden import Text
from mobile_export.bundle.vectors import VectorModel
from mobile_export.bundle.verification import verify_bundle
from mobile_export.bundle.write import write_bundle
from mobile_export.embed import main, texts_of, write_vectors
from mobile_export.lowering.lower import lower

from .conftest import head_model, save

TEXTS = ("play some music", "wake me at seven", "Crème brûlée", "what's the weather like in Łódź?")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch

    folder = tmp_path_factory.mktemp("vectors")
    model = with_pooling(head_model("bert", "embedding"), Pooling("mean", query="query: ", passage="passage: "))
    saved = save(project(model, torch.randn(128, 64)), folder / "m", kind="embedding", metric="ndcg_at_10", task="t")
    program = lower(saved, folder / "p.pte")
    write_bundle(folder / "b", saved, program, [Text(f"passage: {text}") for text in TEXTS], name="t")
    return folder / "b"


def test_the_manifest_says_how_vectors_are_used(bundle: Path) -> None:
    task = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))["task"]
    assert task["vector"] == {
        "size": 128,
        "sizes": [128, 64],
        "pooling": "mean",
        "normalized": True,
        "query_prefix": "query: ",
        "passage_prefix": "passage: ",
    }
    assert verify_bundle(bundle).agreement == 1.0


def test_vectors_are_the_golden_ones(bundle: Path, tmp_path: Path) -> None:
    known = {e["text_a"]: e["embedding"] for e in json.loads((bundle / "golden.json").read_text())["examples"]}
    (tmp_path / "texts.txt").write_text("\n".join(TEXTS) + "\n", encoding="utf-8")
    found = io.BytesIO()
    assert write_vectors(bundle, tmp_path / "texts.txt", found) == len(TEXTS)
    rows = np.load(io.BytesIO(found.getvalue()))
    assert rows.shape == (4, 128) and rows.dtype == np.float32
    np.testing.assert_allclose(rows, [np.ravel(known[f"passage: {text}"]) for text in TEXTS], atol=1e-6)
    model = VectorModel(bundle)
    assert not np.allclose(model.embed(TEXTS[0], query=True), rows[0], atol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-4)


def test_the_command_writes_what_numpy_reads(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text("\ufeff" + "\r\n".join(TEXTS), encoding="utf-8")
    command = [sys.executable, "-W", "ignore", "-m", "mobile_export.embed", str(bundle), str(tmp_path / "texts.txt")]
    piped = subprocess.run(command, capture_output=True, check=True).stdout
    assert main([*command[-2:], "--output", str(tmp_path / "v.npy")]) == 0
    np.testing.assert_array_equal(np.load(io.BytesIO(piped)), np.load(tmp_path / "v.npy"))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"one\n\nthree", "line 2: the text is empty"), (b"one\n\xff", "line 2: this is not UTF-8")],
)
def test_a_line_that_is_no_text_is_named(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "texts.txt").write_bytes(content)
    with pytest.raises(ExportError, match=sentence):
        list(texts_of(tmp_path / "texts.txt"))


def test_a_bundle_of_another_kind_is_refused(bundle: Path, tmp_path: Path) -> None:
    manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    manifest["task"] = {**manifest["task"], "kind": "mlm"}
    del manifest["task"]["vector"]
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ExportError, match="of kind mlm, which gives no vectors"):
        VectorModel(tmp_path)
