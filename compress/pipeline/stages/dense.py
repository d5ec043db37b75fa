"""The dense model: the unpruned encoder, fine-tuned. Everything is compared with it."""

from pathlib import Path
from typing import Any

from transformers import PreTrainedModel

from compress.lottery import Mask
from compress.pipeline.run import Run
from compress.pipeline.stages.scoring import finish
from compress.pipeline.stages.stage import Cost, Stage
from compress.training.trainer import Fitted, TrainingPlan


def run_dense(run: Run, folder: Path) -> None:
    """Fine-tune the unpruned model."""
    model = run.pretrained()
    finish(run, model, folder, train_like_dense(run, model, "dense model"))


def train_like_dense(run: Run, model: PreTrainedModel, name: str, mask: Mask | None = None, **schedule: Any) -> Fitted:
    """Train as the dense model is trained: same passes, rate, seed; `schedule` as in `TrainingPlan`."""
    plan = TrainingPlan(name, epochs=run.recipe.training.passes, seed=run.recipe.seed, curve=True, **schedule)
    return run.learner().fit(model, plan, mask=mask)


STAGE = Stage(
    "dense",
    "Dense model",
    run_dense,
    settings=("seed", "model", "training"),
    cost=lambda recipe, data: Cost().plus(data.steps(recipe, recipe.training.passes)),
)
