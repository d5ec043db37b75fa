"""A bundle keeps its word, and nothing in it can be changed unnoticed."""

import json
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from compress.errors import ExportError
from mobile_export import verify
from mobile_export.bundle.golden import GOLDEN
from mobile_export.bundle.write import _tolerance, write_bundle
from mobile_export.lowering.lower import lower
from mobile_export.programs.program import Program

from .conftest import GIVEN, LABELS, MAX_TOKENS, TEXTS, edit_json, head_model, random_model, save


def recorded(bundle: Path, part: str) -> None:
    """Make the manifest believe in a changed file: only the check behind the hash can notice."""
    file = bundle / {"golden": "golden.json", "tokenizer": "vocab.txt", "model": "model.pte"}[part]
    edit_json(
        bundle / "manifest.json",
        lambda manifest: manifest[part].update(sha256=sha256(file.read_bytes()).hexdigest()),
    )


def test_bundle_keeps_its_word(bundle: Path, capsys: pytest.CaptureFixture) -> None:
    found = verify.verify_bundle(bundle)
    assert found.examples >= GOLDEN and found.largest_difference == 0 and found.agreement == 1
    assert verify.main([str(bundle)]) == 0
    assert "as recorded" in capsys.readouterr().out


def test_manifest_says_what_was_given(bundle: Path) -> None:
    manifest = json.loads((bundle / "manifest.json").read_text())
    assert manifest["task"]["labels"] == list(LABELS) and manifest["task"]["kind"] == "classification"
    assert "no_answer_threshold" not in manifest["task"]
    assert manifest["model"]["inputs"] == ["input_ids"] and manifest["model"]["max_tokens"] == MAX_TOKENS
    assert manifest["model"]["padding"] == "none" and manifest["model"]["pad_id"] == 0
    assert manifest["report"]["metric_test"] == 0.91 and manifest["report"]["size_ratio"] is None
    assert sorted(path.name for path in bundle.iterdir()) == ["golden.json", "manifest.json", "model.pte", "vocab.txt"]


def test_golden_texts_cover_the_traps(bundle: Path) -> None:
    examples = json.loads((bundle / "golden.json").read_text())["examples"]
    texts = {example["text_a"] for example in examples}
    assert "" in texts and set(TEXTS) <= texts
    assert max(len(example["input_ids"]) for example in examples) == MAX_TOKENS
    assert any(len(example["text_a"].split()) > MAX_TOKENS for example in examples)  # truncated
    assert any("👩‍👩‍👧‍👦" in text for text in texts) and any("今天" in text for text in texts)
    assert len(texts) == len(examples)


def refuse(bundle: Path, match: str, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(ExportError, match=match):
        verify.verify_bundle(bundle)
    assert verify.main([str(bundle)]) == 2
    error = capsys.readouterr().err
    assert "Traceback" not in error and len(error.strip().splitlines()) == 1


@pytest.mark.parametrize("name", ["model.pte", "vocab.txt", "golden.json"])
def test_a_changed_file_is_noticed_by_its_hash(bundle: Path, name: str, capsys: pytest.CaptureFixture) -> None:
    data = bytearray((bundle / name).read_bytes())
    data[len(data) // 2] ^= 1
    (bundle / name).write_bytes(data)
    refuse(bundle, f"{name}: the file's hash is not the one", capsys)


@pytest.mark.parametrize("name", ["model.pte", "vocab.txt", "golden.json", "manifest.json"])
def test_a_missing_file_is_named(bundle: Path, name: str, capsys: pytest.CaptureFixture) -> None:
    (bundle / name).unlink()
    refuse(bundle, name, capsys)


def test_changed_golden_logits_are_noticed(bundle: Path, capsys: pytest.CaptureFixture) -> None:
    edit_json(bundle / "golden.json", lambda golden: golden["examples"][5]["logits"].__setitem__(0, 3.0))
    recorded(bundle, "golden")
    refuse(bundle, "golden text 5 differs by", capsys)


def test_golden_logits_that_are_not_numbers_are_noticed(bundle: Path, capsys: pytest.CaptureFixture) -> None:
    edit_json(bundle / "golden.json", lambda golden: golden["examples"][5]["logits"].__setitem__(0, float("nan")))
    recorded(bundle, "golden")
    refuse(bundle, "golden text 5 differs by nan", capsys)


def test_a_swapped_vocabulary_line_is_noticed(bundle: Path, capsys: pytest.CaptureFixture) -> None:
    lines = (bundle / "vocab.txt").read_text(encoding="utf-8").split("\n")
    alarm, play = lines.index("play"), lines.index("stop")
    lines[alarm], lines[play] = lines[play], lines[alarm]
    (bundle / "vocab.txt").write_text("\n".join(lines), encoding="utf-8")
    recorded(bundle, "tokenizer")
    refuse(bundle, "other token ids from vocab.txt", capsys)


@pytest.mark.parametrize(
    ("setting", "value"),
    [("lowercase", False), ("strip_accents", False), ("chinese_chars", False), ("max_word_chars", 200)],
)
def test_a_changed_tokenizer_setting_is_noticed(
    bundle: Path, setting: str, value: object, capsys: pytest.CaptureFixture
) -> None:
    edit_json(bundle / "manifest.json", lambda manifest: manifest["tokenizer"].update({setting: value}))
    refuse(bundle, "other token ids from vocab.txt", capsys)


def test_a_changed_length_limit_is_noticed(bundle: Path, capsys: pytest.CaptureFixture) -> None:
    edit_json(bundle / "manifest.json", lambda manifest: manifest["model"].update(max_tokens=MAX_TOKENS - 1))
    refuse(bundle, "other token ids from vocab.txt", capsys)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (lambda manifest: manifest["task"].pop("labels"), "task"),
        (lambda manifest: manifest["model"].update(inputs=["ids"]), "model.inputs"),
        (lambda manifest: manifest["model"].update(file="../model.pte"), "model.file"),
        (lambda manifest: manifest["model"].update(padding="right"), "model.padding"),
        (lambda manifest: manifest.update(extra=1), "top level"),
    ],
)
def test_a_manifest_off_its_schema_is_refused(bundle: Path, change, key: str, capsys: pytest.CaptureFixture) -> None:
    edit_json(bundle / "manifest.json", change)
    refuse(bundle, f"breaks its schema at '{key}'", capsys)


