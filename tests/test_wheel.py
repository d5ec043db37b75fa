"""The installed package does the main job without a checkout: it has recipes, task, templates and the app's sources."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest
import small

from mobile_export.app.tools import missing_tools

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", str(ROOT), "--no-deps", "--no-build-isolation", "--quiet"]
    subprocess.run([*build, "--wheel-dir", str(folder)], check=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel; a path file brings the dependencies from this one, without a second torch."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--quiet", str(wheel)]
    subprocess.run(install, check=True)
    packages = next((folder / "lib").glob("python*/site-packages"))
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


def test_what_the_package_needs_is_in_the_wheel(wheel: Path) -> None:
    names = set(ZipFile(wheel).namelist())
    for name in (
        "compress/recipe/named/balanced.yaml",
        "compress/report/templates/report.html.j2",
        "compress/data/phone_commands/train.tsv",
        "compress/py.typed",
        "mobile_export/bundle/manifest.schema.json",
        "mobile_export/android_demo/gradle/parts.lock.toml",
        "mobile_export/android_demo/app/src/main/AndroidManifest.xml",
    ):
        assert name in names


def test_the_main_job_runs_from_an_empty_folder(environment: Path, tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    small.encoder(tmp_path / "encoder")
    small.task(tmp_path / "task")
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"OMP_NUM_THREADS": "1"}
    where = "import compress, mobile_export; print(compress.__file__, mobile_export.__file__)"
    found = subprocess.check_output([environment / "bin" / "python", "-c", where], cwd=folder, env=clean, text=True)
    assert all(Path(file).is_relative_to(environment) for file in found.split())
    command = [environment / "bin" / "pocket-ticket", "run", "--recipe", "quick", "--quiet", "--output", "run"]
    data = ("--model", tmp_path / "encoder", "--data", tmp_path / "task", "--max-tokens", "64")
    app = () if missing_tools() is None else ("--no-apk",)
    done = subprocess.run([*command, *data, *app], cwd=folder, env=clean, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    report = json.loads((folder / "run" / "report.json").read_text())
    assert ("apk" in report) == (app == ())
    assert [file.name for file in folder.iterdir()] == ["run"]
