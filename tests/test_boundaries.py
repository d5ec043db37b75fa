"""The rooms and what each may import: every edge between rooms is in this table, and every edge in it is in the code.

Imports inside functions and for type checkers count, too. `mobile_export` is reached from `compress` only inside
functions, so that training needs no exporter.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import compress

ROOT = Path(compress.__file__).parents[1]
EDGES = {
    "compress": "",
    "compress.errors": "",
    "compress.files": "errors",
    "compress.console": "errors",
    "compress.recipe": "errors",
    "compress.evaluation": "errors",
    "compress.lottery": "errors",
    "compress.hub": "errors",
    "compress.data": "errors files hub recipe",
    "compress.kinds": "data errors",
    "compress.models": "data errors files hub",
    "compress.training": "console errors kinds lottery models recipe",
    "compress.shrink": "errors models",
    "compress.report": "console errors files",
    "compress.pages": "files",
    "compress.pipeline": ". console data errors evaluation files kinds lottery models recipe report shrink training "
    "mobile_export.apk mobile_export.app mobile_export.bundle mobile_export.lowering mobile_export.programs "
    "mobile_export.targets",
    "compress.study": ". console errors evaluation files lottery models pages pipeline recipe report training",
    "compress.run": "console pipeline recipe",
    "compress.check": "console pipeline recipe",
    "compress.cross_validate": "console pipeline recipe",
    "compress.sensitivity": "console errors models pipeline recipe training",
    "compress.cli": ". console",
    "mobile_export": "",
    "mobile_export.cache": "",
    "mobile_export.programs": "compress.errors compress.files mobile_export.cache",
    "mobile_export.targets": "mobile_export.programs",
    "mobile_export.lowering": "compress.errors compress.files compress.models compress.training mobile_export.programs",
    "mobile_export.bundle": "compress.errors compress.files compress.models mobile_export.programs",
    "mobile_export.app": "compress.console compress.errors compress.files mobile_export.cache",
    "mobile_export.runtime": "mobile_export.programs",
    "mobile_export.embed": "compress.console compress.errors mobile_export.bundle",
    "mobile_export.tokenization": "mobile_export.bundle",
    "mobile_export.apk": "compress.console compress.errors compress.files mobile_export.app mobile_export.bundle",
    "mobile_export.verify": "compress.console mobile_export.bundle mobile_export.programs",
    "mobile_export.measure": "compress.console compress.errors compress.files compress.report mobile_export.app",
}
OUTSIDE = {"mobile_export", "executorch"}


def allowed() -> set[tuple[str, str]]:
    """The table as pairs; in it a name without its package is a room of `compress`, and "." is `compress` itself."""

    def full(word: str) -> str:
        return "compress" if word == "." else word if word.split(".")[0] in PACKAGES else f"compress.{word}"

    return {(room, full(word)) for room, words in EDGES.items() for word in words.split()}


PACKAGES = ("compress", "mobile_export")


def modules() -> dict[str, Path]:
    """Dotted name → file, of both packages."""
    found = {}
    for package in PACKAGES:
        for file in (ROOT / package).rglob("*.py"):
            found[".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")] = file
    return found


MODULES = modules()


def room(module: str) -> str:
    """The room of a module: its package, or the module itself where it stands at the top; a top `apk` is a room."""
    return ".".join(module.split(".")[:2])


def imports(file: Path) -> Iterator[str]:
    """The modules of both packages that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in MODULES else node.module


EDGES_IN_CODE = {(name, other) for name, file in MODULES.items() for other in imports(file)}


def test_the_table_of_rooms_is_the_code() -> None:
    found = {(room(a), room(b)) for a, b in EDGES_IN_CODE if room(a) != room(b)}
    assert found - allowed() == set(), "the code has edges that the table does not allow"
    assert allowed() - found == set(), "the table has edges that the code does not need"
    assert {room(name) for name in MODULES} == set(EDGES)


@pytest.mark.parametrize("what", ["rooms", "files"])
def test_nothing_imports_in_a_circle(what: str) -> None:
    name = room if what == "rooms" else str
    graph: dict[str, set[str]] = {}
    for a, b in EDGES_IN_CODE:
        # a package's own list of public names is not a way back: importing a module runs it anyway
        if name(a) != name(b) and not (what == "files" and (a.startswith(f"{b}.") or b.startswith(f"{a}."))):
            graph.setdefault(name(a), set()).add(name(b))
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"a circle: {' -> '.join(error.args[1])}")


def test_compress_imports_no_exporter() -> None:
    names = sorted(m for m, f in MODULES.items() if m.startswith("compress.") and f.name != "__main__.py")
    code = (
        f"import importlib, sys\nfor m in {names!r}: importlib.import_module(m)\n"
        f"print(sorted(m for m in sys.modules if m.split('.')[0] in {OUTSIDE!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"]])
def test_help_answers_without_torch(words: list[str]) -> None:
    code = f"import sys\nfrom compress.cli import main\ntry: main({words!r})\nexcept SystemExit: pass\n"
    code += "assert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    parts = ("examples:", "--sparsity", "--dry-run", "How the lottery ticket is searched.")
    for part in parts if len(words) > 1 else ("examples:", "verify", "sensitivity"):
        assert part in done.stdout


def test_nothing_is_unpickled() -> None:
    for file in MODULES.values():
        text = file.read_text(encoding="utf-8")
        for word in ("torch.load(", "pickle", "trust_remote_code=True", "allow_pickle=True"):
            assert word not in text.replace("(pickled weights are never loaded)", ""), f"{file}: {word}"
