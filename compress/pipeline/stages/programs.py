"""The last stages: export the dense model and the ticket, evaluate and measure both files, and bundle the ticket's.

Only stages call `mobile_export`, and only when they run.
"""

import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save as to_safetensors

from compress.errors import PocketTicketError, ToolError
from compress.evaluation.statistics import compare_programs, paired_bootstrap
from compress.files import read_json, write_atomic, write_json
from compress.pipeline.run import PREDICTIONS, Run
from compress.pipeline.stages import training_stages
from compress.pipeline.stages.scoring import EVALUATED, program_predictions, quality

APK = "ticket-demo-debug.apk"
REPORTED_LENGTHS = (12, 64)  # tokens; always measured, so that any two reports can be compared


def final_stage(run: Run) -> str:
    """The training stage whose model is exported as the ticket: the recipe's last."""
    return training_stages(run.recipe)[-1].name


def run_programs(run: Run, folder: Path) -> None:
    """Export the baseline (dense model, stock fp32 recipe) and the ticket; evaluate both on dev and test; time both."""
    from mobile_export.lowering.lower import lower
    from mobile_export.lowering.quantization import Scheme
    from mobile_export.programs.latency import measure
    from mobile_export.programs.threads import measure_threads
    from mobile_export.targets import TARGETS

    recipe, final, started = run.recipe, final_stage(run), time.monotonic()
    stored = Scheme(recipe.quantize.scheme, int8=recipe.quantize.keep_int8)
    plans = {"dense": ("dense", "stock", Scheme("none")), "ticket": (final, TARGETS[recipe.target].form, stored)}
    programs, numbers, kept = {}, {}, {}
    for name, (stage, form, scheme) in plans.items():
        with run.console.step(f"export of the {name} program", 1) as advance:
            programs[name] = lower(run.dir.stage(stage), folder / f"{name}.pte", form=form, scheme=scheme)
            advance(1)
        found = _evaluate(run, programs[name], stage, f"{name} program on dev and test")
        numbers[name] = _quality(run, found, stage)
        kept |= {f"{name}.{split}": values for split, values in found.items()}
    lengths = tuple(sorted({*REPORTED_LENGTHS, *recipe.measure.lengths}))
    with run.console.step("latency, memory, start and threads", 1) as advance:
        measured = measure(programs, lengths=lengths, threads=recipe.measure.threads, rounds=recipe.measure.rounds)
        threads = measure_threads(programs["ticket"], lengths=lengths)
        advance(1)
    also = numbers["ticket"].get("also", {})
    entries = {n: measured[n] | _entry(numbers[n]) | _about(programs[n], f"programs/{n}.pte") for n in programs}
    write_atomic(folder / PREDICTIONS, to_safetensors(kept))
    found = {"programs": entries, "also": also, "verdict": _verdict(run, entries, kept), "threads": threads}
    write_json(folder / "metrics.json", found | {"seconds": time.monotonic() - started})


def run_bundle(run: Run, folder: Path) -> None:
    """Write what an app needs and check it by itself, on the target's processors where they can be emulated."""
    from mobile_export.bundle.verification import verify_bundle
    from mobile_export.bundle.write import Licence, Text, write_bundle
    from mobile_export.lowering.lower import Program
    from mobile_export.targets import TARGETS

    task, task_type, found = run.task, run.texts.task_type, run.metrics("programs")
    ticket, verdict = found["programs"]["ticket"], found["verdict"]
    summary = {
        "metric_test": ticket["metric"]["test"],
        "ci95": ticket["metric"]["ci95"],
        "dense_metric_test": found["programs"]["dense"]["metric"]["test"],
        "bytes_dense": found["programs"]["dense"]["bytes"],
        "size_ratio": verdict["size_ratio"],
        "speed_ratio": {k: v for k, v in verdict["speed_ratio"].items() if k in ("12", "64")},
    }
    labels = [e.label for e in task.train] if task.regression else None
    with run.console.step("bundle", 1) as advance:
        write_bundle(
            folder,
            run.dir.stage(final_stage(run)),
            Program.read(run.dir.stage("programs") / "ticket.pte"),
            [Text(e.text_a, e.text_b, task_type.label(e, task)) for e in (*task.dev, *task.test)],
            name=f"{task.name} on {run.model_name}",
            report=summary,
            licences=[Licence(**entry) for entry in licences(run)],
            value_range=(min(labels), max(labels)) if labels else None,
            threads=found["threads"]["recommended"],
        )
        verify_bundle(folder)
        advance(1)
    if TARGETS[run.recipe.target].arm:
        _verify_on_arm(run, folder)


