"""A bundle's own program on emulated ARM processors: the same answers, and nothing else passes for them."""

import itertools
import json
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from compress.errors import ExportError, ToolError
from mobile_export import verify
from mobile_export.bundle import verification
from mobile_export.bundle.golden import Text
from mobile_export.bundle.write import write_bundle
from mobile_export.lowering.lower import lower
from mobile_export.programs import arm
from mobile_export.programs.runtime import LoadedProgram

from .conftest import ARCHITECTURES, HEADS, LABELS, TEXTS, TWINS, edit_json, head_model, save, texts_of

GIVEN = [Text(text, label=LABELS[number % 3]) for number, text in enumerate(TEXTS)]
NO_EMULATOR = not any(map(shutil.which, arm.EMULATORS))
emulated = pytest.mark.skipif(NO_EMULATOR, reason="no ARM emulator here (Debian: apt-get install qemu-user-static)")


@pytest.fixture(scope="module")
def made(program, folder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("arm") / "android"
    write_bundle(output, folder("bert"), program("bert", scheme="int8"), GIVEN, name="a small model")
    return output


@pytest.fixture
def bundle(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "android"))


@pytest.mark.parametrize(
    ("text", "cores"),
    [
        ("cortex-a53", ("cortex-a53",)),
        (" cortex-a53, cortex-a76 ,", ("cortex-a53", "cortex-a76")),
        ("max,sme=off,cortex-a53", ("max,sme=off", "cortex-a53")),
        ("max,sme=off,sve=off", ("max,sme=off,sve=off",)),
    ],
)
def test_cores_are_told_apart(text: str, cores: tuple[str, ...]) -> None:
    assert arm.cores_of(text) == cores


@pytest.mark.parametrize("text", ["", " , ", "sme=off", "sme=off,max"])
def test_a_list_without_a_core_is_refused(text: str, bundle: Path, capsys: pytest.CaptureFixture) -> None:
    assert verify.main([str(bundle), "--arch", "arm64", "--cpu", text]) == 2
    error = capsys.readouterr().err
    assert "--cpu" in error and "cortex-a53,cortex-a76" in error and len(error.strip().splitlines()) == 1


def test_cores_without_an_architecture_are_refused(bundle: Path, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit):
        verify.main([str(bundle), "--cpu", "cortex-a53"])
    assert "--arch arm64" in capsys.readouterr().err


