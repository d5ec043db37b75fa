"""The whole path through the real command line: resumed = never killed; wrong input = one sentence."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import load_file

from compress.files import file_sha256
from compress.report.schema import validate
from compress.run import main

COMMAND = [sys.executable, "-m", "compress.run", "--target", "android"]
STAGES = ("baseline", "dense", "ticket", "distilled", "programs", "android")
RESULTS = (
    "dense/model.safetensors",
    "ticket/mask.safetensors",
    "ticket/model.safetensors",
    "distilled/model.safetensors",
    "distilled/predictions.safetensors",
    "programs/dense.pte",
    "programs/ticket.pte",
    "android/model.pte",
    "android/golden.json",
)


def command(encoder: Path, task: Path, output: Path, *more: str) -> list[str]:
    quick = (
        "--max-tokens",
        "64",
        "--epochs",
        "2",
        "--rounds",
        "3",
        "--sparsity",
        "0.5",
        "--round-epochs",
        "1",
        "--batch-size",
        "16",
    )
    settings = ("--set", "distill.epochs=1", "--set", "measure.rounds=3", "--learning-rate", "0.003")
    data = ("--model", str(encoder), "--data", str(task), "--output", str(output))
    return [*COMMAND, "--no-apk", *quick, *settings, *data, *more]


def words_of(arguments: list[str]) -> list[str]:
    """The command's words, for a call in this process."""
    return arguments[3:]


def run(arguments: list[str]) -> subprocess.CompletedProcess:
    return subprocess.run(arguments, capture_output=True, text=True, env=_environment(), timeout=600)


def _environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


def hashes(folder: Path) -> dict[str, str]:
    return {name: file_sha256(folder / name) for name in RESULTS}


