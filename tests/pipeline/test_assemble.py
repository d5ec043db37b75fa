"""What a report says of a ticket beyond its numbers."""

import random
from pathlib import Path

import pytest
from sample_report import sample

from compress.evaluation.statistics import compare_programs
from compress.pipeline.assemble import _ticket_verdict, dense_notes, untimed
from compress.pipeline.stages.shrunk import _note
from compress.report.render import write_report


def numbers(**structure: object) -> dict:
    units = {"layers": [0, 2], "heads": [6, 6], "neurons": [512, 512]}
    return {"structure": units | structure, "vocabulary": {"words": 8000}}


def test_the_note_says_what_stays_and_where_tokens_merge() -> None:
    assert _note(numbers()) == ["layers 1, 3, 6 heads and 512 neurons in each; 8,000 words"]
    assert "after layer 1 of them pairs of tokens are merged; 8,000" in _note(numbers(merge_after=[1]))[0]


def test_the_note_names_the_texts_that_scores_were_taken_from() -> None:
    assert _note(numbers() | {"scored": [640, 5452]})[-1] == (
        "scores from 640 of the 5,452 training texts, drawn by the seed"
    )
    assert len(_note(numbers() | {"scored": [600, 600]})) == len(_note(numbers())) == 1


def test_the_note_tells_of_unlabeled_texts() -> None:
    assert "distilled on 1,200 unlabeled texts" in _note(numbers() | {"unlabeled": 1200})[0]
    assert "unlabeled" not in _note(numbers() | {"unlabeled": 0})[0]


def test_a_dense_model_that_words_alone_beat_is_told() -> None:
    dense = {"metric": {"dev": 0.816}, "steps": 9}
    (note,) = dense_notes("accuracy", {"dev": 0.889}, dense)
    assert "81.6 % on dev) scores below the baseline (88.9 %)" in note and "--learning-rate" in note
    assert dense_notes("accuracy", {"dev": 0.816}, dense) == []


def test_only_a_ticket_that_starts_from_the_pretrained_weights_is_judged_by_the_rule() -> None:
    found = {"dense": {"metric": {"test": 0.9}, "steps": 9}, "ticket": {"metric": {"test": 0.9}}}
    for rewind, sentence in (("pretrained", "one seed"), ("none", "trained weights"), ("step:9", "trained weights")):
        reasons: dict[str, str] = {}
        assert _ticket_verdict(rewind, found, reasons)["winning_ticket"] is None
        assert sentence in reasons["verdict.winning_ticket"]


def test_no_ticket_is_judged_against_a_model_that_was_not_trained() -> None:
    found = {"dense": {"metric": {"test": 0.9}, "steps": 0}, "ticket": {"metric": {"test": 0.9}}}
    reasons: dict[str, str] = {}
    assert _ticket_verdict("pretrained", found, reasons)["winning_ticket"] is None
    assert "did not train" in reasons["verdict.winning_ticket"]


def test_what_became_of_a_checkpoint_is_said() -> None:
    def said(given: float, simple: float, reached: float, steps: int, **more: float) -> str:
        dense = {"metric": {"dev": reached}, "steps": steps, "given_dev": given, **more}
        return "\n".join(dense_notes("accuracy", {"dev": simple}, dense))

    assert "as it is (accuracy 91.2 % on dev, the baseline 80.0 %)" in said(0.912, 0.8, 0.912, 0)
    assert "--dense train trains it" in said(0.912, 0.8, 0.912, 0)
    assert "trained further, to 95.0 %" in said(0.5, 0.8, 0.95, 60)
    assert "made it worse (66.0 % on dev)" in said(0.7, 0.8, 0.7, 0, trained_dev=0.66)
    assert "has not learned this task, so train it (--dense train)" in said(0.7, 0.8, 0.7, 0)


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
