"""The baseline: a method that uses words alone. Every model is reported beside it."""

from pathlib import Path

from compress.files import write_json
from compress.pipeline.run import Run
from compress.pipeline.stages.scoring import by_part, scores
from compress.pipeline.stages.stage import Cost, Stage


def run_baseline(run: Run, folder: Path) -> None:
    """The metric of a method that uses words alone."""
    task_type, splits = run.texts.task_type, run.texts.splits
    with run.console.step(f"baseline: {task_type.baseline}", 1) as advance:
        rows = task_type.baseline_metric_inputs(run.task, splits)
        advance(1)
    parts = by_part(run, rows["test"])
    write_json(folder / "metrics.json", scores(run, rows) | ({"parts": parts} if parts else {}))


STAGE = Stage("baseline", "Baseline", run_baseline, cost=lambda recipe, data: Cost(seconds=3.0), has_model=False)
