"""How long a run would take: a few steps are timed on a throw-away copy of the model."""

import math
import time
from collections.abc import Callable

import torch

from compress.pipeline.budget import LADDER
from compress.pipeline.run import Run
from compress.pipeline.stages.shrunk import LONGEST_PASS
from compress.recipe.sections import Recipe
from compress.training.trainer import cpu_has_bf16

SECONDS = {"baseline": 3.0, "drafts": 90.0, "programs": 75.0, "shrunk": 3.0}  # of stages that train nothing
_TEACHER = 0.35  # a forward pass in plain steps: the teacher answers each training text once


def training_steps(stage: str, recipe: Recipe, examples: int, unlabeled: int = 0) -> list[tuple[int, float]]:
    """(steps, cost of one in plain steps) of each training in a stage; empty for a stage that trains nothing."""
    more = recipe.distill.augment + unlabeled / examples if recipe.distill.enabled else 0.0
    heard = 1 + more  # texts that a structure's student learns from, for each labeled one

    def steps(epochs: float) -> int:
        return math.ceil(math.ceil(examples / recipe.training.batch_size) * epochs)

    whole = steps(recipe.training.epochs)
    if stage == "dense":
        return [(whole, 1.0)]
    if stage == "ticket":
        rounds = [(steps(recipe.ticket.round_epochs), 1.0)] * (recipe.ticket.rounds - 1)
        return [*rounds, *[(whole, 1.0)] * (1 + recipe.controls)]
    if stage == "distilled":
        return [(steps(recipe.distill.epochs), 1.0), (steps(1), _TEACHER)]
    if stage == "budget":
        return [step for shape in _trained(recipe) for step in _shrinking(recipe, steps, heard, **shape)]
    if stage == "shrunk" and not recipe.budget.is_set:
        return _shrinking(recipe, steps, heard, **recipe.structure.model_dump(include={"layers", "heads", "neurons"}))
    return []


def _trained(recipe: Recipe) -> tuple[dict[str, float], ...]:
    """About what a budget's search trains: the middle of the ladder and one or two more."""
    return LADDER[3:6] if recipe.budget.max_drop is not None else LADDER[3:5]


def _shrinking(
    recipe: Recipe,
    steps: Callable[[float], int],
    heard: float,
    *,
    layers: float,
    heads: float,
    neurons: float,
    **_: float,
) -> list[tuple[int, float]]:
    rounds = recipe.structure.round_epochs * (recipe.structure.rounds - 1)
    epochs = (recipe.distill.epochs + recipe.quantize.aware_epochs) * min(heard, LONGEST_PASS)
    return [(steps(rounds), 1.0), (steps(epochs), layers * (heads + 2 * neurons) / 3), (steps(heard), 2 * _TEACHER)]


def seconds_per_step(run: Run, steps: int = 3) -> float:
    """Seconds of a training step on texts of median length, without the optimizer; the model is thrown away."""
    texts, rows = run.texts, run.texts.splits["train"].rows
    by_length = sorted(range(len(rows)), key=lambda i: len(rows[i]["input_ids"]))
    size = min(run.recipe.training.batch_size, len(rows))
    first = (len(rows) - size) // 2
    batch = texts.task_type.collator(texts.tokenizer)([rows[i] for i in by_length[first : first + size]])
    model = run.pretrained().train()
    times = []
    for _ in range(steps + 1):
        started = time.monotonic()
        with torch.autocast("cpu", torch.bfloat16, enabled=cpu_has_bf16()), texts.task_type.training(model):
            loss = model(**batch).loss
        loss.backward()
        times.append(time.monotonic() - started)
    return sorted(times[1:])[steps // 2]
