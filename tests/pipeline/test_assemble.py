"""What a report says of a ticket beyond its numbers."""

import random
from pathlib import Path

import pytest
from sample_report import sample

from compress.evaluation.statistics import compare_programs
from compress.pipeline.assemble import _ticket_verdict, untimed, weakness
from compress.pipeline.stages.shrunk import _note
from compress.report.render import write_report


def numbers(**structure: object) -> dict:
    units = {"layers": [0, 2], "heads": [6, 6], "neurons": [512, 512]}
    return {"structure": units | structure, "vocabulary": {"words": 8000}}


def test_the_note_says_what_stays_and_where_tokens_merge() -> None:
    assert _note(numbers()) == ["layers 1, 3, 6 heads and 512 neurons in each; 8,000 words"]
    assert "after layer 1 of them pairs of tokens are merged; 8,000" in _note(numbers(merge_after=[1]))[0]


def test_the_note_tells_of_unlabeled_texts() -> None:
    assert "distilled on 1,200 unlabeled texts" in _note(numbers() | {"unlabeled": 1200})[0]
    assert "unlabeled" not in _note(numbers() | {"unlabeled": 0})[0]


def test_a_dense_model_that_words_alone_beat_is_told() -> None:
    dense = {"metric": {"dev": 0.816}}
    (note,) = weakness("accuracy", {"dev": 0.889}, dense)
    assert "81.6 % on dev) scores below the baseline (88.9 %)" in note and "--learning-rate" in note
    assert weakness("accuracy", {"dev": 0.816}, dense) == []


def test_only_a_ticket_that_starts_from_the_pretrained_weights_is_judged_by_the_rule() -> None:
    found = {"dense": {"metric": {"test": 0.9}}, "ticket": {"metric": {"test": 0.9}}}
    for rewind, sentence in (("pretrained", "one seed"), ("none", "trained weights"), ("step:9", "trained weights")):
        reasons: dict[str, str] = {}
        assert _ticket_verdict(rewind, found, reasons)["winning_ticket"] is None
        assert sentence in reasons["verdict.winning_ticket"]


@pytest.mark.parametrize("seed", range(6))
def test_a_length_that_no_program_takes_is_said_to_be_not_measured(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    limit, lengths = rng.choice([8, 11, 12, 50, 63, 100]), sorted({12, 64, rng.randrange(2, 512)})
    report, cold = sample(), rng.choice([None, 31.4])
    for program in (report["programs"]["dense"], report["programs"]["ticket"]):
        timed = program["latency_ms"]["12"]
        program["latency_ms"] = {str(n): timed if n <= limit else None for n in lengths}
        program["first_answer_ms"] = {"cold": cold, "warm": 8.7}
    found = untimed({name: report["programs"][name] for name in ("dense", "ticket")}, limit)
    report["not_measured"] |= found
    report["verdict"]["speed_ratio"] = compare_programs(*(report["programs"][n] for n in ("dense", "ticket")))[
        "speed_ratio"
    ]
    write_report(report, tmp_path)
    assert {n for n in lengths if f"verdict.speed_ratio.{n}" in found} == {n for n in lengths if n > limit}
    assert (tmp_path / "report.html").is_file()
