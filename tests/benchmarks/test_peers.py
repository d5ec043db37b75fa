"""The parts of the comparison with peers that need no peer: order, times, texts, sizes, refusals and the page."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification

from benchmarks.peers import programs
from benchmarks.peers.__main__ import main
from benchmarks.peers.contestants import Contestant
from benchmarks.peers.engines import Engine
from benchmarks.peers.first_row import first_row_only
from benchmarks.peers.models import subject, windows
from benchmarks.peers.page import engine_rows, page, ratio_rows, table
from benchmarks.peers.quality import Test as Split
from benchmarks.peers.quality import differences, score
from benchmarks.peers.timing import WARM_UP, Times, measure, order
from compress.errors import ModelError


def results(**changes: Any) -> dict[str, Any]:
    """A small comparison: one length, one thread, two engines of the dense model."""
    timed = {"1": {"12": {"median": 1.0, "p10": 0.9, "p90": 1.234}}}
    common = {"model": "dense", "files": 1, "facts": {}, "latency_ms": timed, "test": None}
    eager = {**common, "family": "eager", "precision": "fp32", "bytes": None, "deflated": None, "logits_off": 0.0}
    stock = {**common, "family": "stock", "precision": "int8", "bytes": 23_800_000, "deflated": 21_500_000}
    found = {
        "date": "2026-11-21",
        "machine": {"processor": "A", "cores": 2, "features": ["avx2"], "system": "Linux", "load_before": 0.1},
        "versions": {"torch": "2.15.0"},
        "models": {"dense": "run/dense"},
        "rounds": 12,
        "runs": 10,
        "threads": [1],
        "lengths": [12, 50],
        "data": None,
        "quality_threads": 1,
        "contestants": [eager, {**stock, "logits_off": 0.1234}],
        "ratios": [{"goal": "LiteRT int8", "threads": 1, "length": 12, "ratio": 0.974}],
    }
    return {**found, **changes}


class Constant(Engine):
    """Answers the same for every text."""

    def __init__(self, *logits: float, longest: int | None = 128) -> None:
        self.logits, self.longest = np.array(logits, np.float32), longest

    def prepare(self, ids):
        return lambda: self.logits


def test_every_contestant_comes_at_every_place_and_after_others() -> None:
    names = ["a", "b", "c", "d"]
    orders = [order(names, turn) for turn in range(8)]
    assert all(sorted(one) == names for one in orders)
    assert all({one[place] for one in orders} == set(names) for place in range(4))
    before_b = {one[one.index("b") - 1] for one in orders if one.index("b")}
    assert len(before_b) > 1


def test_each_call_is_timed_in_each_round_after_warming_up() -> None:
    counts = {"a": 0, "b": 0}

    def call(name: str) -> None:
        counts[name] += 1

    times = measure({name: lambda name=name: call(name) for name in counts}, rounds=3, runs=2)
    assert counts == dict.fromkeys("ab", 3 * (WARM_UP + 2))
    assert all(len(row) == 2 for row in times["a"].rounds) and len(times["a"].rounds) == 3


def test_a_ratio_is_of_rounds_so_that_a_slow_round_does_not_count() -> None:
    first, second = Times(((1.0, 1.0), (9.0, 9.0), (1.0, 1.0))), Times(((2.0, 2.0), (18.0, 18.0), (2.0, 2.0)))
    assert first.ratio(second) == 0.5
    assert Times(((3.0,),)).summary() == {"median": 3.0, "p10": 3.0, "p90": 3.0}


def test_texts_have_the_length_asked_for_between_their_ends() -> None:
    found = windows(list(range(10, 30)), 16, 4, (1, 2))
    assert [len(text) for text in found] == [16] * 4 and all(text[0] == 1 and text[-1] == 2 for text in found)
    assert len({tuple(text) for text in found}) == 4


def test_differences_are_from_the_reference_and_scores_from_the_labels() -> None:
    reference, engine = Constant(0.0, 1.0), Constant(0.25, 0.5)
    assert differences({"x": engine}, reference, [[1, 2], [1, 3]]) == {"x": 0.5}
    split = Split("task", [[1, 2], [1, 2, 3]], np.array([1, 0]))
    assert score(engine, split, np.array([1, 1])) == {"accuracy": 0.5, "as_eager": 1.0}
    assert score(Constant(0.0, 1.0, longest=2), split, np.array([1, 1])) == "no file for 3 tokens"
    assert score(Constant(0.0, 1.0, longest=None), split, np.array([1, 1])) == "not run"


def test_size_is_that_of_one_file_the_longest(tmp_path: Path) -> None:
    sizes = {"fp32_12.tflite": [9, 8], "int8_12.tflite": [3, 2], "int8_128.tflite": [4, 3]}
    (tmp_path / "about.json").write_text(json.dumps({"facts": {}, "sizes": sizes}))
    contestant = Contestant("dense", "litert", "int8", tmp_path, tmp_path)
    assert contestant.size == (4, 3) and len(contestant.files) == 2
    assert Contestant("dense", "eager", "fp32", None, tmp_path).size is None


def test_ratios_stand_beside_their_goals() -> None:
    assert ratio_rows(results(), 1)[1] == [
        "pocket-ticket, dense model, int8",
        "LiteRT int8",
        "**0.97** (goal 0.97)",
        "–",
    ]
    missed = results(ratios=[{"goal": "LiteRT int8", "threads": 1, "length": 12, "ratio": 1.05}])
    assert ratio_rows(missed, 1)[1][2] == "1.05 (goal 0.97)"
    assert ratio_rows(results(), 2) == []


def test_engines_are_rows() -> None:
    rows = engine_rows(results(), "dense", 1)
    assert rows[2] == ["ExecuTorch, stock", "int8", "23.8", "21.5", "1.00 (0.90–1.23)", "–", "0.12"]
    scored = results(data={"name": "sst2", "texts": 1821})
    scored["contestants"][0]["test"] = "not run"
    scored["contestants"][1]["test"] = {"accuracy": 0.9, "as_eager": 0.999}
    assert [row[-2:] for row in engine_rows(scored, "dense", 1)[1:]] == [["not run", "–"], ["90.00 %", "99.90 %"]]


def test_the_page_says_who_is_missing_and_why() -> None:
    text = page(results(), {"litert": "its converter could not be set up on this machine"})
    assert "LiteRT, a file per length is not in the tables: its converter could not be set up" in text
    assert "12 rounds of 10 calls" in text and "optimum-executorch" in text
    assert table([["a", "b", "c"], ["1", "2", "3"]]).splitlines()[1] == "| --- | --- | ---: |"


@pytest.mark.parametrize("flags", [["--lengths", "200"], ["--rounds", "0"], ["--accuracy", "data"]])
def test_what_cannot_be_run_is_refused(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(flags) == 2
    assert "pocket-ticket: " in capsys.readouterr().err


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"--ticket .*: there is no saved model; give a stage's folder"):
        subject("ticket", tmp_path, tmp_path)


@pytest.mark.parametrize("implementation", ["eager", "sdpa"])
def test_the_shortcut_for_peers_changes_no_logit(implementation: str) -> None:
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_attention_heads": 2, "num_hidden_layers": 2, "intermediate_size": 64}
    model = BertForSequenceClassification(BertConfig(**sizes, attn_implementation=implementation)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape) * 0.1)
    given = {"input_ids": torch.arange(5, 17)[None], "attention_mask": torch.tensor([[1] * 9 + [0] * 3])}  # padded
    with torch.no_grad():
        whole = model(**given).logits
        shortcut = first_row_only(model)
        rows = shortcut.base_model(**given).last_hidden_state
        torch.testing.assert_close(shortcut(**given).logits, whole, atol=1e-5, rtol=0)
    assert rows.shape == (1, 1, 32) and whole.std() > 0.01


def test_every_source_of_a_program_is_there() -> None:
    """Kept programs are built again when a source changes: a pattern that matches nothing would hide the change."""
    for name, builder in programs.BUILDERS.items():
        for pattern in builder.sources:
            assert list(programs.ROOT.glob(pattern)), f"{name}: {pattern}"
