"""The rooms know only what is to their left: importing `compress` never imports the exporter."""

import subprocess
import sys
from pathlib import Path

import compress

ROOT = Path(compress.__file__).parents[1]


def test_compress_imports_no_exporter() -> None:
    modules = [
        ".".join(f.relative_to(ROOT).with_suffix("").parts)
        for f in (ROOT / "compress").rglob("*.py")
        if f.name != "__init__.py"
    ]
    code = (
        f"import importlib, sys\nfor m in {modules!r}: importlib.import_module(m)\n"
        "print(sorted(m for m in sys.modules if m.split('.')[0] in ('mobile_export', 'executorch')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_help_answers_without_torch() -> None:
    code = "import sys\nfrom compress.run import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    code += "assert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    for part in ("examples:", "--sparsity", "--dry-run", "How the lottery ticket is searched."):
        assert part in done.stdout


def test_nothing_is_unpickled() -> None:
    for package in ("compress", "mobile_export"):
        for file in (ROOT / package).rglob("*.py"):
            text = file.read_text(encoding="utf-8")
            for word in ("torch.load(", "pickle", "trust_remote_code=True", "allow_pickle=True"):
                assert word not in text.replace("(pickled weights are never loaded)", ""), f"{file}: {word}"
