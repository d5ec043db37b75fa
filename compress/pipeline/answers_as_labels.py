"""Texts without labels and a fine-tuned classifier: its answers are the labels, agreement with it is measured."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file
from safetensors.numpy import save as to_safetensors

from compress import __version__
from compress.console import Console
from compress.data.task import SPLITS, Task
from compress.errors import DataError, RecipeError
from compress.files import fingerprint, write_atomic
from compress.kinds.encode import Texts
from compress.kinds.long_texts import strategy_of
from compress.models.load import classes_of, examine, load_for, load_tokenizer
from compress.models.source import model_fingerprint
from compress.pipeline.kept import AGREEMENT
from compress.recipe.recipe import Recipe
from compress.training.trainer import predict


def with_answers_of(task: Task, source: str, recipe: Recipe, console: Console, folders: Sequence[Path] = ()) -> Task:
    """A task of plain text with the classes that the checkpoint gives its texts; any other task stays as it is.

    Plain text remains masked words where the recipe says so, or where the checkpoint has no head for classes. Answers
    that a run has kept in one of the `folders` are not computed again.
    Raises DataError where it gives every training text the same class, and RecipeError where it is to be trained.
    """
    names = classes_of(source) if task.kind == "mlm" and recipe.data.kind == recipe.data.metric == "auto" else ()
    if not names:
        return task
    splits: dict[str, Any] = {s: tuple(replace(e, label=0) for e in task.split(s)) for s in SPLITS}
    task_of_classes = replace(task, kind="classification", metric=AGREEMENT, labels=names, **splits)
    how: dict[str, int] = {"max_tokens": recipe.model.max_tokens, "seed": recipe.seed}
    if examine(task_of_classes, source, **how)[0].state != "kept":
        return task
    if recipe.training.dense == "train":
        raise RecipeError(
            "the labels are the checkpoint's own answers, from which it can't be trained",
            where="training.dense",
            remedy="leave out --dense train, or give labels",
        )
    file = _file(task, source, recipe)
    labels = next((kept for folder in folders if (kept := _kept(folder / file, task_of_classes))), None)
    labels = labels or _answers(task_of_classes, source, recipe, console)
    if len(set(labels["train"])) < 2:
        raise DataError(
            f"the checkpoint answers {names[labels['train'][0]]} for every training text, so nothing can be measured",
            where=recipe.data.source,
            remedy="give more texts, or texts of other classes",
        )
    answered: dict[str, Any] = {
        name: tuple(replace(e, label=label) for e, label in zip(task.split(name), labels[name], strict=True))
        for name in SPLITS
    }
    note = (
        "the texts have no labels: the checkpoint's own answers are their labels, so the dense model agrees with it by "
        "construction; what is measured is agreement with the given model, not whether answers are right"
    )
    return replace(task_of_classes, notes=(*task.notes, note), **answered)


def keep_answers(task: Task, source: str, recipe: Recipe, folder: Path) -> None:
    """Write the answers that are a task's labels into a run's folder, under a name that is a hash of their inputs."""
    if task.metric == AGREEMENT and not (file := folder / _file(task, source, recipe)).exists():
        answers = {name: np.array([e.class_index for e in task.split(name)], np.int32) for name in SPLITS}
        write_atomic(file, to_safetensors(answers))


def _file(task: Task, source: str, recipe: Recipe) -> str:
    """The name of the file of answers: any other texts, model, limit or version have another one."""
    settings = (recipe.model.max_tokens, recipe.data.long, __version__)
    return f"answers-{fingerprint(task.fingerprint, model_fingerprint(source), *settings)[:16]}.safetensors"


def _kept(file: Path, task: Task) -> dict[str, list[Any]] | None:
    """The answers in a file, or None where there is none of this task."""
    try:
        found = load_file(file)
    except (OSError, SafetensorError):
        return None
    fits = all(
        name in found and found[name].shape == (len(task.split(name)),) and (found[name] < len(task.labels)).all()
        for name in SPLITS
    )
    return {name: found[name].tolist() for name in SPLITS} if fits else None


def _answers(task: Task, source: str, recipe: Recipe, console: Console) -> dict[str, list[Any]]:
    """The checkpoint's class of each text, split by split, as the dense model predicts them."""
    limit = recipe.model.max_tokens
    texts = Texts.of(task, load_tokenizer(source), limit, strategy_of(task.kind, recipe.data.long))
    model = load_for(task, source, max_tokens=limit, seed=recipe.seed)
    found: dict[str, list[Any]] = {}
    with console.step("the checkpoint's answers", len(SPLITS)) as advance:
        for name, split in texts.splits.items():
            found[name] = list(texts.task_type.pseudo_labels(predict(model, split, texts.tokenizer)))
            advance(1)
    return found
