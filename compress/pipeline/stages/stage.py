"""A stage: one step of a run. All about a stage is in one file, so that a new stage is a new file."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from compress.pipeline.kept import Plan
from compress.pipeline.run import Run
from compress.recipe.recipe import Recipe

FORWARD = 0.35  # a forward pass, in training steps


@dataclass(frozen=True)
class Data:
    """How many texts, or windows of long ones, a run trains on: labeled and unlabeled ones.

    `dense`: whether the given checkpoint is the dense model ("keep"), is trained ("train"), or what helps ("try").
    """

    labeled: int
    unlabeled: int = 0
    dense: Plan = "train"

    def steps(self, recipe: Recipe, epochs: float) -> int:
        """Optimizer steps of that many passes over the labeled texts."""
        return math.ceil(math.ceil(self.labeled / recipe.training.batch_size) * epochs)


@dataclass(frozen=True)
class Cost:
    """About what a stage takes: optimizer `steps`, their `weight` in steps of the dense model, and other `seconds`.

    `at_most`: it may need none of the steps, which a dry run can't know.
    """

    steps: int = 0
    weight: float = 0.0
    seconds: float = 0.0
    at_most: bool = False

    def plus(self, steps: int, each: float = 1.0) -> "Cost":
        """This and `steps` more, each as long as `each` steps of the dense model."""
        return replace(self, steps=self.steps + steps, weight=self.weight + steps * each)


@dataclass(frozen=True)
class Stage:
    """A step of the pipeline; it writes one folder, which has its name.

    `title` names it in the report; `needs` are the stages whose results it uses, and `settings` the recipe's sections
    that its result depends on besides them; `cost` estimates it for a dry run. A stage with a model is a row of the
    report, and `note` makes the row's remarks from its numbers (metrics.json). `reads` is a fingerprint of what it
    reads besides the run's data and encoder.
    """

    name: str
    title: str
    run: Callable[[Run, Path], None]
    needs: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    cost: Callable[[Recipe, Data], Cost] = lambda recipe, data: Cost(seconds=15.0)
    has_model: bool = True
    note: Callable[[dict[str, Any]], list[str]] = lambda numbers: []
    reads: Callable[[], str] | None = None
