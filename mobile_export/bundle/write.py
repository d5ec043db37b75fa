"""The bundle: everything an app needs, hashed, and nothing else. The only contract between this room and the app.

model.pte, vocab.txt or vocabulary.bin, manifest.json (manifest.schema.json describes it) and golden.json: texts with
the token ids and logits that the app must reproduce on the phone it lands on.
"""

import importlib.metadata
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from compress.errors import ExportError
from compress.files import file_sha256, write_atomic, write_json
from compress.models.pooling import Pooling, prefixes_of
from compress.models.saved import Saved
from mobile_export.bundle.check import FORMAT, check_schema
from mobile_export.bundle.golden import Text, choose_golden
from mobile_export.bundle.tokenization import describe_tokenizer
from mobile_export.programs.padding import pad_id_of
from mobile_export.programs.program import PAIR_KINDS, Program
from mobile_export.programs.runtime import LoadedProgram

# int8 kernels round differently from one processor to the next. On a trained classifier whose logits spread over 8.1,
# correct ARM cores were off by up to 0.16 (2 %), wrong kernels by at least 3.1 on every text (docs/log.md).
TOLERANCE, TOLERANCE_OF_SPREAD = 0.05, 0.05
# MiniLM's int8 embeddings, whose numbers spread over 0.31, were off by up to 0.010 (3.3 %) on ARM, 24 texts.
EMBEDDING_OF_SPREAD = 0.1
VOCABULARIES = ("vocab.txt", "vocabulary.bin")
WORDS_SHOWN = 8  # of a masked language model's vocabulary
PACKAGES = ("torch", "executorch", "torchao", "transformers")
REPORT_KEYS = ("metric_test", "ci95", "dense_metric_test", "bytes_dense", "size_ratio", "speed_ratio")


@dataclass(frozen=True)
class License:
    """Whose work is in the bundle, and under which license."""

    name: str
    license: str


def write_bundle(
    output: Path,
    model_dir: Path,
    program: Program,
    texts: Sequence[Text],
    *,
    name: str,
    report: Mapping[str, Any] | None = None,
    licenses: Sequence[License] = (),
    value_range: tuple[float, float] | None = None,
    no_answer_threshold: float | None = None,
    thresholds: Sequence[float] | None = None,
    threads: int = 1,
    long: Mapping[str, str | int] | None = None,
    examples: Sequence[Text] = (),
    progress: Callable[[int], None] | None = None,
) -> Path:
    """Write the bundle of `program`, lowered from `model_dir`, into the folder `output`; returns the manifest's path.

    `texts` are raw texts of the task, of which some become golden. `report` fills the manifest's entry of that name;
    what it lacks is null. `value_range` is a regression's (lowest, highest) label, `no_answer_threshold` and
    `thresholds` (one a label) are the manifest's entries of these names: without the first every question gets an
    answer. `long` is the manifest's entry on texts over the limit, without which they are cut; golden texts always are.
    `examples` are texts that an app offers to try. Every file is written whole, the manifest
    last: a folder without one is not a bundle. Of an encoder without a head the config's kind is "embedding".
    Raises ExportError for a tokenizer that can't be described, a kind that is not the program's, or labels without
    thresholds.
    """
    output, model_dir = Path(output), Path(model_dir)
    tokenizer = describe_tokenizer(model_dir)
    config = _config(model_dir, program)
    columns = _columns(config)
    known = _golden(model_dir, program, texts, config, columns, progress)
    content = {"format": FORMAT, "examples": known} | ({"columns": columns} if columns else {})
    golden = json.dumps(content, ensure_ascii=False).encode()
    manifest = {
        "format": FORMAT,
        "name": name,
        "task": _task(config, value_range, no_answer_threshold, thresholds, known),
        "model": _model(program, threads, pad_id_of(model_dir)),
        "tokenizer": {
            **tokenizer.settings,
            "file": tokenizer.file,
            "sha256": sha256(tokenizer.data).hexdigest(),
        },
        "golden": {
            "file": "golden.json",
            "sha256": sha256(golden).hexdigest(),
            "tolerance": _tolerance(known, program),
        },
        "report": {key: (report or {}).get(key) for key in REPORT_KEYS},
        "licences": [{"name": item.name, "licence": item.license} for item in licenses],
        "versions": {package: importlib.metadata.version(package) for package in PACKAGES},
    }
    if examples:
        manifest["examples"] = [{"text_a": e.text_a, "text_b": e.text_b, "label": e.label} for e in examples]
    if long is not None:
        manifest["long"] = dict(long)
    if unknown := sorted(set(report or {}) - set(REPORT_KEYS)):
        raise ExportError(
            f"the manifest's report has no key {', '.join(unknown)}", remedy=f"use {', '.join(REPORT_KEYS)}"
        )
    check_schema(manifest, output / "manifest.json")
    (output / "manifest.json").unlink(missing_ok=True)
    _copy(program.path, output / "model.pte")
    for other in VOCABULARIES:
        (output / other).unlink(missing_ok=True)
    write_atomic(output / tokenizer.file, tokenizer.data)
    write_atomic(output / "golden.json", golden)
    write_json(output / "manifest.json", manifest)
    return output / "manifest.json"


