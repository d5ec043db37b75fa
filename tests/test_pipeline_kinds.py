"""Every kind of task goes the whole path: from its own files to a measured program, a bundle and a report."""

import gzip
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from compress.console import Console
from compress.pipeline.estimate import probe
from compress.pipeline.run import Inputs
from compress.recipe.load import load_recipe
from compress.report.schema import validate
from mobile_export.bundle.verification import verify_bundle

PEOPLE, PLACES = ("Ada Lovelace", "Bob", "Carol King", "Dora"), ("Rome", "London Bridge", "Paris")
FRAMES = ("{who} went to {where} .", "in {where} I met {who} !", "don't ask {who} about {where}", "nothing here")


def tagged(rng: random.Random) -> str:
    words = []
    for part in rng.choice(FRAMES).split(" "):
        if part.startswith("{"):
            kind, names = ("per", PEOPLE) if part == "{who}" else ("loc", PLACES)
            words += [f"{w}\t{'I' if i else 'B'}-{kind}" for i, w in enumerate(rng.choice(names).split())]
        else:
            words.append(f"{part}\tO")
    return "\n".join(words)


def asked(rng: random.Random, unanswerable: bool = False) -> dict:
    who, where = rng.choice(PEOPLE), rng.choice(PLACES)
    answers = [] if unanswerable else [{"text": who, "answer_start": len("Yesterday ")}]
    did = "stayed in" if unanswerable else "went to"
    question = {"id": str(rng.random()), "question": f"Who {did} {where}?", "answers": answers}
    return {"context": f"Yesterday {who} went to {where} . Nobody else did .", "qas": [question]}


def write(folder: Path, kind: str) -> Path:
    rng = random.Random(0)
    for split, count in (("train", 120), ("dev", 40), ("test", 40)):
        if kind == "tokens":
            (folder / f"{split}.conll").write_text("\n\n".join(tagged(rng) for _ in range(count)), encoding="utf-8")
        elif kind == "search":
            continue
        elif kind.startswith("qa"):
            every = [asked(rng, kind == "qa or none" and i % 3 == 0) for i in range(count)]
            content = json.dumps({"data": [{"paragraphs": every}]})
            (folder / f"{split}-v1.json.gz").write_bytes(gzip.compress(content.encode()))
        else:
            lines = (rng.choice(FRAMES).format(who=rng.choice(PEOPLE), where=rng.choice(PLACES)) for _ in range(count))
            (folder / f"{split}.txt").write_text("\n".join(lines), encoding="utf-8")
    if kind == "search":
        write_search(folder)
    return folder


def write_search(folder: Path) -> None:
    """Notes, each with a query that has two of its words."""
    rng = random.Random(0)
    words = "sun moon sea wind tree bird fish stone house road lamp book"
    notes = [" ".join(rng.sample(words.split(" "), 4)) for _ in range(80)]
    tables = {
        "corpus": [("id", "text"), *((f"d{i}", note) for i, note in enumerate(notes))],
        "queries": [("id", "text"), *((f"q{i}", " ".join(note.split()[:2])) for i, note in enumerate(notes))],
        "qrels": [("query_id", "corpus_id", "relevance"), *((f"q{i}", f"d{i}", "1") for i in range(80))],
        "splits": [("query_id", "split"), *((f"q{i}", ("train", "dev", "test", "test")[i % 4]) for i in range(80))],
    }
    for name, rows in tables.items():
        (folder / f"{name}.tsv").write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")


def run(encoder: Path, task: Path, output: Path, *more: str) -> subprocess.CompletedProcess:
    quick = "--max-tokens 64 --rounds 2 --sparsity 0.4 --round-epochs 1 --batch-size 16 --learning-rate 0.003 --quiet"
    settings = ("--set", "distill.epochs=4", "--set", "measure.rounds=3", "--epochs", "6")
    data = ("--model", str(encoder), "--data", str(task), "--output", str(output), "--no-apk")
    command = [sys.executable, "-m", "compress.run", *quick.split(), *settings, *data, *more]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600)


STRUCTURED = ("--ticket", "structure", "--quantize", "int4", "--set", "quantize.aware_epochs=1")
CASES = {
    "tokens": ("tokens", (), ["dense", "ticket", "distilled", "program"]),
    "qa": ("qa", (), ["dense", "ticket", "distilled", "program"]),
    "mlm": ("mlm", ("--controls",), ["dense", "ticket", "program"]),
    "tokens, structured": ("tokens", (*STRUCTURED, "--vocabulary", "1500"), ["dense", "shrunk", "program"]),
    "qa, structured": ("qa", (*STRUCTURED, "--vocabulary", "1500"), ["dense", "shrunk", "program"]),
    "search": ("search", (), ["dense", "ticket", "distilled", "program"]),
    "search, structured": (
        "search",
        (*STRUCTURED, "--vocabulary", "1500", "--vector-size", "16"),
        ["dense", "shrunk", "program"],
    ),
    "search, trained": ("search", (*STRUCTURED, "--dense", "train"), ["dense", "shrunk", "program"]),
    "mlm, structured": ("mlm", (*STRUCTURED, "--vocabulary", "0"), ["dense", "shrunk", "program"]),
}
QUICK = ("tokens",)


