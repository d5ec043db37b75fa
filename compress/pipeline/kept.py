"""Whether the dense model is the given checkpoint as it is, without training, and what a run says of it."""

from typing import Any, Literal

from compress.errors import RecipeError
from compress.models.head import Head
from compress.recipe.recipe import Recipe
from compress.report.formats import MetricFormat

AGREEMENT = "agreement"  # the metric where the checkpoint's own answers are the labels
Plan = Literal["keep", "try", "train"]
_OF_A_TRAINING = ("weight_change", "magnitude_increase")  # criteria that compare weights before and after it


def plan_of(recipe: Recipe, head: Head) -> Plan:
    """How the dense model is made from a checkpoint with this head.

    "keep": it is the checkpoint; "try": so where it is no worse on dev than the baseline, else it is trained; "train".
    Raises RecipeError where it can't be kept as the recipe wants.
    """
    wanted = recipe.training.dense
    if wanted == "keep" and head.state == "new":
        raise RecipeError(
            "the checkpoint has no head that fits the data, so it can't be kept without training",
            where="training.dense",
            remedy="leave out --dense keep",
        )
    if wanted == "keep" and _needs_training(recipe):
        raise RecipeError(
            f"the criterion {recipe.ticket.criterion} compares weights before and after a training of the dense model, "
            "which is kept without one",
            where="training.dense",
            remedy="use --criterion taylor or magnitude, or --dense train",
        )
    if wanted == "auto" and head.state == "kept" and not _needs_training(recipe):
        return "try"
    return "keep" if wanted == "keep" else "train"


def _needs_training(recipe: Recipe) -> bool:
    ticket = recipe.ticket
    return ticket.kind == "weights" and ticket.criterion in _OF_A_TRAINING and not ticket.rewind_step


def before(recipe: Recipe, head: Head, metric: str) -> list[str]:
    """What a run with this head will do for its dense model, in sentences; none where it trains as for any encoder."""
    plan = plan_of(recipe, head)
    if metric == AGREEMENT:
        if plan == "train":
            raise RecipeError(
                f"the criterion {recipe.ticket.criterion} needs a training of the dense model, and there are no labels",
                where="ticket.criterion",
                remedy="use --criterion taylor or magnitude",
            )
        return ["the dense model is the checkpoint as it is, without training"]
    if plan == "train":
        if head.state != "kept":
            return []
        why = f"the criterion {recipe.ticket.criterion} needs it" if _needs_training(recipe) else "--dense train"
        return [f"the dense model is the checkpoint, trained further ({why})"]
    unless = "" if plan == "keep" else ", unless the baseline is better on dev"
    return [f"the dense model is the checkpoint as it is, without training{unless}; --dense train trains it further"]


def after(metric: str, baseline: dict[str, Any], dense: dict[str, Any]) -> list[str]:
    """What became of it, from the numbers of both stages, in sentences; empty where there was no choice."""
    given, shown = dense.get("given_dev"), MetricFormat(metric)
    if given is None:
        return []
    if metric == AGREEMENT:
        return ["the dense model is the checkpoint as it is, without a step of training"]
    score, simple = shown.value(given), shown.value(baseline["dev"])
    if (trained := dense.get("trained_dev")) is not None:
        worse = f"a training made it worse ({shown.value(trained)} on dev)"
        return [f"the dense model is the checkpoint as it is ({shown.name} {score} on dev): {worse}"]
    if dense["steps"]:
        own = shown.value(dense["metric"]["dev"])
        return [f"the checkpoint as it is has {score} on dev, the baseline {simple}: it was trained further, to {own}"]
    return [
        f"the dense model is the checkpoint as it is ({shown.name} {score} on dev, the baseline {simple}): no step of "
        "training was taken; --dense train trains it further"
    ]
