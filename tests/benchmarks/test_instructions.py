"""Instruction counts are differences of what two moments say, and more of them than the baseline's are noticed."""

import shutil
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification

from benchmarks.instructions import __main__ as command
from benchmarks.instructions import callgrind, emulated
from compress.errors import ToolError
from compress.files import read_json
from compress.models.load import load_tokenizer
from compress.models.source import resolve_model
from compress.models.store import save

VERSIONS = {"host": {"valgrind", "processor"}, "cortex-a53": {"runtime", "qemu"}, "cortex-a76": {"runtime", "qemu"}}


def missing(tool: str):
    def versions() -> dict[str, str]:
        raise ToolError("it is not on this machine", where=tool, remedy=f"install {tool}")

    return versions


def dump(asked: str, total: int) -> str:
    return f"desc: I1 cache: \ndesc: Trigger: dump {asked}\nevents: Ir\nsummary: {total}\n\nfn=(1)\n0 {total}\n"


def test_what_asking_takes_is_not_counted() -> None:
    dumps = [dump("dense@12@0", 100), dump("dense@12@2", 700), dump("run-x@8@2", 50), dump("run-x@8@0", 10)]
    at_the_end = "desc: Trigger: Program termination\nsummary: 5\n"
    assert callgrind.counts_of([*dumps, at_the_end]) == {"dense": {12: 300}, "run-x": {8: 20}}


def test_three_marks_say_what_one_call_takes() -> None:
    marks = [1000, 1010, 1020 + 2 * 300, 5000, 5004, 5008 + 2 * 70, 6000, 6000, 6002, 7000, 7001, 7008]
    said = "".join(f"{mark}\n" for mark in marks)
    assert emulated.counts_of(said, ["dense", "ticket"], [12, 64]) == {
        "dense": {12: 300, 64: 70},
        "ticket": {12: 1, 64: 3},
    }
    with pytest.raises(ToolError, match="of 12 marks there are 9"):
        emulated.counts_of("".join(said.splitlines(keepends=True)[:9]), ["dense", "ticket"], [12, 64])


def test_more_than_the_baseline_is_a_sentence_and_less_is_not() -> None:
    known = {"dense": {"12": 1000, "32": 1000, "64": 1000}}
    assert command.regressions({"dense": {12: 1005, 32: 900, 128: 9}, "new": {12: 9}}, known, "host") == []
    assert command.regressions({"dense": {12: 1000, 64: 1020}}, known, "cortex-a53") == [
        "on cortex-a53 the dense model takes 1,020 instructions at 64 tokens, 2.0 % more than the 1,000 of the baseline"
    ]


def test_counts_are_shown_in_millions() -> None:
    found = {"host": {"dense": {12: 30_440_000, 32: 1}}, "cortex-a76": {"dense": {12: 9_990_000}}}
    about = {"host": {"executorch": "1.5.1"}, "cortex-a76": {"qemu": "7.2"}}
    host, arm = command.page(found, about, {"dense": "a/dense"}).split("## ")[1:]
    assert "| dense | `a/dense` | 30.4 | 0.0 |" in host and "executorch 1.5.1" in host
    assert "| dense | `a/dense` | 10.0 |" in arm and "qemu 7.2" in arm and "cortex-a76" in arm


def test_the_baseline_is_of_both_models_at_four_lengths_on_every_processor() -> None:
    known = read_json(command.BASELINE)
    assert {name: set(one["versions"]) - {"executorch"} for name, one in known.items()} == VERSIONS
    for one in known.values():
        lengths = {name: list(counts) for name, counts in one["instructions"].items()}
        assert lengths == {name: ["12", "32", "64", "128"] for name in ("dense", "ticket")}


@pytest.mark.parametrize(
    ("arch", "package"), [(None, "valgrind"), ("host", "valgrind"), ("arm64", "qemu-user")], ids=["all", "host", "arm"]
)
def test_without_the_tools_it_is_one_sentence(
    arch: str | None, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert command.main([str(tmp_path), *(["--arch", arch] if arch else [])]) == 2
    error = capsys.readouterr().err
    assert f"apt-get install {package})" in error and len(error.splitlines()) == 1


@pytest.mark.parametrize(("has_plugins", "package"), [(False, "qemu-user"), (True, "gcc")])
def test_an_emulator_without_plugins_and_a_missing_compiler_are_one_sentence(
    has_plugins: bool, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator = tmp_path / "qemu-aarch64"
    emulator.write_text(f"#!/bin/sh\necho {'-plugin' if has_plugins else '-cpu'}\n")
    emulator.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match=f"apt-get install {package}"):
        emulated.versions()


def test_a_check_compares_where_it_can_and_says_where_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    known = read_json(command.BASELINE)
    counts = {name: {int(n): count for n, count in one.items()} for name, one in known["host"]["instructions"].items()}
    found = {"host": counts, "cortex-a53": {}, "cortex-a76": {}}
    about = {name: known[name]["versions"] for name in known} | {"cortex-a76": {"qemu": "another"}}
    monkeypatch.setattr(command, "_programs", lambda models, folder: {})
    monkeypatch.setattr(command, "subject", lambda name, given, made: command.Subject(name, Path(name)))

    def on(name: str, versions) -> None:
        processor = command.PROCESSORS[name]._replace(versions=versions, count=lambda programs, lengths: found[name])
        monkeypatch.setitem(command.PROCESSORS, name, processor)

    on("host", lambda: about["host"])
    on("cortex-a53", missing("qemu-user"))
    on("cortex-a76", lambda: about["cortex-a76"])
    assert command.main(["--check"]) == 0
    printed = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in printed] == ["– not compared on cortex-a53", "– not compared on cortex-a76"]
    assert command.main(["--check", "--arch", "arm64"]) == 2
    counts["ticket"][64] *= 2
    assert command.main(["--check"]) == 1
    assert "pocket-ticket: on host the ticket model takes" in capsys.readouterr().err
    on("host", missing("valgrind"))
    assert command.main(["--check"]) == 2


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from mobile_export.lowering.lower import lower

    folder = tmp_path_factory.mktemp("counted")
    torch.manual_seed(0)
    sizes = {"hidden_size": 128, "num_attention_heads": 2, "num_hidden_layers": 1, "intermediate_size": 512}
    model = BertForSequenceClassification(BertConfig(**sizes, max_position_embeddings=128))
    save(model, load_tokenizer(resolve_model("minilm")[1]), folder / "m")
    return lower(folder / "m", folder / "p.pte", pair=False).path


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("valgrind") is None, reason="no valgrind here (Debian: apt-get install valgrind)")
def test_the_same_program_takes_the_same_and_a_longer_text_takes_more(program: Path, tmp_path: Path) -> None:
    found = callgrind.count({"first": program, "again": Path(shutil.copy(program, tmp_path / "q.pte"))}, [12, 64])
    for length in (12, 64):
        assert found["first"][length] == pytest.approx(found["again"][length], rel=0.02)
    assert found["first"][64] > 3 * found["first"][12]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("qemu-aarch64") is None, reason="no emulator (Debian 12: apt-get install qemu-user)")
def test_on_arm_the_same_takes_the_same_and_a_core_without_dot_products_takes_more(program: Path) -> None:
    first, again = (emulated.count("cortex-a76", {"p": program}, [12, 64])["p"] for _ in range(2))
    for length in (12, 64):
        assert first[length] == pytest.approx(again[length], rel=2e-3)
    assert first[64] > 2 * first[12]
    assert emulated.count("cortex-a53", {"p": program}, [64])["p"][64] > 1.1 * first[64]
