"""The trainings of a study. Each is done once, in a folder that is there whole or not at all, and is found again by
everything that its result depends on: data, model, settings, seed, mask, and where its weights come from.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
from safetensors.torch import load_file
from safetensors.torch import save as to_safetensors
from torch import Tensor
from transformers import PreTrainedModel

from compress import __version__
from compress.errors import PocketTicketError
from compress.files import fingerprint, read_json, write_atomic, write_json
from compress.lottery import Mask, Snapshot, prune
from compress.lottery.controls import reinitialized, shuffled
from compress.lottery.convergence import Settling
from compress.lottery.criteria import CRITERIA, criterion_named, score
from compress.lottery.observe import GradientWatch, set_state_, state_of
from compress.models.anatomy import prunable_parameters
from compress.models.fused import divide_
from compress.models.source import model_fingerprint
from compress.models.store import load_saved, save
from compress.pipeline.run import Inputs, load_predictions
from compress.pipeline.run_dir import RunDir
from compress.pipeline.stages.scoring import points, predictions_of, save_predictions
from compress.report.formats import duration
from compress.training.distillation import Teacher
from compress.training.trainer import Fitted, TrainingPlan

Start = Literal["pretrained", "reinit", "shuffled"]
_KEPT = ("model", *CRITERIA)  # what a training may leave, besides its numbers


@dataclass(frozen=True)
class Spec:
    """What to train. All but `label` and `keep` decide the result.

    `epochs` and `order` (seed of order and dropout) are the dense model's where None. `distilled`: with the seed's
    dense model as its teacher. `settle`: end when the mask of this sparsity changes by no more than this share between
    two evaluations. `keep`: criteria whose scores are kept, or "model". `scored`: evaluate dev and test (the trainings
    inside a search are not evaluated).
    """

    seed: int
    label: str
    mask: Mask | None = None
    start: Start = "pretrained"
    epochs: float | None = None
    order: int | None = None
    distilled: bool = False
    settle: tuple[float, float] | None = None
    keep: tuple[str, ...] = ()
    scored: bool = True

    def decides(self) -> list[Any]:
        """What the result depends on."""
        mask = self.mask.hash if self.mask is not None else None
        return [self.seed, mask, self.start, self.epochs, self.order, self.distilled, self.settle, self.scored]


@dataclass(frozen=True)
class Training:
    """A finished one. `numbers` is its metrics.json."""

    folder: Path
    numbers: dict[str, Any]

    @property
    def steps(self) -> int:
        return self.numbers["steps"]

    def scores(self, criterion: str) -> dict[str, Tensor]:
        """Name → score of each prunable weight after the training."""
        return load_file(self.folder / _file(criterion))

    def predictions(self) -> dict[str, np.ndarray]:
        """Its answers on dev and test, for `compress.pipeline.stages.scoring`."""
        return load_predictions(self.folder)


@dataclass
class Bench:
    """Trains what is not trained yet. `planned` is the study's optimizer steps, for the time that is left."""

    run: Inputs
    root: Path
    planned: int = 0
    looks: int = 1
    trained: int = 0  # trainings that were not there yet
    _passed: dict[Path, int] = field(default_factory=dict)  # steps of the trainings that the study has come by
    _spent: list[float] = field(default_factory=lambda: [0.0, 0])  # seconds, steps

    @cached_property
    def fingerprint(self) -> str:
        """Of all that the study's trainings share."""
        recipe = self.run.recipe.model_dump(mode="json")
        inputs = (self.run.task.fingerprint, model_fingerprint(self.run.source), __version__, version("torch"))
        return fingerprint(*inputs, recipe["model"], recipe["training"], recipe["distill"], self.looks)

    def seeded(self, seed: int) -> Inputs:
        """The run with another seed for head, order and dropout; the division of the data stays."""
        return self.run.with_recipe(seed=seed)

    def train(self, spec: Spec) -> Training:
        """The training of that specification, done now or before."""
        ticket = self.run.recipe.ticket
        drawn = [ticket.criterion, ticket.scope] if spec.settle else []
        mark = fingerprint(self.fingerprint, spec.decides(), *drawn)
        place = RunDir(self.root / f"seed-{spec.seed}")
        name = next((f.name for f in place.root.glob(f"*-{mark[:8]}")), f"{spec.label}-{mark[:8]}")
        kept = [what for what in _KEPT if (place.stage(name) / _file(what)).exists()]
        if not (place.is_complete(name, mark) and set(spec.keep) <= set(kept)):
            self._announce(spec)
            spec = replace(spec, keep=tuple(dict.fromkeys([*kept, *spec.keep])))  # what others wanted of it stays
            began = time.perf_counter()
            with place.writing(name, mark) as folder:
                fitted = self._train(spec, folder)
            self.trained += 1
            self._spent = [self._spent[0] + time.perf_counter() - began, self._spent[1] + fitted.steps]
        done = Training(place.stage(name), read_json(place.stage(name) / "metrics.json"))
        self._passed[done.folder] = done.steps
        return done

    def initial_magnitudes(self, seed: int) -> dict[str, Tensor]:
        """|θ0| of each prunable weight."""
        parameters = prunable_parameters(self.seeded(seed).pretrained())
        return {name: parameter.detach().abs() for name, parameter in parameters.items()}

    def _announce(self, spec: Spec) -> None:
        passed, left = sum(self._passed.values()), ""
        if self._spent[1]:
            seconds = max(self.planned - passed, 0) * self._spent[0] / self._spent[1]
            left = f", about {duration(seconds)} left in all"
        self.run.console.note(
            f"seed {spec.seed}: {spec.label} ({passed:,} of {self.planned:,} steps done{left})",
            steps_done=passed,
            steps=self.planned,
        )

    def _train(self, spec: Spec, folder: Path) -> Fitted:
        run = self.seeded(spec.seed)
        teacher = self._teacher(spec.seed) if spec.distilled else None
        model = self._start(spec, run)
        parameters, initial = prunable_parameters(model), state_of(model)
        if spec.mask is not None:
            spec.mask.check_fits(parameters)
        criteria = [name for name in spec.keep if name != "model"]
        wanted = [*criteria, run.recipe.ticket.criterion] if spec.settle else criteria
        uses: list[frozenset[str]] = [getattr(criterion_named(name), "uses", frozenset()) for name in wanted]
        watch = GradientWatch(frozenset().union(*uses))

        def scores(criterion: str) -> dict[str, Tensor]:
            return _scores(criterion, parameters, initial, watch, spec.seed)

        settling = self._settling(spec, lambda: scores(run.recipe.ticket.criterion))
        with watch.watching(parameters):
            fitted = run.learner().fit(
                model,
                TrainingPlan(
                    spec.label,
                    epochs=spec.epochs or run.recipe.training.passes,
                    seed=spec.seed if spec.order is None else spec.order,
                    curve=spec.scored,
                    checks_per_pass=self.looks if spec.scored else 4,
                ),
                mask=spec.mask,
                teacher=teacher,
                stop_when=(lambda _: settling()) if settling else None,
            )
        for criterion in criteria:
            kept = {name: values.cpu().contiguous() for name, values in scores(criterion).items()}
            write_atomic(folder / _file(criterion), to_safetensors(kept))
        self._finish(spec, model, fitted, folder, settling)
        return fitted

    def _start(self, spec: Spec, run: Inputs) -> PreTrainedModel:
        model = run.pretrained()
        if spec.start == "reinit":
            set_state_(model, reinitialized(lambda: divide_(type(model)(model.config)), seed=spec.seed))
        elif spec.start == "shuffled":
            set_state_(model, shuffled(state_of(model), Mask.dense(prunable_parameters(model)), seed=spec.seed))
        return model

    def _settling(self, spec: Spec, scores: Callable[[], dict[str, Tensor]]) -> Settling | None:
        if spec.settle is None:
            return None
        sparsity, threshold = spec.settle

        def draw() -> Mask:
            found = scores()
            return prune(found, spec.mask or Mask.dense(found), sparsity, self.run.recipe.ticket.scope)

        return Settling(draw, threshold)

    def _teacher(self, seed: int) -> Teacher:
        run, dense = self.seeded(seed), self.train(Spec(seed, "dense", keep=("model",)))
        rows = run.texts.splits["train"]
        with run.console.step("teacher's outputs", len(rows)) as advance:
            model = load_saved(dense.folder)
            return Teacher.of(model, rows, run.texts.tokenizer, run.recipe.distill, advance=advance)

    def _finish(
        self, spec: Spec, model: PreTrainedModel, fitted: Fitted, folder: Path, settling: Settling | None
    ) -> None:
        run, mask = self.run, spec.mask
        numbers: dict[str, Any] = {
            "seed": spec.seed,
            "sparsity_prunable": mask.sparsity if mask is not None else 0.0,
            "sparsity_total": mask.sparsity_of(model) if mask is not None else 0.0,
            "steps": fitted.steps,
            "seconds": fitted.seconds,
            "curve": list(fitted.curve),
        }
        if settling:
            numbers["mask_distances"] = settling.distances
        if spec.scored:
            answers = predictions_of(model, run.texts)
            save_predictions(answers, folder)
            numbers["metric"] = points(run, answers)
        if mask is not None and spec.scored and spec.start == "pretrained":
            mask.save(folder / "mask.safetensors")
        if "model" in spec.keep:
            save(model, run.texts.tokenizer, folder)
        write_json(folder / "metrics.json", numbers)


