"""Does a bundle keep its word? `python -m mobile_export.verify BUNDLE_DIR` needs nothing but the bundle.

It checks the manifest against its schema, every hash, the token ids from vocab.txt and the tokenizer's settings, and
the program's answers to the golden texts.
"""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from compress.errors import ExportError, PocketTicketError
from compress.run_dir import file_sha256
from mobile_export.runtime import LoadedProgram, predict
from mobile_export.tokenization import described_tokenizer, read_vocabulary

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


def verify_bundle(bundle: Path, *, progress: Callable[[int], None] | None = None) -> Verification:
    """Check everything that a bundle says about itself. Raises ExportError at the first thing that is untrue."""
    bundle = Path(bundle)
    manifest = read_json(bundle / "manifest.json")
    check_schema(manifest, bundle / "manifest.json")
    for part in ("model", "tokenizer", "golden"):
        _check_hash(bundle / manifest[part]["file"], manifest[part]["sha256"])
    examples = read_json(bundle / manifest["golden"]["file"])["examples"]
    _check_tokens(bundle, manifest, examples)
    return _check_answers(bundle, manifest, examples, progress)


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
    bundle: Path, manifest: dict[str, Any], examples: list[dict[str, Any]], progress: Callable[[int], None] | None
) -> Verification:
    model, tolerance = manifest["model"], manifest["golden"]["tolerance"]
    program = LoadedProgram(
        bundle / model["file"], inputs=model["inputs"], outputs=model["outputs"], max_tokens=model["max_tokens"]
    )
    largest, agreeing = 0.0, 0
    for number, example in enumerate(examples):
        answers = [answer[0] for answer in program.answer(example)]
        golden = [np.asarray(example[name], np.float32) for name in model["outputs"]]
        if any(a.shape != g.shape for a, g in zip(answers, golden, strict=True)):
            raise ExportError(f"golden text {number} has an answer of another shape", where=str(bundle))
        difference = max(float(np.abs(a - g).max()) for a, g in zip(answers, golden, strict=True))
        if not difference <= tolerance:  # also true of NaN
            raise ExportError(
                f"the program's answer to golden text {number} differs by {difference:.3g}, more than {tolerance:g}",
                where=str(bundle / model["file"]),
                remedy="write the bundle again, or report the processor it ran on",
            )
        largest = max(largest, difference)
        agreeing += all((a.argmax(-1) == g.argmax(-1)).all() for a, g in zip(answers, golden, strict=True))
        if progress is not None:
            progress(number + 1)
    return Verification(manifest["name"], len(examples), largest, agreeing / len(examples), tolerance, model["bytes"])


def main(arguments: list[str] | None = None) -> int:
    """The command: 0 when the bundle keeps its word, 2 with one sentence when it does not."""
    parser = argparse.ArgumentParser(prog="python -m mobile_export.verify", description=__doc__.splitlines()[0])
    parser.add_argument("bundle", type=Path, metavar="BUNDLE_DIR", help="folder with manifest.json and what it names")
    bundle = parser.parse_args(arguments).bundle
    from rich.console import Console
    from rich.table import Table

    try:
        found = verify_bundle(bundle)
    except PocketTicketError as error:
        Console(stderr=True, soft_wrap=True, highlight=False).print(f"[red]✗[/] {error}")
        return 2
    table = Table("check", "result", title=found.name)
    table.add_row("manifest, hashes", "as recorded")
    table.add_row("token ids from vocab.txt", f"equal for {found.examples} texts")
    table.add_row("answers", f"differ by at most {found.largest_difference:.2g} (allowed: {found.tolerance:g})")
    table.add_row("predictions", f"{found.agreement:.1%} the same")
    table.add_row("program", f"{found.bytes / 1e6:.2f} MB")
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
