"""What the stages of one run share: recipe, task, model, and the folders of the stages before."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file
from transformers import PreTrainedModel

from compress.console import Console
from compress.data.load import load_task, with_unlabeled
from compress.data.task import Task
from compress.errors import RecipeError
from compress.files import read_json
from compress.kinds import TASK_TYPES
from compress.kinds.encode import Texts
from compress.models.load import load_for, load_saved, load_tokenizer, resolve_model
from compress.pipeline.run_dir import RunDir
from compress.recipe.defaults import for_examples
from compress.recipe.sections import Recipe
from compress.training.trainer import Learner

PREDICTIONS = "predictions.safetensors"


@dataclass
class Run:
    """One run; data and model are loaded when they are first needed."""

    recipe: Recipe
    console: Console
    task: Task
    source: str  # folder or Hub id of the pre-trained encoder
    model_name: str  # as shown to people
    dir: RunDir | None = None

    @classmethod
    def of(cls, recipe: Recipe, console: Console) -> "Run":
        """Resolve model, data and what the recipe leaves open. Raises ModelError or DataError for what is unusable."""
        name, source = resolve_model(recipe.model.name)
        task = load_task(recipe.data, seed=recipe.seed)
        recipe = _fitting(recipe, task)
        task = with_unlabeled(task, recipe.data, recipe.distill.unlabeled)
        return cls(for_examples(recipe, len(task.train), len(task.labels)), console, task, source, name)

    @cached_property
    def texts(self) -> Texts:
        """The task as the pre-trained encoder's tokenizer reads it."""
        return Texts.of(self.task, load_tokenizer(self.source), self.recipe.model.max_tokens)

    def texts_of(self, stage: str) -> Texts:
        """The task as a complete stage's model reads it: a trimmed vocabulary reads it otherwise."""
        return self.texts_in(self.dir.stage(stage))

    def texts_in(self, folder: Path) -> Texts:
        """The task as the model saved in `folder` reads it."""
        tokenizer = load_tokenizer(str(folder))
        if len(tokenizer) == len(self.texts.tokenizer):
            return self.texts
        return Texts.of(self.task, tokenizer, self.recipe.model.max_tokens)

    @cached_property
    def labels(self) -> dict[str, np.ndarray]:
        """What answers are scored by (N, ...), of each split."""
        return {name: split.labels for name, split in self.texts.splits.items()}

    def learner(self, texts: Texts | None = None) -> Learner:
        """The training loop on this task."""
        return Learner(texts or self.texts, self.task.metric, self.recipe.training, self.console)

    def pretrained(self) -> PreTrainedModel:
        """θ0: the pre-trained encoder under the seed's fresh head."""
        return load_for(self.task, self.source, max_tokens=self.recipe.model.max_tokens, seed=self.recipe.seed)

    def saved(self, stage: str) -> PreTrainedModel:
        """The model of a complete stage."""
        return load_saved(self.dir.stage(stage))

    @property
    def bundle(self) -> Path:
        """The folder of the bundle, which the target names."""
        return self.dir.stage(self.recipe.target)

    def metrics(self, stage: str) -> dict[str, Any]:
        """The numbers of a complete stage."""
        return read_json(self.dir.stage(stage) / "metrics.json")

    def predictions(self, stage: str) -> dict[str, np.ndarray]:
        """What was kept of a complete stage's answers (N, ...) for "dev" and "test"."""
        return load_predictions(self.dir.stage(stage))


def load_predictions(folder: Path) -> dict[str, np.ndarray]:
    """What was kept of a model's answers (N, ...) for "dev" and "test", from the folder that its training wrote."""
    return load_file(folder / PREDICTIONS)


def _fitting(recipe: Recipe, task: Task) -> Recipe:
    """The recipe without what the task's kind has no use for. Raises RecipeError for what it can't have."""
    wrong = {
        "structure.vocabulary": task.kind == "mlm"
        and recipe.ticket.kind == "structure"
        and recipe.structure.vocabulary,
        "structure.embedding_rank": task.kind == "mlm" and recipe.structure.embedding_rank,
        "distill.augment": not task.of_sentences and recipe.distill.augment,
        "distill.unlabeled": not task.of_sentences and recipe.distill.unlabeled not in (None, "none"),
        "budget": task.kind == "mlm" and recipe.budget.is_set,
    }
    if keys := [key for key, given in wrong.items() if given]:
        raise RecipeError(
            f"{' and '.join(keys)} can't be used with a task of kind {task.kind}",
            where=recipe.data.source,
            remedy=f"leave {'it' if len(keys) == 1 else 'them'} out, or set to 0",
        )
    if not task.of_sentences:
        recipe = recipe.model_copy(update={"structure": recipe.structure.model_copy(update={"merge_after": ()})})
    if recipe.distill.enabled and not TASK_TYPES[task.kind].distillable:
        return recipe.model_copy(update={"distill": recipe.distill.model_copy(update={"enabled": False})})
    return recipe


@dataclass(frozen=True)
class Stage:
    """A step of the pipeline. `settings` names the recipe's parts that its result depends on, besides its `needs`."""

    name: str
    needs: tuple[str, ...]
    settings: tuple[str, ...]
    run: Callable[[Run, Path], None]
    has_model: bool = True  # a stage of the report, or only work towards one
