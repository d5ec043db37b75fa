"""The dense model: the unpruned encoder, fine-tuned by the run or as it was given. Everything is compared with it."""

from pathlib import Path
from typing import Any

import numpy as np
from transformers import PreTrainedModel

from compress.errors import TrainingError
from compress.lottery import Mask
from compress.pipeline.run import Run
from compress.pipeline.stages.scoring import finish
from compress.pipeline.stages.stage import Cost, Data, Stage
from compress.recipe.defaults import for_second_try
from compress.recipe.recipe import Recipe
from compress.training.distillation import Teacher
from compress.training.trainer import Fitted, TrainingPlan, predict


def run_dense(run: Run, folder: Path) -> None:
    """Fine-tune the unpruned model; a fine-tuned checkpoint that fits the data is kept as it is.

    Unless the recipe says which, it is kept where it is no worse on dev than the baseline, or than after a training.
    """
    plan, model = run.dense, run.pretrained()
    given = None if plan == "train" else _given_score(run, model)
    facts: dict[str, Any] = {} if given is None else {"given_dev": given}
    if given is not None and (plan == "keep" or given >= run.metrics("baseline")["dev"]):
        return finish(run, model, folder, Fitted(0, 0.0), **facts)
    model, fitted, tries = _trained(run, model)
    facts |= tries
    if given is not None and (trained := _dev(run, model)) < given:
        model, fitted = run.pretrained(), Fitted(0, fitted.seconds)
        facts = {"given_dev": given, "trained_dev": trained}  # no training is kept, so no second try is, either
    finish(run, model, folder, fitted, **facts)


def _given_score(run: Run, model: PreTrainedModel) -> float | None:
    """The metric on dev of the checkpoint as it is, or None where its numbers are on another scale than the labels.

    Raises TrainingError for such a one that the recipe keeps.
    """
    dev = run.texts.splits["dev"]
    predictions = predict(model, dev, run.texts.tokenizer)
    if run.task.regression and np.square(predictions[:, 0] - dev.labels).mean() > np.var(dev.labels):
        if run.dense == "keep":
            raise TrainingError(
                "the checkpoint's numbers are on another scale than the labels: their mean is nearer to the labels",
                where="training.dense",
                remedy="leave out --dense keep, or scale the labels",
            )
        return None
    return run.texts.task_type.score_on_dev(predictions, dev, run.task.metric)


def _trained(run: Run, model: PreTrainedModel) -> tuple[PreTrainedModel, Fitted, dict[str, Any]]:
    """`model` trained; or the second try, where the first is behind the baseline on dev and the second is better."""
    fitted = train_like_dense(run, model, "dense model")
    if not run.recipe.training.second_try or (first := _dev(run, model)) >= run.metrics("baseline")["dev"]:
        return model, fitted, {}
    again = run.with_recipe(training=for_second_try(run.recipe).training)
    second = again.pretrained()
    fitted_again = train_like_dense(again, second, "dense model, second try")
    reached = _dev(run, second)
    facts = {"first_try_dev": first, "second_try_dev": reached, "second_try": reached > first}
    return (second, fitted_again, facts) if reached > first else (model, fitted, facts)


def _dev(run: Run, model: PreTrainedModel) -> float:
    return run.learner().evaluate(model)


def with_second_try(run: Run) -> Run:
    """The run whose further trainings take the passes and the rate of the second try, where the dense model did."""
    if not run.metrics("dense").get("second_try"):
        return run
    recipe = for_second_try(run.recipe)
    return run.with_recipe(training=recipe.training, distill=recipe.distill)


def train_like_dense(run: Run, model: PreTrainedModel, name: str, mask: Mask | None = None, **schedule: Any) -> Fitted:
    """Train as the dense model is trained: same passes, rate, seed; `schedule` as in `TrainingPlan`."""
    plan = TrainingPlan(name, epochs=run.recipe.training.passes, seed=run.recipe.seed, curve=True, **schedule)
    return run.learner().fit(model, plan, mask=mask, teacher=teacher_of_texts(run))


def teacher_of_texts(run: Run) -> Teacher | None:
    """The dense model as the teacher of every training, where the training texts have no labels (kind embedding)."""
    train = run.texts.splits["train"]
    if not run.texts.task_type.vectors or "labels" in train.rows.column_names:
        return None
    with run.console.step("teacher's vectors", len(train)) as advance:
        teacher = Teacher.of(run.saved("dense"), train, run.texts.tokenizer, run.recipe.distill, advance=advance)
    return teacher.of_vectors(None, run.recipe.embedding.similarity_weight)


def _cost(recipe: Recipe, data: Data) -> Cost:
    if data.dense == "keep":
        return Cost(seconds=15.0)
    return Cost(at_most=data.dense == "try").plus(data.steps(recipe, recipe.training.passes))


STAGE = Stage(
    "dense",
    "Dense model",
    run_dense,
    needs=("baseline",),
    settings=("seed", "model", "training", "embedding"),
    cost=_cost,
)
