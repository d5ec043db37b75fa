"""The distilled ticket: it trains again, with the dense model as its teacher."""

from pathlib import Path

from compress.lottery import Mask
from compress.pipeline.other_teacher import with_other
from compress.pipeline.run import Run
from compress.pipeline.stages.scoring import finish
from compress.pipeline.stages.stage import FORWARD, Cost, Data, Stage
from compress.pipeline.vectors import of_texts
from compress.recipe.recipe import Recipe
from compress.training.distillation import Teacher
from compress.training.trainer import TrainingPlan


def run_distilled(run: Run, folder: Path) -> None:
    """Train the ticket again from the pre-trained weights, with the dense model as its teacher."""
    settings = run.recipe.distill
    if (task := of_texts(run.task)) is not run.task:
        run = run.with_task(task)
    texts = run.texts
    mask = Mask.load(run.dir.stage("ticket") / "mask.safetensors")
    with run.console.step("teacher's outputs", len(texts.splits["train"])) as advance:
        own = Teacher.of(run.saved("dense"), texts.splits["train"], texts.tokenizer, settings, advance=advance)
        teacher = with_other(own, run, texts.splits["train"])
    if texts.task_type.vectors:
        teacher = teacher.of_vectors(None, run.recipe.embedding.similarity_weight)
    model = run.pretrained()
    fitted = run.learner().fit(
        model,
        TrainingPlan(
            "distilled ticket",
            epochs=settings.passes,
            seed=run.recipe.seed,
            learning_rate=settings.learning_rate,
            curve=True,
        ),
        mask=mask,
        teacher=teacher,
    )
    mask.save(folder / "mask.safetensors")
    finish(run, model, folder, fitted, mask=mask)


def _cost(recipe: Recipe, data: Data) -> Cost:
    return Cost().plus(data.steps(recipe, recipe.distill.passes)).plus(data.steps(recipe, 1), FORWARD)


STAGE = Stage(
    "distilled",
    "Distilled",
    run_distilled,
    needs=("dense", "ticket"),
    settings=("seed", "distill", "embedding"),
    cost=_cost,
)
