"""The stages of a run. Each writes one folder: a model that loads again, its numbers, its answers on dev and test."""

from compress.pipeline.run import Stage
from compress.pipeline.stages.budgeted import run_budget, run_chosen, run_drafts
from compress.pipeline.stages.scoring import run_baseline
from compress.pipeline.stages.shrunk import run_shrunk
from compress.pipeline.stages.weights import run_dense, run_distilled, run_ticket
from compress.recipe.sections import Recipe


def training_stages(recipe: Recipe) -> list[Stage]:
    """The training stages that a recipe asks for, in order; the last one's model is exported."""
    stages = [Stage("dense", (), ("seed", "model", "training"), run_dense)]
    if recipe.budget.is_set:
        stages.insert(0, Stage("drafts", (), ("model", "budget", "measure"), run_drafts, has_model=False))
    if recipe.ticket.kind == "weights":
        stages.append(Stage("ticket", ("dense",), ("seed", "ticket", "controls"), run_ticket))
        if recipe.distill.enabled:
            stages.append(Stage("distilled", ("dense", "ticket"), ("seed", "distill"), run_distilled))
    elif recipe.budget.is_set:
        searched = ("seed", "structure", "distill", "budget", "measure")
        stages.append(Stage("budget", ("drafts", "dense"), searched, run_budget, has_model=False))
        stages.append(Stage("shrunk", ("dense", "budget"), (), run_chosen))
    elif recipe.ticket.kind == "structure":
        storage = ("quantize",) if recipe.quantize.aware_epochs else ()
        stages.append(Stage("shrunk", ("dense",), ("seed", "structure", "distill", *storage), run_shrunk))
    return stages


def baseline_stage() -> Stage:
    """The bag of words beside which every model is reported."""
    return Stage("baseline", (), (), run_baseline)
