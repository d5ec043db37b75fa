"""Does a bundle keep its word? Checks the manifest, every hash, the token ids and the program's golden answers.

Needs nothing but the bundle: the program answers as this machine computes or as emulated ARM processors do.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from compress.errors import ExportError
from mobile_export.bundle.check import AGAIN, check_files, read_golden, read_manifest, read_part
from mobile_export.bundle.tokenization import described_tokenizer
from mobile_export.programs.arm import arm_answers
from mobile_export.programs.runtime import LoadedProgram


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
    manifest = read_manifest(bundle)
    check_files(bundle, manifest)
    golden = read_golden(bundle, manifest)
    examples = golden["examples"]
    _check_tokens(bundle, manifest, examples)
    model = manifest["model"]
    program = bundle / model["file"]
    answers: Iterable[Sequence[np.ndarray]]
    if core is not None:
        answers = arm_answers(program, core=core, inputs=model["inputs"], texts=examples)
    else:
        names = {key: model[key] for key in ("inputs", "outputs", "min_tokens", "max_tokens")}
        answers = map(LoadedProgram(program, **names).answer, examples)
    where = f"{program}{f' on {core}' if core else ''}"
    return _check_answers(manifest, examples, answers, golden.get("columns") or slice(None), where, progress)


def _check_tokens(bundle: Path, manifest: dict[str, Any], examples: list[dict[str, Any]]) -> None:
    data = read_part(bundle, manifest, "tokenizer")
    tokenizer = described_tokenizer(manifest["tokenizer"], data, manifest["model"]["max_tokens"])
    for number, example in enumerate(examples):
        encoded = tokenizer.encode(example["text_a"], example["text_b"])
        types = example["token_type_ids"]
        if encoded.ids != example["input_ids"] or (types is not None and encoded.type_ids != types):
            raise ExportError(
                f"golden text {number} gets other token ids from {manifest['tokenizer']['file']} than those recorded",
                where=str(bundle / manifest["golden"]["file"]),
                remedy=AGAIN,
            )


def _same_prediction(task: dict[str, Any], first: np.ndarray, second: np.ndarray) -> bool:
    """Whether the logits of two programs, (..., L), mean the same to an app."""
    if "thresholds" in task:
        of_first, of_second = (1 / (1 + np.exp(-logits.astype(np.float64))) for logits in (first, second))
        return bool(((of_first >= task["thresholds"]) == (of_second >= task["thresholds"])).all())
    return bool((first.argmax(-1) == second.argmax(-1)).all())


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
        try:
            golden = [np.asarray(example[name], np.float32) for name in manifest["model"]["outputs"]]
            pairs = [(found[0][..., columns], known) for found, known in zip(outputs, golden, strict=True)]
        except (ValueError, TypeError, IndexError, OverflowError):  # no array of numbers, or no such columns
            pairs = []
        if not pairs or any(found.shape != known.shape or known.size == 0 for found, known in pairs):
            raise ExportError(f"golden text {number} has an answer of another shape", where=where, remedy=AGAIN)
        if (labels := manifest["task"]["labels"]) and pairs[0][1].shape[-1] != len(labels):
            raise ExportError(
                f"the manifest has {len(labels)} labels, and the program {pairs[0][1].shape[-1]} logits",
                where=where,
                remedy=AGAIN,
            )
        differences.append(np.max([np.abs(found - known).max() for found, known in pairs]))
        agreeing += all(_same_prediction(manifest["task"], found, known) for found, known in pairs)
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