def test_a_missing_emulator_is_one_sentence(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert verify.main([str(bundle), "--arch", "arm64"]) == 2
    error = capsys.readouterr().err
    assert "apt-get install qemu-user-static" in error and len(error.strip().splitlines()) == 1


def test_a_missing_packager_is_one_sentence_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("POCKET_TICKET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(arm, "_wheels", lambda folder: [])
    with pytest.raises(ToolError, match=r"apt-get: this tool, needed to .*, is not on this machine"):
        arm.arm_system()
    assert list((tmp_path / "cache" / "arm64").iterdir()) == []


def test_wheels_are_pinned_by_hash() -> None:
    lines = [line for line in arm.WHEELS.read_text().splitlines() if not line.startswith("#")]
    assert len(lines) == 2 and all("==" in line and line.count("--hash=sha256:") == 1 for line in lines)


@pytest.mark.parametrize("sign", [1, -1])
def test_answers_from_elsewhere_are_judged(bundle: Path, monkeypatch: pytest.MonkeyPatch, sign: int) -> None:
    """The judge is the native one: what `arm_answers` says decides, whatever the native runtime would answer."""

    def answers(program: Path, *, core: str, inputs: list[str], texts: list[dict]) -> list[list[np.ndarray]]:
        assert program == bundle / "model.pte" and core == "cortex-a53" and inputs == ["input_ids"]
        return [[np.array([text["logits"]], np.float32) * sign] for text in texts]

    monkeypatch.setattr(verification, "arm_answers", answers)
    if sign == 1:
        assert verify.verify_bundle(bundle, core="cortex-a53").largest_difference == 0
    else:
        with pytest.raises(ExportError, match=r"model.pte on cortex-a53: .* texts do; .* of the predictions"):
            verify.verify_bundle(bundle, core="cortex-a53")


@pytest.mark.slow
@emulated
@pytest.mark.parametrize("core", arm.CORES)
def test_int8_program_answers_on_arm_as_here(bundle: Path, core: str, capsys: pytest.CaptureFixture) -> None:
    assert verify.main([str(bundle), "--arch", "arm64", "--cpu", core]) == 0
    assert f"answers on {core}" in capsys.readouterr().out
    found = verify.verify_bundle(bundle, core=core)
    assert found.agreement == 1
    assert found.examples == len(json.loads((bundle / "golden.json").read_text())["examples"])


KINDS = [kind for kind in ARCHITECTURES if kind not in TWINS]


@pytest.mark.slow
@emulated
@pytest.mark.parametrize(("head", "kind"), tuple(zip(itertools.cycle(HEADS), KINDS, strict=False)))
def test_every_head_answers_on_arm_as_here(head: str, kind: str, tmp_path: Path) -> None:
    """Sums in another order move an int8 activation to its next step now and then: 1 % of the spread."""
    program = lower(save(head_model(kind, head), tmp_path / "m", kind=head), tmp_path / "p.pte")
    here, texts = LoadedProgram.of(program), texts_of(program.inputs)
    found = arm.arm_answers(program.path, core="cortex-a76", inputs=program.inputs, texts=texts)
    for text, answers in zip(texts, found, strict=True):
        for answer, native in zip(answers, here.answer(text), strict=True):
            assert answer.shape == native.shape
            np.testing.assert_allclose(answer, native, atol=0.01 * max(1, np.ptp(native)), rtol=0)


@pytest.mark.slow
@emulated
@pytest.mark.parametrize("core", arm.CORES)
def test_a_real_run_predicts_on_arm_as_here(run_folder: Path, core: str) -> None:
    """Every answer is within the tolerance, or this raises; only ties within the difference fall the other way."""
    found = verify.verify_bundle(run_folder / "android", core=core)
    golden = json.loads((run_folder / "android" / "golden.json").read_text(encoding="utf-8"))["examples"]
    best = np.sort([example["logits"] for example in golden], axis=1)
    ties = int((best[:, -1] - best[:, -2] <= 2 * found.largest_difference).sum())
    assert found.examples >= 200 and round((1 - found.agreement) * found.examples) <= ties <= 0.05 * found.examples


@pytest.mark.slow
@emulated
def test_a_changed_golden_answer_is_noticed_on_arm(bundle: Path, capsys: pytest.CaptureFixture) -> None:
    edit_json(bundle / "golden.json", lambda golden: golden["examples"][5]["logits"].__setitem__(0, 30.0))
    golden = sha256((bundle / "golden.json").read_bytes()).hexdigest()
    edit_json(bundle / "manifest.json", lambda manifest: manifest["golden"].update(sha256=golden))
    assert verify.main([str(bundle), "--arch", "arm64", "--cpu", "cortex-a53"]) == 2
    error = capsys.readouterr().err
    assert "model.pte on cortex-a53: the program's answer to golden text 5 differs by" in error
    assert "1 of" in error


@pytest.mark.slow
@emulated
def test_it_is_an_arm_processor_that_answers(tmp_path: Path) -> None:
    system = arm.arm_system()
    code = "import platform, executorch_numpy_runtime as e; print(platform.machine(), e.__file__)"
    command = [arm.find_emulator(), "-cpu", "cortex-a53", "-L", str(system), str(system / "usr/bin/python3.13")]
    done = subprocess.run([*command, "-S", "-c", code], capture_output=True, text=True, env=arm.environment_of(system))
    assert done.stdout.split() == ["aarch64", str(system / "site/executorch_numpy_runtime/__init__.py")]


@pytest.mark.slow
@emulated
def test_unknown_cores_and_damaged_programs_are_named(bundle: Path) -> None:
    examples = [{"input_ids": [101, 102], "token_type_ids": None}]
    with pytest.raises(ToolError, match="--cpu cortex-z9: the emulator has no such core"):
        list(arm.arm_answers(bundle / "model.pte", core="cortex-z9", inputs=["input_ids"], texts=examples))
    with pytest.raises(ExportError, match="does not run on cortex-a53"):
        list(arm.arm_answers(bundle / "vocab.txt", core="cortex-a53", inputs=["input_ids"], texts=examples))
