"""Does a bundle keep its word? `python -m mobile_export.verify BUNDLE_DIR` needs nothing but the bundle.

It checks the manifest against its schema, every hash, the token ids from vocab.txt and the tokenizer's settings, and
the program's answers to the golden texts: as this machine computes them or, with `--arch arm64`, as emulated ARM
processors do.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from compress.errors import ExportError, PocketTicketError
from compress.run_dir import file_sha256
from mobile_export.arm import CORES, arm_answers, cores_of
from mobile_export.runtime import LoadedProgram, predict
from mobile_export.tokenization import described_tokenizer, read_vocabulary

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["LoadedProgram", "Verification", "predict", "verify_bundle"]


@dataclass(frozen=True)
class Verification:
    """What was found of a bundle: `largest_difference` is over all golden logits, `agreement` over their argmax."""

    name: str
    examples: int
    largest_difference: float
    agreement: float
    tolerance: float
    bytes: int


def verify_bundle(
    bundle: Path, *, core: str | None = None, progress: Callable[[int], None] | None = None
) -> Verification:
    """Check everything that a bundle says about itself; the program answers here or on an emulated ARM `core`.

    Raises ExportError at the first thing that is untrue, ToolError when there is nothing to emulate `core` with.
    """
    bundle = Path(bundle)
    manifest = read_json(bundle / "manifest.json")
    check_schema(manifest, bundle / "manifest.json")
    for part in ("model", "tokenizer", "golden"):
        _check_hash(bundle / manifest[part]["file"], manifest[part]["sha256"])
    golden = read_json(bundle / manifest["golden"]["file"])
    examples = golden["examples"]
    _check_tokens(bundle, manifest, examples)
    model = manifest["model"]
    program = bundle / model["file"]
    if core is not None:
        answers = arm_answers(program, core=core, inputs=model["inputs"], texts=examples)
    else:
        names = {key: model[key] for key in ("inputs", "outputs", "max_tokens")}
        answers = map(LoadedProgram(program, **names).answer, examples)
    where = f"{program}{f' on {core}' if core else ''}"
    return _check_answers(manifest, examples, answers, golden.get("columns") or slice(None), where, progress)


def read_json(path: Path) -> dict[str, Any]:
    """A JSON file's object. Raises ExportError."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ExportError(
            f"the file can't be read ({error})", where=str(path), remedy="write the bundle again"
        ) from error


def check_schema(manifest: dict[str, Any], where: Path) -> None:
    """Raises ExportError, naming the key, when a manifest does not follow manifest.schema.json."""
    from jsonschema import Draft202012Validator

    schema = json.loads(resources.files(__package__).joinpath("manifest.schema.json").read_text(encoding="utf-8"))
    if error := next(iter(sorted(Draft202012Validator(schema).iter_errors(manifest), key=str)), None):
        key = ".".join(map(str, error.absolute_path)) or "top level"
        raise ExportError(
            f"the manifest breaks its schema at '{key}' ({error.message[:200]})",
            where=str(where),
            remedy="write the bundle again",
        )


def _check_hash(path: Path, sha256: str) -> None:
    if not path.is_file():
        raise ExportError("the bundle lacks this file", where=str(path), remedy="write the bundle again")
    if file_sha256(path) != sha256:
        raise ExportError(
            "the file's hash is not the one in manifest.json", where=str(path), remedy="write the bundle again"
        )


def _check_tokens(bundle: Path, manifest: dict[str, Any], examples: list[dict[str, Any]]) -> None:
    words = read_vocabulary(bundle / manifest["tokenizer"]["file"])
    tokenizer = described_tokenizer(manifest["tokenizer"], words, manifest["model"]["max_tokens"])
    for number, example in enumerate(examples):
        encoded = tokenizer.encode(example["text_a"], example["text_b"])
        types = example["token_type_ids"]
        if encoded.ids != example["input_ids"] or (types is not None and encoded.type_ids != types):
            raise ExportError(
                f"golden text {number} gets other token ids from vocab.txt than those recorded",
                where=str(bundle / manifest["golden"]["file"]),
                remedy="write the bundle again",
            )


