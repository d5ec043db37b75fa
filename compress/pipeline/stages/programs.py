"""The programs: the dense model and the ticket exported, both files evaluated on dev and test, and measured.

`mobile_export` is imported when a stage runs: trainings need no exporter.
"""

import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save as to_safetensors

from compress.evaluation.statistics import compare_programs, paired_bootstrap
from compress.files import write_atomic, write_json
from compress.kinds.labels import f1_by_label
from compress.pipeline.run import PREDICTIONS, Run
from compress.pipeline.stages import final_stage, vector_index
from compress.pipeline.stages.scoring import (
    EVALUATED,
    by_part,
    decided,
    program_predictions,
    quality,
    value_and_interval,
)
from compress.pipeline.stages.stage import Cost, Stage
from compress.recipe.recipe import Recipe

REPORTED_LENGTHS = (12, 64)  # tokens; always measured, so that any two reports can be compared


def run_programs(run: Run, folder: Path) -> None:
    """Export the baseline (dense model, stock fp32 recipe) and the ticket; evaluate both on dev and test; time both."""
    from mobile_export.lowering.lower import lower
    from mobile_export.lowering.quantization import Scheme
    from mobile_export.programs.latency import measure
    from mobile_export.programs.threads import measure_threads
    from mobile_export.targets import TARGETS

    recipe, final, started = run.recipe, final_stage(run.recipe), time.monotonic()
    stored = Scheme(recipe.quantize.scheme, int8=recipe.quantize.keep_int8)
    form = TARGETS[recipe.target].form
    # what quantization alone gives stands beside the ticket
    plans = {
        "dense": ("dense", "stock", Scheme("none")),
        "dense_int8": ("dense", form, Scheme("int8")),
        "ticket": (final, form, stored),
    }
    programs, numbers = {}, {}
    kept: dict[str, np.ndarray] = {}
    for name, (stage, form, scheme) in plans.items():
        with run.console.step(f"export of the {name.replace('_', ' ')} program", 1) as advance:
            programs[name] = lower(run.dir.stage(stage), folder / f"{name}.pte", form=form, scheme=scheme)
            advance(1)
        predictions = _evaluate(run, programs[name], stage, f"{name.replace('_', ' ')} program on dev and test")
        numbers[name] = _quality(run, predictions, stage)
        kept |= {f"{name}.{split}": values for split, values in predictions.items()}
    lengths = tuple(sorted({*REPORTED_LENGTHS, *recipe.measure.lengths}))
    with run.console.step("latency, memory, start and threads", 1) as advance:
        measured = measure(programs, lengths=lengths, threads=recipe.measure.threads, rounds=recipe.measure.rounds)
        threads = measure_threads(programs["ticket"], lengths=lengths)
        advance(1)
    also = numbers["ticket"].get("also", {})
    chosen = {key: value for key, value in numbers["ticket"].items() if key == "thresholds"}
    entries = {n: measured[n] | _entry(numbers[n]) | _about(programs[n], f"programs/{n}.pte") for n in programs}
    write_atomic(folder / PREDICTIONS, to_safetensors(kept))
    found = {"programs": entries, "also": also, **chosen, "verdict": _verdict(run, entries, kept), "threads": threads}
    if parts := _parts(run, {name: (stage, kept[f"{name}.test"]) for name, (stage, _, _) in plans.items()}):
        found["parts"] = parts
    if run.texts.task_type.vectors:
        texts = {name: run.texts_of(stage) for name, (stage, _, _) in plans.items()}
        found["vectors"] = vector_index.measured(run, texts, {name: kept[f"{name}.test"] for name in plans})
    if run.task.kind == "multilabel":
        found["labels"] = {name: _by_label(run, kept[f"{name}.test"]) for name in plans}
    write_json(folder / "metrics.json", found | {"seconds": time.monotonic() - started})


def _parts(run: Run, predictions: dict[str, tuple[str, np.ndarray]]) -> dict[str, dict[str, float]]:
    """Program → part of test → metric; empty where the data has no parts."""
    task_type = run.texts.task_type
    found = {}
    for name, (stage, rows) in predictions.items():
        texts = run.texts_of(stage)
        found[name] = by_part(run, task_type.metric_inputs(rows, texts.splits["test"]), texts)
    return found if all(found.values()) else {}


def _by_label(run: Run, margins: np.ndarray) -> list[float | None]:
    """The F1 of each label on test; None for one that is neither decided nor true in any text."""
    found = f1_by_label(margins, run.labels["test"])
    return [None if np.isnan(value) else float(value) for value in found]


def _evaluate(run: Run, program: Any, stage: str, name: str) -> dict[str, np.ndarray]:
    """The program's own predictions (N, ...) for every text of dev and test."""
    from mobile_export.programs.runtime import LoadedProgram

    loaded, texts = LoadedProgram.of(program), run.texts_of(stage)
    with run.console.step(name, sum(len(texts.splits[split]) for split in EVALUATED)) as advance:
        return decided({split: program_predictions(loaded, texts, split, advance) for split in EVALUATED}, texts)


def _quality(run: Run, found: dict[str, np.ndarray], stage: str) -> dict[str, Any]:
    """Metric of a program, and how often it agrees with the model that it was lowered from."""
    eager, texts = run.predictions(stage), run.texts_of(stage)
    same = np.concatenate([texts.task_type.agree(found[s], eager[s], run.task) for s in EVALUATED])
    return {**quality(run, found, texts), "agreement_with_eager": float(same.mean())}


def _entry(numbers: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in numbers.items() if key not in ("also", "thresholds")}


def _about(program: Any, file: str) -> dict[str, Any]:
    storage: Counter[str] = Counter()
    for tensor in program.storage:
        storage[str(tensor.bits)] += tensor.bytes
    return {
        "file": file,
        "sha256": program.sha256,
        "storage_bytes": dict(storage),
        "label": f"{program.form} form, {program.scheme.replace('none', 'fp32')}",
    }


def _verdict(run: Run, entries: dict[str, Any], kept: dict[str, np.ndarray]) -> dict[str, Any]:
    """Ratios, and the drop in points with its paired interval on test."""
    stages = {"dense": "dense", "ticket": final_stage(run.recipe)}
    task_type = run.texts.task_type
    dense, ticket = (
        task_type.metric_inputs(kept[f"{name}.test"], run.texts_of(stage).splits["test"])
        for name, stage in stages.items()
    )
    metric, labels = task_type.metrics[run.task.metric], run.labels["test"]
    drop, interval = value_and_interval(
        lambda: paired_bootstrap(dense, ticket, labels, metric).scaled(100),
        lambda: 100 * (metric(dense, labels) - metric(ticket, labels)),
    )
    return {"drop_points": drop, "ci95": interval, **compare_programs(entries["dense"], entries["ticket"])}


def stage(recipe: Recipe) -> Stage:
    """The stage; it exports the models of the dense and of the recipe's last training stage."""
    return Stage(
        "programs",
        "Phone program",
        run_programs,
        needs=("dense", final_stage(recipe)),
        settings=("model", "quantize", "measure", "target"),
        cost=lambda recipe, data: Cost(seconds=75.0),
        has_model=False,
    )
