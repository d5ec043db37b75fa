"""The stages of a run, a file each. Each writes one folder: a model that loads again, its numbers, its predictions."""

from dataclasses import replace

from compress.pipeline.stages import baseline, budget, dense, distilled, drafts, shrunk, teacher, ticket
from compress.pipeline.stages.stage import Stage
from compress.recipe.recipe import Recipe


def training_stages(recipe: Recipe) -> list[Stage]:
    """The stages of a recipe before the export, in order; the last one's model is exported."""
    stages = [baseline.STAGE, dense.STAGE]
    if recipe.ticket.kind == "weights":
        return [*stages, ticket.STAGE, *(_taught(recipe, distilled.STAGE) if recipe.distill.enabled else [])]
    if recipe.budget.is_set:
        return [baseline.STAGE, drafts.STAGE, dense.STAGE, *_taught(recipe, budget.STAGE), budget.CHOSEN]
    return [*stages, *_taught(recipe, shrunk.stage(recipe))] if recipe.ticket.kind == "structure" else stages


def _taught(recipe: Recipe, stage: Stage) -> list[Stage]:
    """A stage that distils, after that of its teacher where the recipe names one."""
    if not (recipe.distill.teacher and recipe.distill.enabled):
        return [stage]
    own = teacher.stage(recipe)
    return [own, replace(stage, needs=(*stage.needs, own.name))]


def final_stage(recipe: Recipe) -> str:
    """The stage whose model is exported as the ticket."""
    return training_stages(recipe)[-1].name