def _file(kept: str) -> str:
    return "model.safetensors" if kept == "model" else f"scores-{kept}.safetensors"


def _scores(
    criterion: str, parameters: dict[str, Any], initial: dict[str, Tensor], watch: GradientWatch, seed: int
) -> dict[str, Tensor]:
    def snapshot(name: str, final: Tensor) -> Snapshot:
        collected = {kind: watch.of(kind, name, final) for kind in ("gradient", "drift")}
        collected = {kind: None if values is None else values.to(final) for kind, values in collected.items()}
        return Snapshot(initial[name].to(final), final, **collected, name=name, seed=seed)

    return score(criterion_named(criterion), {name: snapshot(name, p.detach()) for name, p in parameters.items()})


def check_supported(run: Inputs, searches: Collection[str]) -> None:
    """Raises PocketTicketError for a recipe or a search that a study can't follow."""
    ticket = run.recipe.ticket
    if ticket.kind != "weights":
        raise PocketTicketError("a study works with single weights", where="ticket.kind", remedy="set it to weights")
    if ticket.rewind != "pretrained":
        raise PocketTicketError("a study rewinds to θ0", where="ticket.rewind", remedy="set it to pretrained")
    if "distilled" in searches and not run.texts.task_type.distillable:
        raise PocketTicketError(
            f"the kind {run.task.kind} can't be distilled",
            where="--searches distilled",
            remedy="leave that search out",
        )
