"""The order of a run: training stages, programs, bundle, app, report. Complete stages are kept."""

import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.table import Table

from compress import __version__
from compress.console import Console
from compress.files import fingerprint, write_atomic
from compress.models.source import model_fingerprint, weights_fingerprint
from compress.pipeline import kept, overview
from compress.pipeline.about import VERSIONS, environment
from compress.pipeline.answers_as_labels import keep_answers
from compress.pipeline.app import build_app, why_no_app, why_no_bundle
from compress.pipeline.assemble import assemble, dense_notes, no_bundle_note
from compress.pipeline.estimate import probe
from compress.pipeline.other_teacher import OtherTeacher
from compress.pipeline.run import Inputs, Run
from compress.pipeline.stages import bundle, programs, training_stages
from compress.pipeline.stages.budget import settled
from compress.pipeline.stages.dense import with_second_try
from compress.pipeline.stages.stage import Data, Stage
from compress.recipe.recipe import Recipe
from compress.report.formats import size
from compress.report.render import write_report
from compress.report.terminal import summary_table

RUNS = Path("runs")  # where a run without --output makes its folder


def stages_of(recipe: Recipe, *, with_bundle: bool = True) -> list[Stage]:
    """All stages of a recipe, in order."""
    last = [bundle.stage(recipe)] if with_bundle else []
    return [*training_stages(recipe), programs.stage(recipe), *last]