@pytest.fixture(scope="module")
def finished(
    tiny_encoder: Path, tiny_task: Path, once: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A finished run, in a folder of this process: later runs may continue in it."""

    def make(folder: Path) -> None:
        done = run(command(tiny_encoder, tiny_task, folder / "run", "--json", "--controls"))
        assert done.returncode == 0, done.stderr
        (folder / "events.jsonl").write_text(done.stdout)

    return shutil.copytree(once("finished_run", make), tmp_path_factory.mktemp("finished") / "copy") / "run"


def test_a_run_leaves_what_the_readme_promises(finished: Path) -> None:
    for name in (*RESULTS, "recipe.yaml", "report.html", "report.md", "android/manifest.json", "android/vocab.txt"):
        assert (finished / name).is_file(), name
    report = json.loads((finished / "report.json").read_text())
    validate(report)
    assert [s["name"] for s in report["stages"]] == ["dense", "ticket", "distilled", "program"]
    ticket = report["stages"][1]
    assert ticket["sparsity_prunable"] == pytest.approx(0.5, abs=1e-3)
    assert ticket["nonzero_parameters"] < report["stages"][0]["nonzero_parameters"]
    assert [round(r["sparsity_prunable"], 2) for r in report["search"]] == [0.0, 0.17, 0.33, 0.5]
    assert report["verdict"]["winning_ticket"] is None
    assert report["verdict"]["controls"]["random_mask"]["test"] is not None
    for name in ("dense", "ticket"):
        assert report["programs"][name]["bytes"] == (finished / "programs" / f"{name}.pte").stat().st_size
        assert report["programs"][name]["agreement_with_eager"] > 0.9


def test_machines_can_read_along(finished: Path) -> None:
    events = [json.loads(line) for line in (finished.parent / "events.jsonl").read_text().splitlines()]
    assert {"note", "step_done", "result", "progress"} <= {e["event"] for e in events}
    assert any(e["event"] == "result" and e["report"].endswith("report.json") for e in events)


def test_run_again_trains_nothing(finished: Path, tiny_encoder: Path, tiny_task: Path) -> None:
    before = hashes(finished)
    done = run(command(tiny_encoder, tiny_task, finished, "--json", "--controls"))
    assert done.returncode == 0, done.stderr
    notes = [e["text"] for e in map(json.loads, done.stdout.splitlines()) if e["event"] == "note"]
    assert [n for n in notes if "complete, kept" in n] == [f"{stage}: complete, kept" for stage in STAGES]
    assert hashes(finished) == before


def test_killed_in_every_stage_ends_with_the_same_files(
    finished: Path, tiny_encoder: Path, tiny_task: Path, tmp_path: Path
) -> None:
    output = tmp_path / "killed"
    arguments = command(tiny_encoder, tiny_task, output, "--quiet", "--controls")
    for stage in STAGES[1:]:
        process = subprocess.Popen(arguments, env=_environment(), stderr=subprocess.PIPE)
        watched = output / f".{stage}.partial"
        # in the ticket stage, wait until a round is saved, so that the search itself is resumed
        sign = watched / "rounds" / "round-02.safetensors" if stage == "ticket" else watched / "started.json"
        while not sign.exists() and process.poll() is None:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        _, errors = process.communicate()
        assert process.returncode == -signal.SIGKILL, errors
        assert not (output / stage).exists()
    assert run(arguments).returncode == 0
    assert hashes(output) == hashes(finished)
    assert not list(output.glob(".*.partial"))


def test_another_recipe_repeats_only_what_depends_on_it(finished: Path, tiny_encoder: Path, tiny_task: Path) -> None:
    done = run(command(tiny_encoder, tiny_task, finished, "--json", "--controls", "--quantize", "none"))
    assert done.returncode == 0, done.stderr
    notes = [e["text"] for e in map(json.loads, done.stdout.splitlines()) if e["event"] == "note"]
    assert {n for n in notes if n in STAGES} == {"programs", "android"}


@pytest.mark.slow
def test_another_target_has_its_own_bundle(finished: Path, tiny_encoder: Path, tiny_task: Path) -> None:
    done = run(command(tiny_encoder, tiny_task, finished, "--json", "--controls", "--target", "linux-arm"))
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    notes = [e["text"] for e in events if e["event"] == "note"]
    checked = [e["step"] for e in events if e["event"] == "step_done" and "emulated" in e["step"]]
    assert len(checked) == 2 or any("not checked on ARM" in n for n in notes)
    assert {"dense: complete, kept", "distilled: complete, kept"} <= set(notes)
    report = json.loads((finished / "report.json").read_text())
    assert report["target"]["name"] == "linux-arm"
    assert (finished / "linux-arm" / "model.pte").read_bytes() == (finished / "programs" / "ticket.pte").read_bytes()


def test_a_structured_ticket_is_really_smaller(tiny_encoder: Path, tiny_task: Path, tmp_path: Path) -> None:
    output = tmp_path / "run"
    small = ("--ticket", "structure", "--vocabulary", "1500", "--quantize", "int4", "--keep-heads", "0.5")
    small += ("--set", "quantize.aware_epochs=1", "--set", "distill.augment=1")
    done = run(command(tiny_encoder, tiny_task, output, "--quiet", *small))
    assert done.returncode == 0, done.stderr
    report = json.loads((output / "report.json").read_text())
    assert [s["name"] for s in report["stages"]] == ["dense", "shrunk", "program"]
    dense, shrunk, _ = report["stages"]
    assert shrunk["parameters"] < 0.1 * dense["parameters"]
    assert shrunk["parameters"] == sum(t.numel() for t in load_file(output / "shrunk" / "model.safetensors").values())
    assert report["verdict"]["size_ratio"] > 20
    assert len((output / "android" / "vocab.txt").read_text(encoding="utf-8").splitlines()) == 1500


@pytest.mark.slow
def test_a_budget_is_kept_and_told(tiny_encoder: Path, tiny_task: Path, tmp_path: Path) -> None:
    output, more = tmp_path / "run", tmp_path / "more.txt"
    more.write_text("a merry thing to say\nbleak , all along\n", encoding="utf-8")
    asked = command(
        tiny_encoder, tiny_task, output, "--json", "--max-drop", "70", "--max-size", "300kB", "--unlabeled", str(more)
    )
    done = run(asked)
    assert done.returncode == 0, done.stderr
    report = json.loads((output / "report.json").read_text())
    validate(report)
    chosen = [trial for trial in report["budget"]["tried"] if trial["chosen"]]
    assert len(chosen) == 1 and report["budget"]["met_on_dev"] and chosen[0]["drop_dev"] <= 70
    ticket = report["programs"]["ticket"]
    assert ticket["bytes"] == chosen[0]["bytes"] <= 300_000
    assert ticket["bytes"] == (output / "android" / "model.pte").stat().st_size
    assert ticket["metric"]["dev"] == chosen[0]["metric_dev"]
    assert "The budget (at most 70 points lost and at most 300kB) is met" in (output / "report.md").read_text()
    again = run(asked)
    notes = [e["text"] for e in map(json.loads, again.stdout.splitlines()) if e["event"] == "note"]
    assert {"budget: complete, kept", "shrunk: complete, kept", "android: complete, kept"} <= set(notes)


def test_a_budget_that_nothing_fits_trains_nothing(
    tiny_encoder: Path, tiny_task: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words_of(command(tiny_encoder, tiny_task, tmp_path / "run", "--quiet", "--max-size", "1kB"))) == 2
    said = capsys.readouterr().err
    assert "--max-size: no structure of the ladder fits: the smallest has" in said and said.count("\n") == 1, said


def test_dry_run_writes_nothing(
    tiny_encoder: Path, tiny_task: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words_of(command(tiny_encoder, tiny_task, tmp_path / "run", "--dry-run"))) == 0
    said = capsys.readouterr().err
    for stage in STAGES:
        assert stage in said
    assert list(tmp_path.iterdir()) == []


WRONG = {
    "no such data": (("--data", "nowhere"), "nowhere: there is no such file or folder"),
    "no such model": (("--model", "./nowhere"), "./nowhere: there is no such model folder"),
    "too many tokens": (("--max-tokens", "512"), "its longest input is 64 tokens"),
    "unknown key": (("--set", "ticket.color=red"), "ticket.color: there is no such key"),
    "loss that is not a number": (("--learning-rate", "1e30"), "the loss became"),
    "no such unlabeled texts": (("--unlabeled", "nowhere.txt"), "nowhere.txt: the file can't be read"),
    "output is a file": (("--output", __file__), "the output folder can't be made"),
}
AS_A_PROCESS = ("loss that is not a number",)  # every library is loaded there: what any of them prints would be seen


@pytest.mark.parametrize("name", WRONG)
def test_wrong_input_is_one_sentence_and_exit_code_2(
    tiny_encoder: Path, tiny_task: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    more, sentence = WRONG[name]
    arguments = command(tiny_encoder, tiny_task, tmp_path / "run", "--quiet", *more)
    if name in AS_A_PROCESS:
        done = run(arguments)
        code, said = done.returncode, done.stderr
    else:
        code, said = main(words_of(arguments)), capsys.readouterr().err
    assert code == 2
    assert sentence in said and said.count("\n") == 1, said


def test_a_full_disk_is_one_sentence_and_nothing_is_lost(
    tiny_encoder: Path, tiny_task: Path, tmp_path: Path, finished: Path
) -> None:
    def no_large_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    arguments = command(tiny_encoder, tiny_task, tmp_path / "run", "--quiet", "--no-distill")
    done = subprocess.run(arguments, capture_output=True, text=True, env=_environment(), preexec_fn=no_large_files)
    assert done.returncode == 2
    assert "can't be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "run" / "baseline" / "metrics.json").exists()
    assert not (tmp_path / "run" / "dense").exists()


def test_unsupported_architecture_names_what_to_add(
    tiny_task: Path, tmp_path: Path, tiny_encoder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in tiny_encoder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"model_type": "gpt2"}))
    assert main(words_of(command(tmp_path, tiny_task, tmp_path / "run", "--quiet"))) == 2
    said = capsys.readouterr().err
    assert "'gpt2' is not supported" in said and "compress/models/architectures.py" in said
