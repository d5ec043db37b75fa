"""Defaults that follow from the data: passes and learning rates by the number of training examples and labels."""

from compress.recipe.recipe import Recipe

# Fewer steps leave a small task half learned, and larger ones like a lower rate: measured in docs/log.md.
_STEPS, _EPOCHS = 500, (3, 10)
_SHORT_STEPS, _SHORT_EPOCHS, _STEPS_A_LABEL = (250, 1000), (1.25, 10), 10
_FEW, _RATES = 4000, (2e-4, 1e-4)
_MANY_LABELS, _MANY_RATE = 40, 3e-4
# A structured ticket is further from its solution, and its passes cost a third or half: measured in docs/log.md.
_STRUCTURE_RATE, _STRUCTURE_PASSES = 3e-4, {"none": 3, "pretrained": 5}


def for_examples(recipe: Recipe, count: int, labels: int = 0) -> Recipe:
    """The recipe with what depends on the number of training examples, and of labels, filled in."""
    epochs = recipe.training.epochs or _passes(recipe, count, labels)
    usual = _RATES[0] if count < _FEW else _MANY_RATE if labels > _MANY_LABELS else _RATES[1]
    rate = recipe.training.learning_rate or usual
    both_set = recipe.training.epochs is not None and recipe.training.learning_rate is not None
    again = not both_set if recipe.training.second_try is None else recipe.training.second_try
    filled_in = {"epochs": epochs, "learning_rate": rate, "second_try": again}
    training = recipe.training.model_copy(update=filled_in)
    structure = recipe.ticket.kind == "structure"
    distill = recipe.distill.model_copy(
        update={
            "epochs": recipe.distill.epochs
            or epochs * (_STRUCTURE_PASSES[recipe.structure.rewind] if structure else 1),
            "learning_rate": recipe.distill.learning_rate or (_STRUCTURE_RATE if structure else rate),
        }
    )
    return recipe.model_copy(update={"training": training, "distill": distill})


def for_second_try(recipe: Recipe) -> Recipe:
    """The resolved recipe with twice the passes and the rate of `second_try`, for the dense model and its tickets."""
    training = recipe.training.model_copy(update={"epochs": 2 * recipe.training.passes, "learning_rate": _MANY_RATE})
    if recipe.ticket.kind == "structure":  # its passes and rate are its own
        return recipe.model_copy(update={"training": training})
    distill = recipe.distill.model_copy(update={"epochs": 2 * recipe.distill.passes, "learning_rate": _MANY_RATE})
    return recipe.model_copy(update={"training": training, "distill": distill})


def _passes(recipe: Recipe, count: int, labels: int) -> float:
    """Passes over `count` training examples where the recipe leaves them open."""
    batch = recipe.training.batch_size
    if recipe.training.short:
        least, most = _SHORT_STEPS
        wanted = min(most, max(least, _STEPS_A_LABEL * labels)) * batch / count
        return float(max(_SHORT_EPOCHS[0], min(_SHORT_EPOCHS[1], round(4 * wanted) / 4)))
    return float(max(_EPOCHS[0], min(_EPOCHS[1], round(_STEPS * batch / count))))
