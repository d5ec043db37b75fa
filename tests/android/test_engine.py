"""The app's own Kotlin with ExecuTorch's own Android library (x86_64) on programs that the exporter made."""

import json
import os
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def run(compiled, bundles: Path, native_libraries: Path, test: str) -> str:
    """One JUnit class, with the phone's native library on the path."""
    return compiled.run(
        f"org.pocketticket.{test}", {"pocketticket.bundles": bundles, "java.library.path": native_libraries}
    )


def test_engine_gives_the_known_answers(compiled, bundles: Path, native_libraries: Path) -> None:
    report = run(compiled, bundles, native_libraries, "textmodel.engine.EngineTest")
    for kind in ("classification", "pair", "regression", "pair_regression", "multilabel", "tokens", "qa", "embedding"):
        assert f"{kind}: " in report, report


@pytest.mark.parametrize(
    "test",
    [
        "textmodel.engine.DecoderTest",
        "textmodel.engine.VectorIndexTest",
        "textmodel.engine.LabelNamesTest",
        "textmodel.engine.PaddingTest",
        "demo.session.WorkerTest",
        "demo.session.SessionTest",
        "demo.bench.BenchmarkTest",
    ],
)
def test_parts_of_the_engine(compiled, bundles: Path, native_libraries: Path, test: str) -> None:
    run(compiled, bundles, native_libraries, test)


def test_every_screen_in_light_dark_and_large(compiled, bundles: Path, native_libraries: Path, tmp_path: Path) -> None:
    """POCKET_TICKET_SCREENSHOTS names a folder that keeps the pictures."""
    draw(compiled, bundles, native_libraries, tmp_path, "ScreensTest", "rtl", "landscape", "tablet")


def test_every_screen_on_the_oldest_android(compiled, bundles: Path, native_libraries: Path, tmp_path: Path) -> None:
    """Android 8: bars that can be read, and back."""
    draw(compiled, bundles, native_libraries, tmp_path, "OldestScreensTest", looks=("oldest-light", "oldest-dark"))


def test_the_app_on_a_real_run(compiled, run_folder: Path, native_libraries: Path, tmp_path: Path) -> None:
    """The run's own program gives every known answer through the phone's library; its manifest is on the screens."""
    bundles = tmp_path / "bundles"
    bundles.mkdir()
    (bundles / "run").symlink_to(run_folder / "android")
    report = draw(compiled, bundles, native_libraries, tmp_path / "screens", "RunScreensTest")
    known = len(json.loads((bundles / "run" / "golden.json").read_text(encoding="utf-8"))["examples"])
    assert known >= 200 and f"{known} known answers, off by at most" in report


def draw(
    compiled,
    bundles: Path,
    native_libraries: Path,
    scratch: Path,
    test: str,
    *also: str,
    looks: tuple[str, ...] = ("light", "dark", "large"),
) -> str:
    """Runs a class of screens; each look of each screen must have been drawn. Returns what the class printed."""
    folder = Path(os.environ.get("POCKET_TICKET_SCREENSHOTS") or scratch)
    folder.mkdir(parents=True, exist_ok=True)
    said = compiled.simulate(
        f"org.pocketticket.demo.ui.{test}",
        {
            "pocketticket.bundles": bundles,
            "java.library.path": native_libraries,
            "pocketticket.screenshots": folder,
            "pocketticket.text": "dont let me forget to ring mum when i get home",
        },
    )
    drawn = {file.stem for file in folder.glob("*.png")}
    assert {f"{screen}-{look}" for screen in ("classify", "benchmark", "model") for look in (*looks, *also)} <= drawn
    return said
