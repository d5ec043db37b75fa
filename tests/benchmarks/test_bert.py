"""The paper's experiments as one command: every study once, the universal ticket judged by numbers alone."""

import random
from pathlib import Path

import pytest
import small

import benchmarks.bert.__main__ as command
from benchmarks.bert.page import verdict
from compress.study.results import Results

VOCABULARY = ["a", "day", "of", "rain", "and", "sun", "in", "the", "city", "by", "the", "sea"]


def study_of(name: str, own: list[float], tried: dict[str, list[float]], chance: list[float]) -> Results:
    rows = [("ticket", None, own), ("control", "random", chance)]
    rows += [("transfer", source, values) for source, values in tried.items()]
    trainings = [
        {"role": role, "source": source, "sparsity": 0.5, "seed": seed, "test": value}
        for role, source, values in rows
        for seed, value in enumerate(values)
    ]
    return Results({"task": {"name": name, "metric": "accuracy"}, "trainings": trainings, "settings": {}})


def test_the_universal_ticket_is_judged_by_its_mean_and_by_every_stranger() -> None:
    first = study_of("a", [0.90, 0.92], {"words": [0.90, 0.91], "b": [0.85, 0.86]}, [0.7, 0.7])
    second = study_of("b", [0.80, 0.82], {"words": [0.80, 0.81], "a": [0.75, 0.76]}, [0.6, 0.6])
    said = verdict([first, second], "words", 0.5)
    assert "differs from the targets' own by −0.5 points on average over 2 tasks, within one" in said
    assert said.endswith("ahead of every other task's ticket and of a random mask on each of them.")
    worse = study_of("b", [0.80, 0.82], {"words": [0.70, 0.71], "a": [0.75, 0.76]}, [0.6, 0.72])
    said = verdict([first, worse], "words", 0.5)
    assert "more than one standard deviation" in said and said.endswith("not ahead of every stranger: b (a).")
    single = study_of("a", [0.9], {"words": [0.9]}, [0.7])
    assert "is open" in verdict([single], "words", 0.5)


def test_the_order_is_words_then_each_target_then_each_with_the_others(tmp_path: Path) -> None:
    plan = command.Plan("bert", tmp_path / "data", tmp_path / "out", tmp_path / "words", command.TARGETS)
    studies = list(plan.studies())
    assert [name for name, _ in studies] == ["words", *[t.name for t in command.TARGETS] * 2]
    for name, arguments in studies[4:]:
        tried = arguments[arguments.index("--transfer") + 1 :]
        assert sorted(Path(folder).name for folder in tried) == sorted({"words", "trec", "stsb", "sst2"} - {name})
        assert arguments[: arguments.index("--transfer")] == dict(studies[1:4])[name]  # so nothing is trained twice


def test_an_unknown_target_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--model", "m", "--data", str(tmp_path), "--output", str(tmp_path)]
    assert command.main([*where, "--only", "trec,mnli"]) == 2
    assert "use some of trec, stsb, sst2" in capsys.readouterr().err


@pytest.mark.slow
def test_a_tiny_plan_runs_continues_and_writes_its_page(
    tiny_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    for name in ("one", "two"):
        small.task(data / name)
    words = data / "text"
    words.mkdir()
    drawn = random.Random(0)
    for split in ("train", "dev"):
        lines = [" ".join(drawn.sample(VOCABULARY, 7)) for _ in range(60)]
        (words / f"{split}.txt").write_text("\n".join(lines) + "\n")
    monkeypatch.setattr(command, "TARGETS", (command.Target("one", 1, 2), command.Target("two", 1, 1)))
    page = tmp_path / "bert.md"
    arguments = ["--model", str(tiny_encoder), "--data", str(data), "--words", str(words), "--page", str(page)]
    arguments += ["--output", str(tmp_path / "studies"), "--sparsities", "0.5", "--set", "model.max_tokens=32"]
    assert command.main(arguments) == 0
    text = page.read_text()
    assert "## The universal ticket" in text and "| text |" in text and "At 50% the ticket of masked words" in text
    folders = {f: f.stat().st_mtime for f in tmp_path.glob("studies/*/seed-*/*")}
    assert command.main(arguments) == 0
    assert {f: f.stat().st_mtime for f in tmp_path.glob("studies/*/seed-*/*")} == folders
    assert page.read_text() == text
