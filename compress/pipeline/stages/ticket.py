"""The ticket: iterative pruning with rewinding finds the mask, then the ticket trains as the dense model did."""

from pathlib import Path
from typing import Any

from torch import Tensor, nn
from transformers import PreTrainedModel

from compress.lottery import CRITERIA, FirstTraining, Mask, Round, RoundRecord, find_ticket
from compress.lottery.controls import random_mask
from compress.lottery.observe import GradientWatch, state_of
from compress.models.anatomy import prunable_parameters
from compress.pipeline.run import Run
from compress.pipeline.stages.calibration import calibration_batches, losses, scored_note, texts_scored
from compress.pipeline.stages.dense import teacher_of_texts, train_like_dense
from compress.pipeline.stages.scoring import finish, predictions_of, quality
from compress.pipeline.stages.stage import Cost, Data, Stage
from compress.recipe.recipe import Recipe
from compress.training.trainer import TrainingPlan


def run_ticket(run: Run, folder: Path) -> None:
    """Search the mask by iterative pruning with rewinding, then train the ticket as the dense model was.

    Rewound to θ0 it is trained exactly as the dense model was; otherwise it starts where the rounds start.
    """
    model = run.pretrained()
    records = _search(run, model, folder / "rounds")
    mask = records[-1].mask
    mask.save(folder / "mask.safetensors")
    extra: dict[str, Any] = {"search": [_round(r) for r in records]}
    rewind = run.recipe.ticket
    if _uses_gradients(run) and not rewind.rewind_step:  # else they are those of the search's own trainings
        extra |= texts_scored(run, model)
    fitted = train_like_dense(
        run, model, "ticket", mask, start_step=rewind.rewind_step, fine_tune=rewind.rewind == "none"
    )
    if run.recipe.controls:
        extra["random_mask"] = _control(run, mask)
    finish(run, model, folder, fitted, mask=mask, **extra)


def _search(run: Run, model: PreTrainedModel, saved: Path) -> list[RoundRecord]:
    """The rounds of the search; each is saved when it is finished, and finished ones are not repeated."""
    settings, learner = run.recipe.ticket, run.learner()
    teacher = teacher_of_texts(run) if settings.rounds > 1 or settings.rewind_step else None
    finished = [RoundRecord.load(f) for f in sorted(saved.glob("round-*.safetensors"))]

    def train(_: nn.Module, plan: Round) -> None:
        learner.fit(
            model,
            TrainingPlan(
                f"round {plan.number} of {settings.rounds}",
                epochs=run.recipe.training.passes if plan.number == 1 else settings.round_epochs,
                seed=plan.seed,
                start_step=plan.start_step,
                fine_tune=plan.fine_tune,
                compact=not settings.rewind_step,  # the search copies the model at that step
            ),
            teacher=teacher,
        )

    ticket = find_ticket(
        model,
        train,
        lambda _: learner.evaluate(model),
        sparsity=settings.sparsity,
        rounds=settings.rounds,
        parameters=prunable_parameters(model),
        criterion=settings.criterion,
        schedule=settings.schedule,
        scope=settings.scope,
        rewind="initial" if settings.rewind == "pretrained" else settings.rewind,
        seed=run.recipe.seed,
        train_found=False,
        on_round=lambda r: r.save(saved / f"round-{r.number:02d}.safetensors"),
        resume_from=finished,
        # the weights after step K are known only while the first training runs
        first=None if finished or settings.rewind_step else _dense_training(run),
    )
    return list(ticket.rounds)


def _dense_training(run: Run) -> FirstTraining:
    """The dense stage as the search's first training, with its gradients where the criterion uses them."""
    dense = run.saved("dense")
    return FirstTraining(state_of(dense), _mean_gradients(run, dense) if _uses_gradients(run) else None)


def _uses_gradients(run: Run) -> bool:
    uses: frozenset[str] = getattr(CRITERIA[run.recipe.ticket.criterion], "uses", frozenset())
    return "gradient" in uses


def _mean_gradients(run: Run, model: PreTrainedModel) -> dict[str, Tensor]:
    """Name → E|∂L/∂w| of each prunable weight (in its shape), over some training texts, at the model's weights."""
    count, watch = calibration_batches(run, model), GradientWatch(frozenset({"gradient"}))
    with run.console.step("scores of weights", count) as advance, watch.watching(prunable_parameters(model)):
        for loss in losses(run, model, count, advance):
            model.zero_grad(set_to_none=True)
            loss.backward()
    model.zero_grad(set_to_none=True)
    return watch.gradient


def _round(record: RoundRecord) -> dict[str, Any]:
    return {
        "round": record.number - 1,  # round 0 is the dense model
        "sparsity_prunable": record.trained_sparsity,
        "metric_dev": record.metric,
        "seconds": record.seconds,
    }


def _control(run: Run, mask: Mask) -> dict[str, Any]:
    """The random-mask control: same sparsity in each matrix, same training (Chen et al. 2020, table 2)."""
    model = run.pretrained()
    train_like_dense(run, model, "control: random mask", random_mask(mask, seed=run.recipe.seed))
    return quality(run, predictions_of(model, run.texts))["metric"]


def _cost(recipe: Recipe, data: Data) -> Cost:
    rounds = (recipe.ticket.rounds - 1) * data.steps(recipe, recipe.ticket.round_epochs)
    return Cost().plus(rounds + data.steps(recipe, recipe.training.passes) * (1 + recipe.controls))


STAGE = Stage(
    "ticket",
    "Ticket",
    run_ticket,
    needs=("dense",),
    settings=("seed", "ticket", "controls", "embedding"),
    cost=_cost,
    note=scored_note,
)