def _verify_on_arm(run: Run, folder: Path) -> None:
    from mobile_export.bundle.verification import verify_bundle
    from mobile_export.programs.arm import CORES

    try:
        for core in CORES:
            with run.console.step(f"known answers on an emulated {core}", 1) as advance:
                verify_bundle(folder, core=core)
                advance(1)
    except ToolError as error:
        run.console.note(f"not checked on ARM: {error}")


def build_app(run: Run) -> dict[str, Any] | str:
    """Build the demo app around the bundle, unless that is done: report.json's "apk", or why there is none."""
    from mobile_export.apk import build_apk
    from mobile_export.targets import TARGETS

    if run.task.kind == "mlm":
        return "the demo app has no screen for masked words"
    if not TARGETS[run.recipe.target].app:
        return f"the demo app is for android, and the target is {run.recipe.target}"
    file, about = run.bundle / APK, run.bundle / "apk.json"
    if file.is_file() and about.is_file():
        return read_json(about)
    try:
        with run.console.step("demo app", 1) as advance:
            apk = build_apk(run.bundle, file)
            advance(1)
    except PocketTicketError as error:
        return str(error)
    parts = {"model": apk.model_bytes, "native runtime": apk.native_bytes, "code": apk.code_bytes}
    found = {"file": f"android/{APK}", "bytes": apk.bytes, "parts": parts}
    write_json(about, found)
    return found


def target_of(run: Run) -> dict[str, str]:
    """report.json's "target": what the program is for, and what could not be proven for it."""
    from mobile_export.targets import TARGETS

    target = TARGETS[run.recipe.target]
    return {"name": target.name, "limits": target.limits}


def licences(run: Run) -> list[dict[str, str]]:
    """Whose work a run's program holds, as far as this project knows it."""
    known = []
    if run.recipe.model.name == "minilm":
        known.append({"name": "all-MiniLM-L6-v2", "licence": "Apache-2.0"})
    if run.recipe.data.source == "phone_commands":
        known.append({"name": "phone_commands", "licence": "CC0-1.0"})
    return [*known, {"name": "ExecuTorch", "licence": "BSD-3-Clause"}]


def _evaluate(run: Run, program: Any, stage: str, name: str) -> dict[str, np.ndarray]:
    """What is kept of the program's own answers (N, ...) for every text of dev and test."""
    from mobile_export.programs.runtime import LoadedProgram

    loaded, texts = LoadedProgram.of(program), run.texts_of(stage)
    with run.console.step(name, sum(len(texts.splits[split]) for split in EVALUATED)) as advance:
        return {split: program_predictions(loaded, texts, split, advance) for split in EVALUATED}


def _quality(run: Run, found: dict[str, np.ndarray], stage: str) -> dict[str, Any]:
    """Metric of a program, and how often it answers as the model that it was lowered from."""
    eager, texts = run.predictions(stage), run.texts_of(stage)
    same = np.concatenate([texts.task_type.agree(found[s], eager[s], run.task) for s in EVALUATED])
    return {**quality(run, found, texts), "agreement_with_eager": float(same.mean())}


def _entry(numbers: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in numbers.items() if key != "also"}


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
    stages = {"dense": "dense", "ticket": final_stage(run)}
    pair = [
        run.texts.task_type.metric_inputs(kept[f"{n}.test"], run.texts_of(s).splits["test"]) for n, s in stages.items()
    ]
    metric = run.texts.task_type.metrics[run.task.metric]
    drop = paired_bootstrap(*pair, run.labels["test"], metric).scaled(100)
    return {"drop_points": drop.value, "ci95": drop.ci, **compare_programs(entries["dense"], entries["ticket"])}