def test_another_format_is_refused(bundle: Path, capsys: pytest.CaptureFixture) -> None:
    edit_json(bundle / "manifest.json", lambda manifest: manifest.update(format=2))
    refuse(bundle, "this is bundle format 2, the app reads format 1", capsys)


def test_an_older_manifest_is_read(bundle: Path) -> None:
    edit_json(bundle / "manifest.json", lambda manifest: [manifest["model"].pop(key) for key in ("padding", "pad_id")])
    assert verify.verify_bundle(bundle).largest_difference == 0


def test_another_kind_of_tokenizer_is_refused(program, tmp_path: Path) -> None:
    folder = save(random_model("roberta"), tmp_path / "m")
    edit_json(folder / "tokenizer.json", lambda saved: saved["model"].update(type="WordLevel"))
    with pytest.raises(ExportError, match="an app can't tokenize with the model WordLevel"):
        write_bundle(tmp_path / "android", folder, program("bert"), GIVEN, name="x")
    assert not (tmp_path / "android").exists()


def test_an_added_token_is_in_the_bundle(program, tmp_path: Path) -> None:
    folder = save(random_model("bert"), tmp_path / "m")
    added = {
        "id": 6,
        "content": "[unused5]",
        "single_word": False,
        "lstrip": False,
        "rstrip": False,
        "normalized": False,
    }
    edit_json(folder / "tokenizer.json", lambda saved: saved["added_tokens"].append({**added, "special": False}))
    write_bundle(tmp_path / "android", folder, program("bert"), GIVEN, name="x")
    manifest = json.loads((tmp_path / "android" / "manifest.json").read_text(encoding="utf-8"))
    assert "[unused5]" in [token["content"] for token in manifest["tokenizer"]["added_tokens"]]
    assert (tmp_path / "android" / manifest["tokenizer"]["file"]).is_file()
    assert verify.verify_bundle(tmp_path / "android").largest_difference == 0


def test_a_damaged_program_is_refused(made: Path, program, tmp_path: Path) -> None:
    from dataclasses import replace

    from mobile_export.programs.runtime import LoadedProgram

    good: Program = program("bert", scheme="int8")
    for name, data in {
        "cut": good.path.read_bytes()[: good.bytes // 2],
        "empty": b"",
        "text": b"not a program" * 1000,
    }.items():
        path = tmp_path / f"{name}.pte"
        path.write_bytes(data)
        with pytest.raises(ExportError, match="hash does not match the recorded one"):
            LoadedProgram.of(replace(good, path=path))
        with pytest.raises(ExportError, match="not a complete ExecuTorch program"):
            LoadedProgram(path, inputs=good.inputs, outputs=good.outputs, max_tokens=good.max_tokens)


@pytest.mark.parametrize(
    ("answers", "tolerance"),
    [([[0.0, 8.0], [1.0, 3.0]], 0.25), ([[0.0, 0.1], [0.0, 0.1]], 0.05), ([[0.0], [4.0], [5.0]], 0.25)],
)
def test_the_tolerance_grows_with_the_spread_of_the_answers(answers: list[list[float]], tolerance: float) -> None:
    """Mean over texts of largest − smallest logit; of single numbers, over all texts; never below 0.05."""
    program = SimpleNamespace(outputs=("logits",))
    assert _tolerance([{"logits": row} for row in answers], program) == tolerance


def test_an_encoder_without_a_head_keeps_its_word_about_embeddings(program, tmp_path: Path) -> None:
    own = {"task": "sentences", "kind": "embedding", "metric": "cosine"}
    folder, bundle = save(head_model("bert", "embedding"), tmp_path / "m", **own), tmp_path / "android"
    made = lower(folder, tmp_path / "p.pte", scheme="int8")
    with pytest.raises(ExportError, match="the task's kind is embedding, but the program gives logits"):
        write_bundle(bundle, folder, program("bert", scheme="int8"), GIVEN, name="sentences")
    write_bundle(bundle, folder, made, GIVEN, name="sentences")

    manifest = json.loads((bundle / "manifest.json").read_text())
    assert (manifest["task"]["kind"], manifest["task"]["labels"]) == ("embedding", [])
    assert manifest["model"]["outputs"] == ["embedding"]
    vectors = np.array([x["embedding"] for x in json.loads((bundle / "golden.json").read_text())["examples"]])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    tolerance = manifest["golden"]["tolerance"]
    assert tolerance == pytest.approx(0.1 * np.ptp(vectors, axis=1).mean(), abs=1e-4)

    assert verify.verify_bundle(bundle).largest_difference == 0
    edit_json(
        bundle / "golden.json",
        lambda golden: golden["examples"][5]["embedding"].__setitem__(0, vectors[5, 0] + 1.1 * tolerance),
    )
    recorded(bundle, "golden")
    with pytest.raises(ExportError, match="golden text 5 differs by"):
        verify.verify_bundle(bundle)
