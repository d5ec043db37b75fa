"""Defaults that follow from the data: passes and learning rates by the number of training examples and labels."""

from compress.recipe.recipe import Recipe

# Fewer steps leave a small task half learned, and larger ones like a lower rate: measured in docs/log.md.
_STEPS, _EPOCHS = 500, (3, 10)
_FEW, _RATES = 4000, (2e-4, 1e-4)
_MANY_LABELS, _MANY_RATE = 40, 3e-4
# A structured ticket is further from its solution, and its passes cost a third or half: measured in docs/log.md.
_STRUCTURE_RATE, _STRUCTURE_PASSES = 3e-4, {"none": 3, "pretrained": 5}


def for_examples(recipe: Recipe, count: int, labels: int = 0) -> Recipe:
    """The recipe with what depends on the number of training examples, and of labels, filled in."""
    steps = _STEPS * recipe.training.batch_size / count
    epochs = recipe.training.epochs or float(max(_EPOCHS[0], min(_EPOCHS[1], round(steps))))
    usual = _RATES[0] if count < _FEW else _MANY_RATE if labels > _MANY_LABELS else _RATES[1]
    rate = recipe.training.learning_rate or usual
    training = recipe.training.model_copy(update={"epochs": epochs, "learning_rate": rate})
    structure = recipe.ticket.kind == "structure"
    distill = recipe.distill.model_copy(
        update={
            "epochs": recipe.distill.epochs
            or epochs * (_STRUCTURE_PASSES[recipe.structure.rewind] if structure else 1),
            "learning_rate": recipe.distill.learning_rate or (_STRUCTURE_RATE if structure else rate),
        }
    )
    return recipe.model_copy(update={"training": training, "distill": distill})
