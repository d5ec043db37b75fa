"""The profiler's events become a profile whose parts sum to the whole, and a real program's operators are all shown."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification

from benchmarks.profile import (
    BETWEEN,
    ELEMENTWISE,
    OUTSIDE,
    WARM_UP,
    WHOLE,
    XNNPACK,
    kind_of,
    main,
    page,
    rows,
    summary,
)
from compress.models.load import load_tokenizer
from compress.models.source import resolve_model
from compress.models.store import save

LINEAR = "Fully Connected (NC, QDU8, F32, QC8W) GEMM #3"


def event(name: str, delegated: bool, *ms: float) -> SimpleNamespace:
    raw = [99.0] * WARM_UP + list(ms)  # the first runs must not count
    return SimpleNamespace(name=name, is_delegated_op=delegated, perf_data=SimpleNamespace(raw=raw))


def test_operators_are_told_apart_by_kind() -> None:
    assert kind_of(LINEAR, delegated=True) == next(iter(XNNPACK.values()))
    assert kind_of("Reciprocal Square Root (NC) #1", delegated=True) == ELEMENTWISE
    assert kind_of("native_call_embedding.out", delegated=False) == OUTSIDE
    assert kind_of("DELEGATE_CALL", delegated=False) is None  # it holds what is counted already


def test_parts_are_of_the_fastest_runs_and_sum_to_the_whole() -> None:
    events = [
        event(WHOLE, False, 4.0, 1.0, 3.0, 2.0),
        event("DELEGATE_CALL", False, 4.0, 1.0, 3.0, 2.0),
        event(LINEAR, True, 0.9, 0.25, 0.9, 0.9),
        event(LINEAR, True, 0.9, 0.5, 0.9, 0.9),
        event("native_call_embedding.out", False, 0.1, 0.125, 0.1, 0.1),
    ]
    found = summary(events, plain=900.0)
    linears = next(iter(XNNPACK.values()))
    assert found.parts == {linears: 750.0, OUTSIDE: 125.0, BETWEEN: 125.0} and found.profiled == 1000.0
    assert found.counts[linears] == 2
    table = rows({12: found})
    assert table[1] == [linears, "2", "750 (75 %)"] and table[-2][1:] == ["3", "**1000**"] and table[-1][2] == "900"
    assert "## `dense`" in page({"`dense`": {12: found}}, ["About."], runs=4)


def test_every_operator_of_a_program_is_in_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_attention_heads": 2, "num_hidden_layers": 1, "intermediate_size": 64}
    model = BertForSequenceClassification(BertConfig(**sizes, max_position_embeddings=128))
    save(model, load_tokenizer(resolve_model("minilm")[1]), tmp_path / "run" / "dense")
    output = tmp_path / "profile.md"
    given = [str(tmp_path / "run" / "dense"), "--lengths", "12", "16", "--runs", "4", "--output", str(output)]
    assert main(given) == 0
    lines = [line.split(" | ") for line in output.read_text().splitlines() if line.startswith("| ")]
    found = {cells[0].strip("| "): cells[1] for cells in lines}
    assert found[next(iter(XNNPACK.values()))] == "8"  # q, k, v, output, inner, outer; pooler and classifier
    assert found["means of the norms, as fp32 Linears with one output"] == "6"  # two for each of three norms
    assert found["attention: queries · keys, weights · values"] == "2" and found["softmax"] == found["GELU"] == "1"


def test_a_folder_without_a_model_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path), "--output", str(tmp_path / "page.md")]) == 2
    assert capsys.readouterr().err.startswith("pocket-ticket: ") and not (tmp_path / "page.md").exists()
