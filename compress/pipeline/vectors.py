"""What a task of text vectors needs before a run: prefixes, the texts to distil on, and neighbors as labels."""

from dataclasses import replace
from typing import Any

from compress.console import Console
from compress.data.embeddings import form_of, training_texts, with_prefixes
from compress.data.task import Task
from compress.errors import RecipeError
from compress.kinds.encode import encode
from compress.kinds.task_type import Encoded
from compress.kinds.vectors import NEAREST, nearest
from compress.models.load import load_for, load_tokenizer
from compress.models.pooling import Pooling, Wanted, pooling_of
from compress.recipe.recipe import Recipe
from compress.training.trainer import predict


def as_vectors(task: Task, source: str, recipe: Recipe, console: Console) -> tuple[Task, Pooling]:
    """The task as the encoder's vectors are trained and measured on it, and how they are pooled.

    Training has texts, on which students learn the encoder's vectors, or, where the dense model is trained, pairs; the
    texts are then the unlabeled ones. Dev and test of plain texts get the encoder's nearest neighbors as labels.
    Raises ModelError for an encoder whose files contradict the recipe, RecipeError for a training without pairs.
    """
    wanted = recipe.embedding
    pooling, notes = pooling_of(
        source,
        Wanted(
            None if wanted.pooling == "auto" else wanted.pooling,
            wanted.normalize,
            wanted.query_prefix,
            wanted.passage_prefix,
        ),
    )
    task = with_prefixes(task, pooling.query, pooling.passage)
    texts = training_texts(task)
    pairs = tuple(e for e in task.train if e.text_b is not None)
    among = " (the whole corpus is among them)" if task.corpus else ""
    notes = [*notes, f"tickets are distilled on the vectors of {len(texts):,} texts{among}; relevance is not used"]
    if recipe.training.dense == "train":
        if not pairs:
            raise RecipeError(
                "the encoder can't be trained without pairs (queries with passages, or scored pairs)",
                where="training.dense",
                remedy="leave out --dense train",
            )
        task = replace(task, train=pairs, unlabeled=texts)
    else:
        task = replace(task, train=texts, unlabeled=())
    task = replace(task, notes=(*task.notes, *notes))
    return (_with_neighbors(task, source, pooling, recipe, console), pooling)


def of_texts(task: Task) -> Task:
    """The task with the texts to distil on as its training texts."""
    return replace(task, train=task.unlabeled, unlabeled=()) if task.kind == "embedding" and task.unlabeled else task


def _with_neighbors(task: Task, source: str, pooling: Pooling, recipe: Recipe, console: Console) -> Task:
    if form_of(task.dev) != "neighbors":
        return task
    limit = recipe.model.max_tokens
    model = load_for(task, source, max_tokens=limit, seed=recipe.seed, pooling=pooling)
    tokenizer, found = load_tokenizer(source), {}
    with console.step("the encoder's nearest neighbors", 2) as advance:
        for name in ("dev", "test"):
            examples = task.split(name)
            encoded: Encoded = encode(examples, task, tokenizer, limit)
            labels = nearest(predict(model, encoded, tokenizer)).tolist()
            found[name] = tuple(replace(e, label=tuple(label)) for e, label in zip(examples, labels, strict=True))
            advance(1)
    note = (
        f"there are no pairs and no queries: what is measured is the share of each text's {NEAREST} nearest texts, by "
        "the given encoder, that a model keeps"
    )
    splits: dict[str, Any] = found
    return replace(task, notes=(*task.notes, note), **splits)
