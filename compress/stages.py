"""The training stages: dense model, ticket, distilled ticket. Each writes one folder that loads with `from_pretrained`.

A stage's folder holds the model, `metrics.json` (numbers for the report) and `logits.safetensors` (its answers on dev
and test, for intervals and paired comparisons).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import load_file
from safetensors.numpy import save as to_safetensors
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from compress.console import Console
from compress.data.baseline import bag_of_words
from compress.data.encode import Encoded, encode
from compress.data.load import load_task
from compress.data.task import Task
from compress.lottery import CRITERIA, Mask, Round, RoundRecord, find_ticket
from compress.models.anatomy import prunable_parameters
from compress.models.load import load_classifier, load_saved, load_tokenizer, resolve_model, save
from compress.recipe import Recipe
from compress.report.statistics import Estimate, bootstrap
from compress.run_dir import RunDir, read_json, write_atomic, write_json
from compress.training.distillation import Teacher
from compress.training.metrics import METRICS, answers
from compress.training.trainer import Fitted, Learner, predict

_REWIND = {"pretrained": "initial", "none": "none"}


@dataclass
class Run:
    """What all stages of one run share; data and model are loaded when they are first needed."""

    recipe: Recipe
    console: Console
    task: Task
    source: str  # folder or Hub id of the pre-trained encoder
    model_name: str  # as shown to people
    dir: RunDir | None = None

    @classmethod
    def of(cls, recipe: Recipe, console: Console) -> "Run":
        """Resolve model and data. Raises ModelError or DataError for what can't be used."""
        name, source = resolve_model(recipe.model.name)
        return cls(recipe, console, load_task(recipe.data, seed=recipe.seed), source, name)

    @cached_property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        return load_tokenizer(self.source)

    @cached_property
    def encoded(self) -> dict[str, Encoded]:
        limit = self.recipe.model.max_tokens
        return {s: encode(self.task.split(s), self.task, self.tokenizer, limit) for s in ("train", "dev", "test")}

    @cached_property
    def labels(self) -> dict[str, np.ndarray]:
        """Labels (N,) of dev and test."""
        return {name: self.encoded[name].labels for name in ("dev", "test")}

    @cached_property
    def learner(self) -> Learner:
        splits = self.encoded
        return Learner(
            self.tokenizer, splits["train"], splits["dev"], self.task.metric, self.recipe.training, self.console
        )

    def pretrained(self) -> PreTrainedModel:
        """θ0: the pre-trained encoder under the seed's fresh head."""
        return load_classifier(self.source, self.task, max_tokens=self.recipe.model.max_tokens, seed=self.recipe.seed)

    def saved(self, stage: str) -> PreTrainedModel:
        """The model of a complete stage."""
        return load_saved(self.dir.stage(stage))

    def metrics(self, stage: str) -> dict[str, Any]:
        """The numbers of a complete stage."""
        return read_json(self.dir.stage(stage) / "metrics.json")

    def logits(self, stage: str) -> dict[str, np.ndarray]:
        """A complete stage's logits (N, L) for "dev" and "test"."""
        return load_file(self.dir.stage(stage) / "logits.safetensors")


@dataclass(frozen=True)
class Stage:
    """A step of the pipeline. `settings` names the recipe's parts that its result depends on, besides its `needs`."""

    name: str
    needs: tuple[str, ...]
    settings: tuple[str, ...]
    run: Callable[[Run, Path], None]


def run_baseline(run: Run, folder: Path) -> None:
    """How far words alone go on this task."""
    with run.console.step("baseline: bag of words", 1) as advance:
        predictions = bag_of_words(run.task)
        advance(1)
    metric = METRICS[run.task.metric]
    estimates = {s: bootstrap(predictions[s], run.labels[s], metric) for s in ("dev", "test")}
    write_json(folder / "metrics.json", _triple(estimates))


def run_dense(run: Run, folder: Path) -> None:
    """Fine-tune the unpruned model."""
    model = run.pretrained()
    fitted = run.learner.fit(model, "dense model", epochs=run.recipe.training.epochs, seed=run.recipe.seed, curve=True)
    _finish(run, model, folder, fitted)


def run_ticket(run: Run, folder: Path) -> None:
    """Search the mask by iterative pruning with rewinding, then train the ticket exactly as the dense model was."""
    model = run.pretrained()
    records = _search(run, model, folder)
    mask = records[-1].mask
    mask.save(folder / "mask.safetensors")
    extra: dict[str, Any] = {"search": [_round(r) for r in records]}
    fitted = _train_masked(run, model, mask, "ticket")
    if run.recipe.controls:
        extra["random_mask"] = _control(run, mask)
    _finish(run, model, folder, fitted, mask, **extra)


def run_distilled(run: Run, folder: Path) -> None:
    """Train the ticket again from the pre-trained weights, with the dense model as its teacher."""
    settings = run.recipe.distill
    mask = Mask.load(run.dir.stage("ticket") / "mask.safetensors")
    train = run.encoded["train"]
    with run.console.step("teacher's answers", len(train)) as advance:
        teacher = Teacher.ask(run.saved("dense"), train, run.tokenizer, settings, advance)
    model = run.pretrained()
    fitted = run.learner.fit(
        model,
        "distilled ticket",
        epochs=settings.epochs,
        seed=run.recipe.seed,
        mask=mask,
        teacher=teacher,
        curve=True,
    )
    mask.save(folder / "mask.safetensors")
    _finish(run, model, folder, fitted, mask)


