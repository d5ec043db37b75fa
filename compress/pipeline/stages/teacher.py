"""The teacher that the recipe names: fine-tuned on the task, or as given where its head has the data's labels."""

from pathlib import Path

from compress.models.source import model_fingerprint, resolve_model
from compress.pipeline.other_teacher import STAGE_NAME, OtherTeacher
from compress.pipeline.run import Run
from compress.pipeline.stages.scoring import finish
from compress.pipeline.stages.stage import Cost, Stage
from compress.recipe.recipe import Recipe
from compress.training.trainer import Fitted, TrainingPlan


def run_teacher(run: Run, folder: Path) -> None:
    """Train the teacher as the dense model is trained: same passes, rate, seed; with its own tokenizer."""
    other = OtherTeacher.of(run)
    assert other is not None  # the stage is one of a recipe that names a teacher
    model, texts, fitted = other.start(run), other.texts(run), Fitted(0, 0.0)
    if not other.kept:
        plan = TrainingPlan("teacher", epochs=run.recipe.training.passes, seed=run.recipe.seed, curve=True)
        fitted = run.learner(texts).fit(model, plan)
    finish(run, model, folder, fitted, texts=texts)


def stage(recipe: Recipe) -> Stage:
    """The stage of a recipe that names a teacher."""
    return Stage(
        STAGE_NAME,
        "Teacher",
        run_teacher,
        settings=("seed", "model", "training"),
        reads=lambda: model_fingerprint(resolve_model(str(recipe.distill.teacher))[1]),
        # an encoder of another size takes longer or shorter: it is not loaded to be timed
        cost=lambda recipe, data: Cost().plus(data.steps(recipe, recipe.training.passes)),
    )
