"""Texts without labels and a fine-tuned classifier: its answers are the labels, agreement with it is measured."""

from dataclasses import replace
from typing import Any

from compress.console import Console
from compress.data.task import SPLITS, Task
from compress.errors import DataError, RecipeError
from compress.kinds.encode import Texts
from compress.kinds.long_texts import strategy_of
from compress.models.load import classes_of, examine, load_for, load_tokenizer
from compress.pipeline.kept import AGREEMENT
from compress.recipe.recipe import Recipe
from compress.training.trainer import predict


def with_answers_of(task: Task, source: str, recipe: Recipe, console: Console) -> Task:
    """A task of plain text with the classes that the checkpoint gives its texts; any other task stays as it is.

    Plain text remains masked words where the recipe says so, or where the checkpoint has no head for classes.
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
    labels = _answers(task_of_classes, source, recipe, console)
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
