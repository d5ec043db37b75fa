"""From a saved model to every engine's files, once: what a file depends on names the folder that it lies in."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.peers.environments import PEERS, ROOT, environment, python_of
from benchmarks.peers.models import MAX_TOKENS, Subject
from compress.errors import ExportError
from compress.files import fingerprint, read_json, write_json

Facts = Mapping[str, Any]
PACKAGES = ("torch", "executorch", "torchao", "transformers", "onnx", "onnxruntime", "ai-edge-litert")


@dataclass(frozen=True)
class Builder:
    """How an engine's files are made: `build(model_dir, output, lengths)` returns facts worth telling.

    `sources` are the project's files, as patterns, whose change makes what was built before out of date.
    """

    build: Callable[[Path, Path, Sequence[int]], Facts]
    sources: tuple[str, ...]
    per_length: bool = False


def built(subject: Subject, family: str, lengths: Sequence[int]) -> Path:
    """The folder with a family's files for a model, and about.json: {"facts", "sizes": file → [bytes, deflated]}.

    Raises ExportError when they can't be made.
    """
    builder = BUILDERS[family]
    key = fingerprint(subject.key, _sources(builder), versions(), lengths if builder.per_length else MAX_TOKENS)
    folder = PEERS / "built" / f"{subject.name}-{family}-{key}"
    if folder.is_dir():
        return folder
    partial = folder.with_name(f".{folder.name}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    facts = builder.build(subject.folder, partial, lengths)
    write_json(partial / "about.json", {"facts": facts, "sizes": _sizes(partial)})
    return partial.replace(folder)


def about(folder: Path) -> dict[str, Any]:
    """What `built` wrote beside the files."""
    return read_json(folder / "about.json")


def versions() -> dict[str, str]:
    """The versions of the packages in this environment on which programs depend."""
    return {name: version(name) for name in PACKAGES}


def _sources(builder: Builder) -> str:
    digest = hashlib.sha256()
    for file in sorted(file for pattern in builder.sources for file in ROOT.glob(pattern)):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _sizes(folder: Path) -> dict[str, tuple[int, int]]:
    """Bytes of each program, and its bytes deflated at level 9, as in an APK."""
    from mobile_export.programs.latency import download_bytes

    files = sorted(file for file in folder.iterdir() if file.suffix != ".json")
    return {file.name: (file.stat().st_size, download_bytes(file)) for file in files}


def _stock(model_dir: Path, output: Path, lengths: Sequence[int]) -> Facts:
    from benchmarks.peers.stock import export_stock

    return export_stock(model_dir, output)


def _pocket_ticket(model_dir: Path, output: Path, lengths: Sequence[int]) -> Facts:
    from mobile_export.lowering.lower import lower

    facts = {}
    for precision, scheme in (("fp32", "none"), ("int8", "int8")):
        program = lower(model_dir, output / f"{precision}.pte", scheme=scheme, max_tokens=MAX_TOKENS, pair=False)
        weights = sum(tensor.bytes for tensor in program.storage)
        census = {"pieces": program.census.pieces, "delegated": program.census.delegated_fraction}
        facts[precision] = {**census, "bytes_of_weights": weights}
    return facts


def _onnxruntime(model_dir: Path, output: Path, lengths: Sequence[int], *, first_row: bool = False) -> Facts:
    from benchmarks.peers.onnx_export import export_onnx

    return {"fused": export_onnx(model_dir, output, first_row=first_row)}


def _litert(model_dir: Path, output: Path, lengths: Sequence[int], *, first_row: bool = False) -> Facts:
    """Convert in the converter's own environment. Raises ExportError when it fails."""
    command = [str(python_of("litert")), "-m", "benchmarks.peers.litert_convert", *["--first-row"] * first_row]
    command += [str(model_dir.resolve()), str(output), *map(str, lengths)]
    done = subprocess.run(command, env=environment(), cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise ExportError(f"the converter failed ({last})", where="LiteRT", remedy="leave it out with --without litert")
    return {"versions": json.loads(done.stdout.splitlines()[-1])}


BUILDERS = {
    "stock": Builder(_stock, ("benchmarks/peers/stock.py", "mobile_export/lowering/*.py")),
    "pocket_ticket": Builder(_pocket_ticket, ("mobile_export/lowering/*.py",)),
    "onnxruntime": Builder(_onnxruntime, ("benchmarks/peers/onnx_export.py",)),
    "onnxruntime_cls": Builder(
        partial(_onnxruntime, first_row=True), ("benchmarks/peers/onnx_export.py", "benchmarks/peers/first_row.py")
    ),
    "litert": Builder(_litert, ("benchmarks/peers/litert_convert.py",), per_length=True),
    "litert_cls": Builder(
        partial(_litert, first_row=True),
        ("benchmarks/peers/litert_convert.py", "benchmarks/peers/first_row.py"),
        per_length=True,
    ),
}