def training_stages(recipe: Recipe) -> list[Stage]:
    """The training stages that a recipe asks for, in order."""
    stages = [Stage("dense", (), ("seed", "model", "training"), run_dense)]
    if recipe.ticket.kind == "weights":
        stages.append(Stage("ticket", ("dense",), ("seed", "ticket", "controls"), run_ticket))
        if recipe.distill.enabled:
            stages.append(Stage("distilled", ("dense", "ticket"), ("seed", "distill"), run_distilled))
    return stages


def _search(run: Run, model: PreTrainedModel, folder: Path) -> list[RoundRecord]:
    """The rounds of the search; each is saved when it is finished, and finished ones are not repeated."""
    settings = run.recipe.ticket
    saved = folder / "rounds"
    done = [RoundRecord.load(f) for f in sorted(saved.glob("round-*.safetensors"))]
    free_first = not getattr(CRITERIA[settings.criterion], "uses", None)

    def train(module: PreTrainedModel, plan: Round) -> None:
        if plan.number == 1 and free_first:
            # the first round trains the whole network, which is what the dense stage did already
            module.load_state_dict(run.saved("dense").state_dict())
            return
        run.learner.fit(
            module, f"round {plan.number} of {settings.rounds}", epochs=settings.round_epochs, seed=plan.seed
        )

    found = find_ticket(
        model,
        train,
        run.learner.evaluate,
        sparsity=settings.sparsity,
        rounds=settings.rounds,
        parameters=prunable_parameters(model),
        criterion=settings.criterion,
        schedule=settings.schedule,
        scope=settings.scope,
        rewind=_REWIND[settings.rewind],
        seed=run.recipe.seed,
        train_found=False,
        on_round=lambda r: r.save(saved / f"round-{r.number:02d}.safetensors"),
        resume_from=done,
    )
    return list(found.rounds)


def _round(record: RoundRecord) -> dict[str, Any]:
    return {
        "round": record.number - 1,  # round 0 is the dense model
        "sparsity_prunable": record.trained_sparsity,
        "metric_dev": record.metric,
        "seconds": record.seconds,
    }


def _train_masked(run: Run, model: PreTrainedModel, mask: Mask, name: str) -> Fitted:
    recipe = run.recipe
    return run.learner.fit(model, name, epochs=recipe.training.epochs, seed=recipe.seed, mask=mask, curve=True)


def _control(run: Run, mask: Mask) -> dict[str, Any]:
    """The random-mask control: same sparsity in each matrix, same training (Chen et al. 2020, table 2)."""
    from compress.lottery.controls import random_mask

    model = run.pretrained()
    _train_masked(run, model, random_mask(mask, seed=run.recipe.seed), "control: random mask")
    scores, _ = _score(run, model)
    return scores


def _finish(
    run: Run, model: PreTrainedModel, folder: Path, fitted: Fitted, mask: Mask | None = None, **extra: Any
) -> None:
    """Save the model, its answers on dev and test, and its numbers."""
    save(model, run.tokenizer, folder)
    scores, logits = _score(run, model)
    write_atomic(folder / "logits.safetensors", to_safetensors(logits))
    parameters = sum(p.numel() for p in model.parameters())
    numbers = {
        "parameters": parameters,
        "nonzero_parameters": sum(int(p.count_nonzero()) for p in model.parameters()),
        "prunable_parameters": sum(p.numel() for p in prunable_parameters(model).values()),
        "sparsity_prunable": mask.sparsity if mask else 0.0,
        "sparsity_total": mask.sparsity_of(model) if mask else 0.0,
        "metric": scores,
        "seconds": fitted.seconds + sum(r["seconds"] for r in extra.get("search", ())),
        "training_seconds": fitted.seconds,
        "steps": fitted.steps,
        "curve": list(fitted.curve),
    }
    write_json(folder / "metrics.json", numbers | extra)


def _score(run: Run, model: PreTrainedModel) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    splits = {name: run.encoded[name] for name in ("dev", "test")}
    with torch.inference_mode():
        logits = {name: predict(model, split, run.tokenizer) for name, split in splits.items()}
    return scores(logits, run.labels, run.task.metric), logits


def scores(logits: dict[str, np.ndarray], labels: dict[str, np.ndarray], metric: str) -> dict[str, Any]:
    """{"dev", "test", "ci95"} of a metric from logits (N, L) and labels (N,)."""
    return _triple({s: bootstrap(answers(logits[s]), labels[s], METRICS[metric]) for s in ("dev", "test")})


def _triple(estimates: dict[str, Estimate]) -> dict[str, Any]:
    dev, test = estimates["dev"], estimates["test"]
    return {"dev": dev.value, "test": test.value, "ci95": test.ci, "ci95_dev": dev.ci}
