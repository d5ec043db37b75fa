"""The bundle: what an app needs, written and verified, on the target's processors where they can be emulated."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

from compress.data.embeddings import texts_in, vector_texts
from compress.errors import ToolError
from compress.kinds.long_texts import as_entry
from compress.pipeline.about import licenses
from compress.pipeline.run import Run
from compress.pipeline.stages import final_stage
from compress.pipeline.stages.stage import Stage
from compress.recipe.recipe import Recipe

if TYPE_CHECKING:
    from mobile_export.bundle.golden import Text


def run_bundle(run: Run, folder: Path) -> None:
    """Write what an app needs and check it by itself, on the target's processors where they can be emulated."""
    from mobile_export.bundle.examples import choose_examples
    from mobile_export.bundle.verification import verify_bundle
    from mobile_export.bundle.write import License, write_bundle
    from mobile_export.programs.program import Program
    from mobile_export.targets import TARGETS

    task, found = run.task, run.metrics("programs")
    ticket, verdict = found["programs"]["ticket"], found["verdict"]
    summary = {
        "metric_test": ticket["metric"]["test"],
        "ci95": ticket["metric"]["ci95"],
        "dense_metric_test": found["programs"]["dense"]["metric"]["test"],
        "bytes_dense": found["programs"]["dense"]["bytes"],
        "size_ratio": verdict["size_ratio"],
        "speed_ratio": {k: v for k, v in verdict["speed_ratio"].items() if k in ("12", "64") and v},
    }
    labels = [float(cast(float, e.label)) for e in task.train] if task.regression else None
    with run.console.step("bundle", 1) as advance:
        write_bundle(
            folder,
            run.dir.stage(final_stage(run.recipe)),
            Program.read(run.dir.stage("programs") / "ticket.pte"),
            _texts(run),
            name=f"{task.name} on {run.model_name}",
            report=summary,
            licenses=[License(entry["name"], entry["licence"]) for entry in licenses(run)],
            value_range=(min(labels), max(labels)) if labels else None,
            no_answer_threshold=ticket.get("no_answer_threshold"),
            thresholds=found.get("thresholds"),
            threads=found["threads"]["recommended"],
            long=as_entry(run.long),
            examples=choose_examples(_dev_texts(run)),
        )
        verify_bundle(folder)
        advance(1)
    if TARGETS[run.recipe.target].arm:
        _verify_on_arm(run, folder)


def _texts(run: Run) -> "list[Text]":
    """The raw texts of dev and test, each as the program takes it."""
    from mobile_export.bundle.golden import Text

    task, task_type = run.task, run.texts.task_type
    if task.kind == "embedding":
        return [Text(text) for text in dict.fromkeys((*texts_in(task.dev), *vector_texts(task, "test")))]
    return [Text(e.text_a, e.text_b, task_type.label(e, task)) for e in (*task.dev, *task.test)]


def _dev_texts(run: Run) -> "list[Text]":
    from mobile_export.bundle.golden import Text

    task, task_type = run.task, run.texts.task_type
    if task.kind == "embedding":
        return [Text(text) for text in dict.fromkeys(texts_in(task.dev))]
    return [Text(e.text_a, e.text_b, task_type.label(e, task)) for e in task.dev]


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


def stage(recipe: Recipe) -> Stage:
    """The stage; its folder has the target's name."""
    return Stage(recipe.target, "Bundle", run_bundle, needs=("programs",), settings=("target",), has_model=False)
