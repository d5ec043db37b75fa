"""The app's own Kotlin with ExecuTorch's own Android library (x86_64) on programs that the exporter made."""

import os
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def run(compiled, bundles: Path, native_libraries: Path, test: str) -> str:
    """One JUnit class, with the phone's native library on the path."""
    return compiled.run(
        f"org.pocketticket.demo.{test}", {"pocketticket.bundles": bundles, "java.library.path": native_libraries}
    )


def test_engine_gives_the_known_answers(compiled, bundles: Path, native_libraries: Path) -> None:
    report = run(compiled, bundles, native_libraries, "engine.EngineTest")
    for kind in ("classification", "pair", "regression", "pair_regression", "tokens", "qa"):
        assert f"{kind}: " in report, report


@pytest.mark.parametrize("test", ["engine.DecoderTest", "engine.WorkerTest", "bench.BenchmarkTest"])
def test_parts_of_the_engine(compiled, bundles: Path, native_libraries: Path, test: str) -> None:
    run(compiled, bundles, native_libraries, test)


def test_every_screen_in_light_dark_and_large(compiled, bundles: Path, native_libraries: Path, tmp_path: Path) -> None:
    """POCKET_TICKET_SCREENSHOTS names a folder that keeps the pictures."""
    folder = Path(os.environ.get("POCKET_TICKET_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    compiled.simulate(
        "org.pocketticket.demo.ui.ScreensTest",
        {"pocketticket.bundles": bundles, "java.library.path": native_libraries, "pocketticket.screenshots": folder},
    )
    drawn = {file.stem for file in folder.glob("*.png")}
    assert {
        f"{screen}-{look}" for screen in ("classify", "benchmark", "model") for look in ("light", "dark", "large")
    } <= drawn
