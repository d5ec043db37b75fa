"""The order of a run: training stages, programs, bundle, report. Complete stages are kept: rerunning is resuming."""

import platform
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from rich.table import Table

from compress import __version__
from compress.console import Console
from compress.files import fingerprint, write_atomic
from compress.models.load import weights_fingerprint
from compress.pipeline.assemble import assemble, weakness
from compress.pipeline.estimate import SECONDS, seconds_per_step, training_steps
from compress.pipeline.run import Run, Stage
from compress.pipeline.run_dir import RunDir
from compress.pipeline.stages import baseline_stage, training_stages
from compress.pipeline.stages.budgeted import settled
from compress.pipeline.stages.programs import build_app, licences, run_bundle, run_programs, target_of
from compress.recipe.sections import Recipe
from compress.report.render import write_report
from compress.report.terminal import summary_table

_VERSIONS = ("torch", "executorch", "torchao", "transformers", "datasets", "numpy")


class Pipeline:
    """A recipe, resolved: its data and model are checked when this is made, before anything is trained.

    Raises RecipeError, DataError or ModelError for what can't be used.
    """

    def __init__(self, recipe: Recipe, output: Path | None, console: Console, *, with_app: bool = True) -> None:
        self.run_state = Run.of(recipe, console)
        self.recipe = recipe = self.run_state.recipe
        self.console, self.with_app = console, with_app
        task = self.run_state.task
        more = [fingerprint([(e.text_a, e.text_b) for e in task.unlabeled])] if task.unlabeled else []
        inputs = (task.fingerprint, weights_fingerprint(self.run_state.source), *more)
        self.base = fingerprint(__version__, *inputs, version("torch"))
        self.output = output or Path("runs") / f"{task.name}-{fingerprint(self.base, recipe.model_dump())[:8]}"
        self.stages = [baseline_stage(), *training_stages(recipe)]
        last = self.stages[-1].name
        self.stages.append(Stage("programs", ("dense", last), ("model", "quantize", "measure", "target"), run_programs))
        self.stages.append(Stage(recipe.target, ("programs",), ("target",), run_bundle))

    def dry_run(self) -> None:
        """Print what would run and about how long it would take; trains and writes nothing."""
        run, self.run_state.dir = self.run_state, None
        step = seconds_per_step(run)
        table = Table("stage", "steps", "about", title=f"{run.task.name}, {run.model_name}: would write {self.output}")
        total = 0.0
        for stage in self.stages:
            steps = training_steps(stage.name, self.recipe, len(run.task.train), len(run.task.unlabeled))
            seconds = sum(count * cost for count, cost in steps) * step if steps else SECONDS.get(stage.name, 15.0)
            total += seconds
            table.add_row(stage.name, f"{sum(c for c, _ in steps):,}" if steps else "–", f"{seconds / 60:.1f} min")
        table.add_row("all", "", f"{total / 60:.1f} min", end_section=True)
        for note in run.task.notes:
            self.console.note(f"note: {note}")
        self.console.show(table, seconds=round(total), output=str(self.output), stages=[s.name for s in self.stages])

    def run(self) -> dict[str, Any]:
        """Run every stage that is not complete, then write the report. Returns the report."""
        run = self.run_state
        run.dir = RunDir(self.output)
        self.console.note(
            f"{run.task.name} ({run.task.kind}, {len(run.task.train):,} training texts) on {run.model_name}"
        )
        for note in run.task.notes:
            self.console.note(f"  note: {note}")
        write_atomic(run.dir.recipe, self._recipe_yaml())
        marks: dict[str, str] = {}
        for stage in self.stages:
            marks[stage.name] = self._fingerprint(stage, marks)
            self._run_stage(stage, marks[stage.name])
            if stage.name == "budget":
                run.recipe = self.recipe = settled(run)
            if stage.name == "dense":
                for note in weakness(run.task.metric, run.metrics("baseline"), run.metrics("dense")):
                    self.console.note(f"  note: {note}")
        app = build_app(run) if self.with_app else "it was not asked for (--no-apk)"
        if isinstance(app, str):
            self.console.note(f"no APK: {app}")
        report = assemble(
            run,
            [s.name for s in training_stages(self.recipe) if s.has_model],
            app=app,
            environment=self._environment(),
            command=self._command(),
            licences=licences(run),
            target=target_of(run),
        )
        write_report(report, run.dir.root)
        self.console.show(summary_table(report), report=str(run.dir.report), bundle=str(run.bundle))
        self.console.note(f"report: {run.dir.root / 'report.html'}\nprogram: {run.bundle / 'model.pte'}")
        return report

    def _run_stage(self, stage: Stage, mark: str) -> None:
        run = self.run_state
        if run.dir.is_complete(stage.name, mark):
            self.console.note(f"{stage.name}: complete, kept")
            return
        self.console.note(stage.name)
        with run.dir.writing(stage.name, mark) as folder:
            stage.run(run, folder)

    def _fingerprint(self, stage: Stage, marks: dict[str, str]) -> str:
        settings = {key: self.recipe.model_dump(mode="json")[key] for key in stage.settings}
        return fingerprint(self.base, stage.name, settings, [marks[need] for need in stage.needs])

    def _environment(self) -> dict[str, Any]:
        return {
            "python": platform.python_version(),
            "machine": platform.machine(),
            "system": platform.system(),
            "processor": _processor(),
            "threads": torch.get_num_threads(),
            "accelerator": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
            "pocket-ticket": __version__,
            **{name: version(name) for name in _VERSIONS},
        }

    def _recipe_yaml(self) -> str:
        task, used = self.run_state.task, self._environment()
        header = "".join(f"# {name}: {used[name]}\n" for name in ("pocket-ticket", "python", *_VERSIONS))
        hashes = f"# data: {task.fingerprint}\n# model: {weights_fingerprint(self.run_state.source)}\n"
        return f"# {self._command()}\n{header}{hashes}{self.recipe.to_yaml()}"

    def _command(self) -> str:
        return f"python -m compress.run --recipe {self.output / 'recipe.yaml'}"


def _processor() -> str | None:
    """The processor's name, where the system tells it."""
    readers: dict[str, Callable[[], str]] = {"linux": lambda: Path("/proc/cpuinfo").read_text(encoding="utf-8")}
    try:
        text = readers[sys.platform]()
        return next(line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith("model name"))
    except (KeyError, OSError, StopIteration):
        return platform.processor() or None