def _check_answers(
    manifest: dict[str, Any],
    examples: list[dict[str, Any]],
    answers: Iterable[Sequence[np.ndarray]],
    columns: Sequence[int] | slice,
    where: str,
    progress: Callable[[int], None] | None,
) -> Verification:
    tolerance, differences, agreeing = manifest["golden"]["tolerance"], [], 0
    for number, (example, outputs) in enumerate(zip(examples, answers, strict=True)):
        golden = [np.asarray(example[name], np.float32) for name in manifest["model"]["outputs"]]
        pairs = [(found[0][..., columns], known) for found, known in zip(outputs, golden, strict=True)]
        if any(found.shape != known.shape for found, known in pairs):
            raise ExportError(f"golden text {number} has an answer of another shape", where=where)
        differences.append(np.max([np.abs(found - known).max() for found, known in pairs]))
        agreeing += all((found.argmax(-1) == known.argmax(-1)).all() for found, known in pairs)
        if progress is not None:
            progress(number + 1)
    worst, agreement = int(np.argmax(differences)), agreeing / len(examples)  # argmax finds a NaN first
    if misses := sum(not difference <= tolerance for difference in differences):  # also true of NaN
        raise ExportError(
            f"the program's answer to golden text {worst} differs by {differences[worst]:.3g}, more than {tolerance:g} "
            f"({misses} of {len(examples)} texts do; {agreement:.1%} of the predictions are the same)",
            where=where,
            remedy="write the bundle again, or report the processor it ran on",
        )
    return Verification(
        manifest["name"],
        len(examples),
        float(differences[worst]),
        agreement,
        tolerance,
        manifest["model"]["bytes"],
    )


def main(arguments: list[str] | None = None) -> int:
    """The command: 0 when the bundle keeps its word, 2 with one sentence when it does not."""
    parser = argparse.ArgumentParser(prog="python -m mobile_export.verify", description=__doc__.splitlines()[0])
    parser.add_argument("bundle", type=Path, metavar="BUNDLE_DIR", help="folder with manifest.json and what it names")
    parser.add_argument("--arch", choices=["arm64"], help="run the program on emulated processors of this kind instead")
    parser.add_argument(
        "--cpu", metavar="CORES", help=f"with --arch: QEMU's names of them, with commas (default: {','.join(CORES)})"
    )
    given = parser.parse_args(arguments)
    if given.cpu is not None and given.arch is None:
        parser.error("--cpu says which ARM cores to emulate: add --arch arm64")
    from rich.console import Console

    try:
        cores = [None] if given.arch is None else CORES if given.cpu is None else cores_of(given.cpu)
        findings = {core: verify_bundle(given.bundle, core=core) for core in cores}
    except PocketTicketError as error:
        Console(stderr=True, soft_wrap=True, highlight=False).print(f"[red]✗[/] {error}")
        return 2
    Console().print(_table(findings))
    return 0


def _table(findings: dict[str | None, Verification]) -> "Table":
    from rich.table import Table

    found = next(iter(findings.values()))
    table = Table("check", "result", title=found.name)
    table.add_row("manifest, hashes", "as recorded")
    table.add_row("token ids from vocab.txt", f"equal for {found.examples} texts")
    for core, found in findings.items():
        on = f" on {core}" if core else ""
        table.add_row(
            f"answers{on}", f"differ by at most {found.largest_difference:.2g} (allowed: {found.tolerance:g})"
        )
        table.add_row(f"predictions{on}", f"{found.agreement:.1%} the same")
    table.add_row("program", f"{found.bytes / 1e6:.2f} MB")
    return table


if __name__ == "__main__":
    sys.exit(main())