class Pipeline:
    """A recipe, resolved: its data and model are checked when this is made, before anything is trained.

    Raises RecipeError, DataError or ModelError for what can't be used.
    """

    def __init__(self, recipe: Recipe, output: Path | None, console: Console, *, with_app: bool = True) -> None:
        folders = [output] if output else sorted(RUNS.glob("*"))
        self.inputs = Inputs.of(recipe, console, folders)
        kept.before(self.inputs.recipe, self.inputs.head, self.inputs.task.metric)  # what can't be kept is refused
        self.teacher = OtherTeacher.of(self.inputs)
        self.no_bundle = why_no_bundle(self.inputs)
        self.console, self.with_app = console, with_app
        task = self.inputs.task
        more = [fingerprint([(e.text_a, e.text_b) for e in task.unlabeled])] if task.unlabeled else []
        data_and_model = (task.fingerprint, task.metric, model_fingerprint(self.inputs.source), *more)
        self.base = fingerprint(__version__, *data_and_model, *map(version, ("torch", "transformers")))
        name = f"{task.name}-{fingerprint(self.base, self.inputs.recipe.model_dump())[:8]}"
        self.output = output or RUNS / name

    def dry_run(self) -> None:
        """Print the task as it was read, what would run and about how long it would take; trains and writes nothing."""
        inputs, stages = self.inputs, self._stages(self.inputs)
        found = probe(inputs)
        dense = "keep" if inputs.task.metric == kept.AGREEMENT else inputs.dense
        data = Data(len(inputs.texts.splits["train"]), len(inputs.task.unlabeled), dense)
        table, total = Table("stage", "steps", "about", title="time of a run"), 0.0
        for stage in stages:
            cost = stage.cost(inputs.recipe, data)
            seconds = cost.weight * found.seconds + cost.seconds
            total += seconds
            up_to = "up to " if cost.at_most else ""
            steps = f"{up_to}{cost.steps:,}" if cost.steps else "none"
            table.add_row(stage.name, steps, f"{up_to}{seconds / 60:.1f} min")
        table.add_row("all", "", f"{total / 60:.1f} min", end_section=True)
        for line in overview.lines(inputs, on_phone=self.no_bundle is None):
            self.console.note(line)
        facts = overview.facts(inputs)
        facts["notes"] = list(dict.fromkeys([*self._notes(inputs), *facts["notes"]]))
        self.console.show(overview.splits_table(inputs), **facts)
        if labels := overview.labels_table(inputs.task):
            self.console.show(labels)
        self._show_notes(inputs)
        about = {"seconds": round(total), "memory_bytes": found.bytes, "output": str(self.output)}
        self.console.show(table, **about, stages=[s.name for s in stages])
        self.console.note(f"memory at the peak of training: about {size(found.bytes)}")
        self.console.note(f"{inputs.task.name} on {inputs.model_name}: a run would write {self.output}")

    def run(self) -> dict[str, Any]:
        """Run every stage that is not complete, then write the report. Returns the report."""
        run = self.inputs.in_folder(self.output)
        with run.dir.locked(self._command()):
            return self._run(run)

    def _run(self, run: Run) -> dict[str, Any]:
        self.console.note(
            f"{run.task.name} ({run.task.kind}, {len(run.task.train):,} training texts) on {run.model_name}"
        )
        self._show_notes(run)
        write_atomic(run.dir.recipe, self._recipe_yaml(run))
        keep_answers(run.task, run.source, run.recipe, run.dir.root)
        marks: dict[str, str] = {}
        if self.no_bundle:  # one of an earlier run would be taken for this one's
            shutil.rmtree(run.bundle, ignore_errors=True)
        for stage in self._stages(run):
            marks[stage.name] = self._fingerprint(run, stage, marks)
            self._run_stage(run, stage, marks[stage.name])
            if stage.name == "budget":
                run = settled(run)
            if stage.name == "dense":
                run = with_second_try(run)
                for note in dense_notes(run.task.metric, run.metrics("baseline"), run.metrics("dense")):
                    self.console.note(f"  note: {note}")
        app = self._app(run)
        if isinstance(app, str):
            self.console.note(f"no APK: {app}")
        report = assemble(
            run,
            training_stages(run.recipe),
            app=app,
            environment=environment(),
            command=self._command(),
            no_bundle=self.no_bundle,
        )
        write_report(report, run.dir.root)
        bundle_at = {} if self.no_bundle else {"bundle": str(run.bundle)}
        self.console.show(summary_table(report), report=str(run.dir.report), **bundle_at)
        program = run.dir.stage("programs") / "ticket.pte" if self.no_bundle else run.bundle / "model.pte"
        self.console.note(f"report: {run.dir.root / 'report.html'}\nprogram: {program}")
        return report

    def _stages(self, inputs: Inputs) -> list[Stage]:
        return stages_of(inputs.recipe, with_bundle=self.no_bundle is None)

    def _app(self, run: Run) -> dict[str, Any] | str:
        if not self.with_app:
            return "it was not requested (--no-apk)"
        return build_app(run) if self.no_bundle is None else f"there is no bundle: {self.no_bundle}"

    def _notes(self, inputs: Inputs) -> list[str]:
        """All notes of a run that are known before it starts: of the phone, the data and the model."""
        phone = []
        if self.no_bundle:
            phone = [no_bundle_note(self.no_bundle)]
        elif self.with_app and (reason := why_no_app(inputs)):
            phone = [f"no APK will be built ({reason}); everything else will be done"]
        of_teacher = [self.teacher.note()] if self.teacher else []
        return [*phone, *inputs.notes, *kept.before(inputs.recipe, inputs.head, inputs.task.metric), *of_teacher]

    def _show_notes(self, inputs: Inputs) -> None:
        for note in self._notes(inputs):
            self.console.note(f"  note: {note}")

    def _run_stage(self, run: Run, stage: Stage, mark: str) -> None:
        if run.dir.is_complete(stage.name, mark):
            self.console.note(f"{stage.name}: complete, kept")
            return
        self.console.note(stage.name)
        with run.dir.writing(stage.name, mark) as folder:
            stage.run(run, folder)

    def _fingerprint(self, run: Run, stage: Stage, marks: dict[str, str]) -> str:
        settings = {key: run.recipe.model_dump(mode="json")[key] for key in stage.settings}
        reads = [stage.reads()] if stage.reads else []
        return fingerprint(self.base, stage.name, settings, [marks[need] for need in stage.needs], *reads)

    def _recipe_yaml(self, run: Run) -> str:
        used = environment()
        header = "".join(f"# {name}: {used[name]}\n" for name in ("pocket-ticket", "python", *VERSIONS))
        hashes = f"# data: {run.task.fingerprint}\n# model: {weights_fingerprint(run.source)}\n"
        return f"# {self._command()}\n{header}{hashes}{run.recipe.to_yaml()}"

    def _command(self) -> str:
        return f"pocket-ticket run --recipe {self.output / 'recipe.yaml'}"