@pytest.mark.parametrize("name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in CASES])
def test_every_kind_goes_the_whole_path(tiny_encoder: Path, tmp_path: Path, name: str) -> None:
    kind, more, stages = CASES[name]
    done = run(tiny_encoder, write(tmp_path, kind), tmp_path / "run", *more)
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    validate(report)
    assert report["task"]["kind"] == kind.replace("search", "embedding")
    assert [s["name"] for s in report["stages"]] == stages
    ticket = report["programs"]["ticket"]
    assert ticket["agreement_with_eager"] > (
        0.9 if not more or kind == "mlm" else 0.6
    )  # 4 bits of a tiny model are coarse
    assert ticket["bytes"] == (tmp_path / "run" / "android" / "model.pte").stat().st_size
    assert verify_bundle(tmp_path / "run" / "android").agreement == 1.0
    if kind not in ("mlm", "search"):  # forty sentences teach no language
        assert report["stages"][0]["metric"]["test"] > 0.5


@pytest.mark.slow
@pytest.mark.parametrize("more", [(), (*STRUCTURED, "--vocabulary", "1500", "--max-tokens", "16")])
def test_questions_without_an_answer_go_the_whole_path(
    tiny_encoder: Path, tmp_path: Path, more: tuple[str, ...]
) -> None:
    done = run(tiny_encoder, write(tmp_path, "qa or none"), tmp_path / "run", *more)
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    validate(report)
    assert any("40 of 120 train, 14 of 40 dev" in note for note in report["task"]["notes"])
    dense, program = report["stages"][0], report["stages"][-1]
    assert report["programs"]["dense"]["agreement_with_eager"] > 0.95  # the model computed in bf16
    assert more or dense["metric"]["test"] > 0.5  # windows of 16 tokens teach a tiny model little
    for stage in (dense, program):
        assert "questions with an answer" in stage["note"] and "questions without an answer" in stage["note"]
    manifest = json.loads((tmp_path / "run" / "android" / "manifest.json").read_text())
    assert manifest["task"]["no_answer_threshold"] == report["programs"]["ticket"]["no_answer_threshold"]
    assert verify_bundle(tmp_path / "run" / "android").agreement == 1.0


@pytest.mark.parametrize(
    ("kind", "more", "sentence"),
    [
        ("mlm", ("--max-drop", "1"), "budget can't be used with a task of kind mlm"),
        ("tokens", ("--ticket", "structure", "--set", "distill.augment=2"), "distill.augment can't be used"),
        ("mlm", ("--kind", "embedding", "--dense", "train"), "the encoder can't be trained without pairs"),
        ("search", ("--vector-size", "16"), "embedding.size without --ticket structure can't be used"),
        ("tokens", ("--vector-size", "16"), "embedding"),
        ("tokens", ("--metric", "accuracy"), "the metric accuracy does not fit a task of kind tokens"),
    ],
)
def test_what_a_kind_can_not_have_is_one_sentence(
    tiny_encoder: Path, tmp_path: Path, kind: str, more: tuple[str, ...], sentence: str
) -> None:
    done = run(tiny_encoder, write(tmp_path, kind), tmp_path / "run", *more)
    assert done.returncode == 2
    assert sentence in done.stderr and done.stderr.count("\n") == 1, done.stderr


@pytest.mark.parametrize("kind", ["tokens", "qa"])
def test_kinds_that_need_every_token_merge_none(tiny_encoder: Path, tmp_path: Path, kind: str) -> None:
    """So that a recipe which merges, such as balanced, serves them too."""
    flags = {"model.name": str(tiny_encoder), "data.source": str(write(tmp_path, kind))}
    asked = load_recipe(None, {**flags, "ticket.kind": "structure", "structure.merge_after": [0.4]})
    assert Inputs.of(asked, Console("quiet")).recipe.structure.merge_after == ()


@pytest.mark.parametrize("kind", ["tokens", "qa", "mlm", "search"])
def test_a_step_of_every_kind_can_be_timed(tiny_encoder: Path, tmp_path: Path, kind: str) -> None:
    flags = {"model.name": str(tiny_encoder), "model.max_tokens": 64, "data.source": str(write(tmp_path, kind))}
    assert probe(Inputs.of(load_recipe(None, flags), Console("quiet"))).seconds > 0


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "limit"), [("tokens", 8), ("qa", 16)])
def test_long_texts_go_the_whole_path(tiny_encoder: Path, tmp_path: Path, kind: str, limit: int) -> None:
    done = run(tiny_encoder, write(tmp_path, kind), tmp_path / "run", *STRUCTURED, "--max-tokens", str(limit))
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    notes = " ".join(report["task"]["notes"])
    assert f"texts are longer than {limit} tokens and are read in" in notes
    assert kind == "qa" or "long dev texts" in notes  # every passage is long
    assert report["programs"]["dense"]["agreement_with_eager"] == 1
    manifest = json.loads((tmp_path / "run" / "android" / "manifest.json").read_text())
    assert manifest["long"]["strategy"] == "windows" and manifest["model"]["max_tokens"] == limit
