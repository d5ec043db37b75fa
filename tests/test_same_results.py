"""A change that should change no result changes none: two small runs end with the files that are recorded here.

The runs use the plainest kernels of every library, so that another processor computes the same bits. After a change
that is meant to change results, `python tests/test_same_results.py` writes the record again.
"""

import json
import os
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import pytest
import small

RECORD = Path(__file__).with_name("same_results.json")
PACKAGES = ("torch", "transformers", "tokenizers", "torchao", "executorch")
PLAIN = {
    "OMP_NUM_THREADS": "1",
    "ATEN_CPU_CAPABILITY": "default",
    "MKL_CBWR": "COMPATIBLE",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "HF_HUB_OFFLINE": "1",
}
COMMON = (
    *("--no-apk", "--quiet", "--max-tokens", "64", "--epochs", "2", "--batch-size", "16", "--learning-rate", "0.003"),
    *("--set", "measure.rounds=3", "--set", "distill.epochs=1"),
)
RUNS = {
    "weights": ("--rounds", "2", "--round-epochs", "1", "--sparsity", "0.5", "--criterion", "magnitude"),
    "structure": (
        *("--ticket", "structure", "--vocabulary", "1500", "--quantize", "int4"),
        *("--set", "quantize.aware_epochs=1", "--set", "distill.augment=1", "--set", "structure.embedding_rank=16"),
    ),
}
FILES = {
    "weights": (
        *("dense/model.safetensors", "ticket/mask.safetensors", "ticket/model.safetensors"),
        *(
            "distilled/model.safetensors",
            "distilled/predictions.safetensors",
            "programs/ticket.pte",
            "android/vocab.txt",
        ),
    ),
    "structure": (
        "shrunk/model.safetensors",
        "shrunk/predictions.safetensors",
        "programs/ticket.pte",
        "android/vocab.txt",
    ),
}


def results(name: str, folder: Path) -> dict[str, str]:
    """SHA-256 of what a small run of that name leaves."""
    from hashlib import sha256

    small.encoder(folder / "encoder")
    small.task(folder / "task")
    made = ("--model", "encoder", "--data", "task", "--output", "run")
    root = Path(__file__).parents[1]
    environment = {**os.environ, **PLAIN, "PYTHONPATH": str(root)}
    command = [sys.executable, "-m", "compress.run", *COMMON, *RUNS[name], *made]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return {file: sha256((folder / "run" / file).read_bytes()).hexdigest() for file in FILES[name]}


@pytest.mark.parametrize("name", RUNS)
def test_results_are_those_recorded(name: str, tmp_path: Path) -> None:
    record = json.loads(RECORD.read_text())
    here = {package: version(package) for package in PACKAGES}
    if here != record["versions"]:
        pytest.skip(f"the record is of {record['versions']}, this environment has {here}")
    assert results(name, tmp_path) == record["sha256"][name]


def write() -> None:
    """Record what the small runs leave now."""
    found = {}
    for name in RUNS:
        with tempfile.TemporaryDirectory() as folder:
            found[name] = results(name, Path(folder))
    record = {"versions": {package: version(package) for package in PACKAGES}, "sha256": found}
    RECORD.write_text(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    write()
