"""README and docs: their numbers are the measured ones, their commands parse, their examples run."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import pages
from compress import cli
from compress.cli import COMMANDS
from compress.recipe.load import load_recipe

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
READERS = [page for page in PAGES if page.stem not in ("log", "notebook", "benchmarks", "profile", "instructions")]
_BLOCK = re.compile(r"<!-- measured: [\w-]+ -->\n.*?<!-- end -->", re.DOTALL)


def commands() -> list[tuple[str, str]]:
    """(page, command) of every command in a fenced block, and beside every measured row."""
    found = []
    for page in READERS:
        for block in re.findall(r"^```\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
            for line in block.splitlines():
                if line.startswith("pocket-ticket "):
                    found.append((page.name, line.partition("#")[0].strip()))
    measured = pages.measured()
    rows = [*measured["runs"], *measured["tickets"]["rows"]]
    return found + [("measured.json", row["command"]) for row in rows]


def test_pages_show_the_measured_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    assert pages.main(["--check"]) == 0, capsys.readouterr().err


def test_every_measured_row_names_its_commit() -> None:
    measured = pages.measured()
    for row in (*measured["runs"], *measured["tickets"]["rows"], measured["peers"]):
        assert re.fullmatch(r"[0-9a-f]{7,12}", row["commit"]), row


def test_the_readme_is_short_and_types_no_measured_number() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 130
    before = _BLOCK.sub("", text.partition("```")[0])
    assert len(re.findall(r"[A-Za-z]{2,}", before)) <= 120
    prose = _BLOCK.sub("", text)
    assert not re.findall(r"\d+\.\d+ ?(?:%|×|MB|ms|points)|\d+ ?×", re.sub(r"```.*?```", "", prose, flags=re.DOTALL))


@pytest.mark.parametrize(("page", "command"), commands())
def test_commands_parse(page: str, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each stops where its arguments have been understood: at a folder that is not there."""
    import argparse
    import importlib

    name, *words = shlex.split(command)[1:]
    parsed: list[argparse.Namespace] = []

    def parse(self: argparse.ArgumentParser, arguments: list[str] | None = None) -> argparse.Namespace:
        parsed.append(original(self, arguments))
        raise KeyboardInterrupt

    original = argparse.ArgumentParser.parse_args
    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse)
    with pytest.raises(KeyboardInterrupt):
        importlib.import_module(COMMANDS[name][0]).main(words)
    recipe = getattr(parsed[0], "recipe", None)
    if recipe and not recipe.endswith(".yaml"):
        load_recipe(recipe)


@pytest.mark.parametrize("page", READERS, ids=lambda page: page.name)
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    """A path in backticks that begins with a folder of the project; runs/ and the like are what commands leave."""
    roots = "|".join(("compress", "mobile_export", "android_demo", "tests", "benchmarks", "docs"))
    for path in re.findall(rf"`((?:{roots})/[\w./-]*)", page.read_text(encoding="utf-8")):
        assert (ROOT / path).exists(), path


BRITISH = (
    *(
        "normalis",
        "colour",
        "behaviour",
        "labelled(?!by)",
        "optimis",
        "quantis",
        "summaris",
        "centre",
        "favour",
        "analyse",
    ),
    *("judgement", "modelling", "learnt", "neighbour", "recognis", "initialis", "tokenis", "emphasise", "serialis"),
)
DIALECT = ("told", "heard", "hears?", "taught", "former word table", "goes on from")


def test_code_and_pages_use_american_spelling_and_the_fields_words() -> None:
    """The log and the notebook keep their history; data and keys that others read keep theirs."""
    kept = ("docs/log.md", "docs/notebook.md", "benchmarks/peers/models.py", "compress/data/phone_commands/")
    rooms = (
        "compress",
        "mobile_export",
        "benchmarks",
        "docs",
        "README.md",
        "android_demo/app/src/main",
        "android_demo/textmodel/src/main",
    )
    listed = subprocess.run(["git", "ls-files", *rooms], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    pattern = re.compile(rf"(?i:{'|'.join(BRITISH)})|\b({'|'.join(DIALECT)})\b")
    found = [
        f"{name}:{number}: {line.strip()}"
        for name in listed.splitlines()
        if name.endswith((".py", ".md", ".j2", ".kt", ".xml", ".json")) and not name.startswith(kept)
        for number, line in enumerate((ROOT / name).read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found, "\n".join(found)


def test_the_tutorials_file_is_one_that_check_accepts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The page's own commands, in an empty folder: the one that makes the file, then `pocket-ticket check`."""
    text = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    making = re.search(r"^python3 - .*?^END$", text, re.DOTALL | re.MULTILINE)
    checking = re.search(r"^pocket-ticket check .*$", text, re.MULTILINE)
    lines = re.search(r"```\n(label,text\n.*?)```", text, re.DOTALL)
    assert making is not None and checking is not None and lines is not None
    monkeypatch.chdir(tmp_path)
    subprocess.run(["bash", "-euc", making[0]], check=True)
    assert (tmp_path / "reviews.csv").read_text(encoding="utf-8").startswith(lines[1])
    assert cli.main(shlex.split(checking[0])[1:]) == 0
    shown = "".join(capsys.readouterr())
    assert "classification, 2 labels" in shown and "too few" not in shown


def test_the_librarys_example_runs() -> None:
    text = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
    example = re.search(r"```python\n(import torch\n.*?)```", text, re.DOTALL)
    assert example is not None
    done = subprocess.run([sys.executable, "-c", example[1]], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert "79.97% pruned" in done.stdout