def _tolerance(examples: Sequence[Mapping[str, Any]], program: Program) -> float:
    """How far an answer may be off on another processor: a share of what the answers spread over, at least TOLERANCE.

    The spread is largest − smallest logit of a text, the mean over texts; of single numbers, over all texts. Of an
    embedding it is a share alone: the numbers of a vector of length 1 are themselves hardly above TOLERANCE.
    """
    spreads = []
    for name in program.outputs:
        answers = [np.asarray(example[name], np.float64) for example in examples]
        single = all(answer.size == 1 for answer in answers)
        spreads.append(
            np.ptp(np.concatenate([a.ravel() for a in answers])) if single else np.mean([np.ptp(a) for a in answers])
        )
    if program.outputs == ("embedding",):
        return round(EMBEDDING_OF_SPREAD * float(max(spreads)), 4)
    return round(max(TOLERANCE, TOLERANCE_OF_SPREAD * float(max(spreads))), 4)


def _golden(
    model_dir: Path,
    program: Program,
    texts: Sequence[Text],
    config: Mapping[str, Any],
    columns: Sequence[int],
    progress: Callable[[int], None] | None,
) -> list[dict[str, Any]]:
    loaded, examples = LoadedProgram.of(program), []
    pair, shown = Saved.of(config).kind in PAIR_KINDS, columns or slice(None)
    segments = "token_type_ids" in program.inputs
    chosen = choose_golden(model_dir, texts, program.max_tokens, pair=pair, segments=segments)
    for number, (text, encoded) in enumerate(chosen, start=1):
        answers = loaded.answer(encoded)
        examples.append(
            {
                "text_a": text.text_a,
                "text_b": text.text_b,
                "input_ids": encoded["input_ids"],
                "token_type_ids": encoded["token_type_ids"] if "token_type_ids" in program.inputs else None,
                **{name: answer[0][..., shown].tolist() for name, answer in zip(program.outputs, answers, strict=True)},
            }
        )
        if progress is not None:
            progress(number)
    return examples


def _columns(config: Mapping[str, Any]) -> list[int]:
    """Which logits golden answers hold; empty: all. A whole vocabulary would make them as large as a model."""
    if Saved.of(config).kind != "mlm":
        return []
    return np.linspace(0, config["vocab_size"] - 1, WORDS_SHOWN).astype(int).tolist()


def _config(model_dir: Path, program: Program) -> dict[str, Any]:
    path = model_dir / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ExportError(f"the model's config can't be read ({error})", where=str(path)) from error
    saved = Saved.of(config)
    if missing := [key for key in ("task", "kind", "metric") if getattr(saved, key) is None]:
        raise ExportError(
            f"the model's config does not say the task's {', '.join(missing)} under \"pocket_ticket\"",
            where=str(path),
            remedy="train it with compress.run, or add the keys",
        )
    if (saved.kind == "embedding") != (program.outputs == ("embedding",)):
        raise ExportError(
            f"the task's kind is {saved.kind}, but the program gives {' and '.join(program.outputs)}",
            where=str(path),
            remedy='write "kind": "embedding" for an encoder without a head, and for no other',
        )
    return config


def _task(
    config: Mapping[str, Any],
    value_range: tuple[float, float] | None,
    no_answer_threshold: float | None,
    thresholds: Sequence[float] | None,
    examples: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    saved = Saved.of(config)
    labeled = saved.kind in ("classification", "pair", "multilabel", "tokens")
    names = config.get("id2label") or {}
    if (saved.kind == "multilabel") != (thresholds is not None) or (thresholds and len(thresholds) != len(names)):
        raise ExportError(
            f"a task of kind {saved.kind} with {len(names)} labels and {len(thresholds or ())} thresholds",
            where=str(saved.task),
            remedy="give one threshold for each label of a multilabel task, and none to others",
        )
    return {
        "name": saved.task,
        "kind": saved.kind,
        "labels": [names[key] for key in sorted(names, key=int)] if labeled else [],
        "metric": saved.metric,
        "range": None if value_range is None else list(value_range),
        **({} if no_answer_threshold is None else {"no_answer_threshold": no_answer_threshold}),
        **({} if thresholds is None else {"thresholds": list(thresholds)}),
        **({"vector": _vector(config, examples)} if saved.kind == "embedding" else {}),
    }


def _vector(config: Mapping[str, Any], examples: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """How an app handles the vectors of an embedding."""
    pooling = Pooling.of(config)
    size = len(examples[0]["embedding"])
    return {
        "size": size,
        "sizes": list(prefixes_of(size)) if pooling.size else [size],
        "pooling": pooling.mode,
        "normalized": pooling.normalize,
        "query_prefix": pooling.query,
        "passage_prefix": pooling.passage,
    }


def _model(program: Program, threads: int, pad_id: int | None) -> dict[str, Any]:
    return {
        "file": "model.pte",
        "sha256": program.sha256,
        "bytes": program.bytes,
        "inputs": list(program.inputs),
        "outputs": list(program.outputs),
        "min_tokens": program.min_tokens,
        "max_tokens": program.max_tokens,
        "padding": "none",
        "pad_id": pad_id,
        "threads": threads,
    }


def _copy(source: Path, target: Path) -> None:
    if target.is_file() and file_sha256(target) == file_sha256(source):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    shutil.copyfile(source, part)
    part.replace(target)
