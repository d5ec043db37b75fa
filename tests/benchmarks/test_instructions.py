"""Instruction counts come from the difference of two dumps, and more of them than the baseline's are noticed."""

import shutil
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification

from benchmarks.instructions import BASELINE, count, counts_of, main, page, regressions
from compress.models.load import load_tokenizer, resolve_model, save
from compress.run_dir import read_json


def dump(asked: str, total: int) -> str:
    return f"desc: I1 cache: \ndesc: Trigger: dump {asked}\nevents: Ir\nsummary: {total}\n\nfn=(1)\n0 {total}\n"


def test_what_asking_takes_is_not_counted() -> None:
    dumps = [dump("dense@12@0", 100), dump("dense@12@2", 700), dump("run-x@8@2", 50), dump("run-x@8@0", 10)]
    at_the_end = "desc: Trigger: Program termination\nsummary: 5\n"
    assert counts_of([*dumps, at_the_end]) == {"dense": {12: 300}, "run-x": {8: 20}}


def test_more_than_the_baseline_is_a_sentence_and_less_is_not() -> None:
    known = {"dense": {"12": 1000, "32": 1000, "64": 1000}}
    assert regressions({"dense": {12: 1005, 32: 900, 128: 9}, "new": {12: 9}}, known) == []
    assert regressions({"dense": {12: 1000, 64: 1020}}, known) == [
        "the dense model takes 1,020 instructions at 64 tokens, 2.0 % more than the 1,000 of the baseline"
    ]


def test_counts_are_shown_in_millions() -> None:
    text = page({"dense": {12: 30_440_000, 32: 1}}, {"executorch": "1.5.1"}, {"dense": "`a/dense`"})
    assert "| dense | `a/dense` | 30.4 | 0.0 |" in text and "executorch 1.5.1" in text


def test_the_baseline_is_of_both_models_at_four_lengths() -> None:
    known = read_json(BASELINE)
    assert set(known["versions"]) == {"executorch", "valgrind", "processor"}
    assert {name: list(counts) for name, counts in known["instructions"].items()} == {
        name: ["12", "32", "64", "128"] for name in ("dense", "ticket")
    }


def test_without_valgrind_it_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("benchmarks.instructions._programs", lambda models, folder: {})
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main([str(tmp_path)]) == 2
    assert "apt-get install valgrind" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("valgrind") is None, reason="no valgrind here (Debian: apt-get install valgrind)")
def test_the_same_program_takes_the_same_and_a_longer_text_takes_more(tmp_path: Path) -> None:
    from mobile_export.lowering import lower

    torch.manual_seed(0)
    sizes = {"hidden_size": 128, "num_attention_heads": 2, "num_hidden_layers": 1, "intermediate_size": 512}
    model = BertForSequenceClassification(BertConfig(**sizes, max_position_embeddings=128))
    save(model, load_tokenizer(resolve_model("minilm")[1]), tmp_path / "m")
    first = lower(tmp_path / "m", tmp_path / "p.pte", pair=False).path
    found = count({"first": first, "again": Path(shutil.copy(first, tmp_path / "q.pte"))}, [12, 64])
    for length in (12, 64):
        assert found["first"][length] == pytest.approx(found["again"][length], rel=0.02)
    assert found["first"][64] > 3 * found["first"][12]
