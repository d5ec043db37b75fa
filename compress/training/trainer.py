"""The one training loop (Hugging Face Trainer) for dense models, rounds of a search, tickets and students.

A mask acts through gradient hooks (`Mask.enforced`), a teacher through the loss; neither changes the loop.
An interrupted training starts again from its beginning: with the same seed it ends at the same weights.
"""

import math
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
import transformers
from torch import nn
from torch.optim.lr_scheduler import LambdaLR, LRScheduler
from transformers import (
    PreTrainedModel,
    PreTrainedTokenizerBase,
    Trainer,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    get_linear_schedule_with_warmup,
)

from compress.console import Advance, Console
from compress.errors import TrainingError
from compress.kinds import task_type_of
from compress.kinds.encode import Texts
from compress.kinds.task_type import Encoded, TaskType, batches
from compress.models.anatomy import embeddings_of, prunable_parameters, stored_matrices
from compress.recipe.sections import TrainingSection
from compress.training.class_weights import balanced_weights, weighted_loss
from compress.training.compact import compact_embedding
from compress.training.distillation import INDEX, Teacher
from compress.training.rounding import rounded_weights

if TYPE_CHECKING:
    from compress.lottery.mask import Mask

_FINE = 0.1  # of the peak: fine-tuning's learning rate, as the linear schedule's own last one is 0


@dataclass(frozen=True)
class Fitted:
    """What a training reports. `curve` holds {"step", "metric_dev", "loss"} at the end of each pass over the data."""

    steps: int
    seconds: float
    curve: tuple[dict[str, float], ...] = field(default=())

    def then(self, last: "Fitted") -> "Fitted":
        """Both trainings, one after the other, as one."""
        moved = tuple({**point, "step": point["step"] + self.steps} for point in last.curve)
        return Fitted(self.steps + last.steps, self.seconds + last.seconds, (*self.curve, *moved))


@dataclass(frozen=True)
class TrainingPlan:
    """What sets one training of a run apart from the others.

    With `start_step` the schedule begins at that step, and so many steps fewer are taken. With `fine_tune` the
    learning rate stays at a tenth of its peak, as at the end of a training. With `rounding` "int8" or "int4" the model
    computes with weights rounded so. With `curve`, dev is evaluated `checks_per_pass` times a pass and at the end.
    Unless `compact`, the word table has all its rows while the model trains: for callers that read the model then.
    """

    name: str  # as shown to people
    epochs: float  # passes over the training data
    seed: int  # of order and dropout
    learning_rate: float | None = None  # the peak; by default that of the settings
    start_step: int = 0
    fine_tune: bool = False
    rounding: str = "none"
    curve: bool = False
    checks_per_pass: int = 1
    compact: bool = True

    def steps(self, a_pass: int) -> int:
        """How many steps are taken, of `a_pass` each pass. Raises TrainingError where none is left."""
        total = math.ceil(a_pass * self.epochs)
        if total <= self.start_step:
            raise TrainingError(
                f"a training of {total} steps can't begin at step {self.start_step}",
                where=self.name,
                remedy="rewind to an earlier step, or train longer",
            )
        return total - self.start_step


@dataclass(frozen=True)
class Learner:
    """The data and settings that all trainings of a run share."""

    texts: Texts
    metric: str
    settings: TrainingSection
    console: Console

    def fit(
        self,
        model: PreTrainedModel,
        plan: TrainingPlan,
        *,
        mask: "Mask | None" = None,
        teacher: Teacher | None = None,
        stop_when: Callable[[PreTrainedModel], bool] | None = None,
    ) -> Fitted:
        """Train `model` in place: AdamW, linear warm-up, then linear decay to 0.

        Weights that `mask` removes are exactly zero from start to end. `stop_when` gets the model
        `plan.checks_per_pass` times a pass; the training ends where it returns True.

        Raises TrainingError when the loss is not a number, or no step is left to take.
        """
        train = self.texts.splits["train"]
        a_pass = math.ceil(len(train) / self.settings.batch_size)
        total = plan.steps(a_pass)
        started = time.monotonic()
        points: list[dict[str, float]] = []
        every = math.ceil(a_pass / plan.checks_per_pass)
        masked = mask.enforced(prunable_parameters(model)) if mask is not None else nullcontext()
        rounded: AbstractContextManager[None] = nullcontext()
        if plan.rounding != "none":
            rounded = rounded_weights(stored_matrices(model).values(), plan.rounding)
        # a masked language model's head needs every word's row
        full_table = model.get_output_embeddings() is not None or not plan.compact
        table = nullcontext() if full_table else compact_embedding(embeddings_of(model).word, self._ids_in_use(model))
        with (
            masked,
            table,
            rounded,
            self._weighted(model),
            self.texts.task_type.training(model),
            tempfile.TemporaryDirectory() as scratch,
            self.console.step(plan.name, total) as advance,
        ):
            trainer = _Loop(
                model=model,
                args=self._arguments(scratch, total, plan),
                train_dataset=train.rows.add_column(INDEX, range(len(train))) if teacher else train.rows,
                data_collator=cast(Any, self.texts.task_type.collator(self.texts.tokenizer)),
                callbacks=[_Progress(self, points if plan.curve else None, advance, every, stop_when)],
            )
            trainer.teacher, trainer.plan, trainer.task_type = teacher, plan, self.texts.task_type
            trainer.remove_callback(transformers.PrinterCallback)
            trainer.train()
        nn.Module.to(model, "cpu").eval()
        return Fitted(steps=trainer.state.global_step, seconds=time.monotonic() - started, curve=tuple(points))

    def evaluate(self, model: PreTrainedModel) -> float:
        """The metric on dev."""
        dev = self.texts.splits["dev"]
        return self.texts.task_type.score_on_dev(predict(model, dev, self.texts.tokenizer), dev, self.metric)

    def _weighted(self, model: PreTrainedModel) -> AbstractContextManager[None]:
        """Within it the classes have the weights of the settings."""
        if self.settings.class_weights == "none":
            return nullcontext()
        train = self.texts.splits["train"]
        return weighted_loss(model, balanced_weights(train.labels, len(train.task.labels)))

    def _ids_in_use(self, model: PreTrainedModel) -> np.ndarray:
        used = set().union(*(self.texts.splits[s].token_ids() for s in ("train", "dev")))
        return np.array(sorted(used | {model.config.pad_token_id}))

    def _arguments(self, scratch: str, steps: int, plan: TrainingPlan) -> TrainingArguments:
        cuda = torch.cuda.is_available()
        return TrainingArguments(
            output_dir=scratch,
            max_steps=steps,
            per_device_train_batch_size=self.settings.batch_size,
            learning_rate=plan.learning_rate or self.settings.peak,
            lr_scheduler_type="linear",
            warmup_steps=round(self.settings.warmup * (plan.start_step + steps)),
            weight_decay=self.settings.weight_decay,
            max_grad_norm=self.settings.max_grad_norm,
            optim="adamw_torch_fused",
            train_sampling_strategy="group_by_length",
            bf16=torch.cuda.is_bf16_supported() if cuda else cpu_has_bf16(),
            use_cpu=not cuda,
            seed=plan.seed,
            data_seed=plan.seed,
            save_strategy="no",
            eval_strategy="no",
            logging_strategy="no",
            report_to="none",
            disable_tqdm=True,
            remove_unused_columns=False,
            dataloader_pin_memory=cuda,
        )


def cpu_has_bf16() -> bool:
    """Whether trainings on this processor multiply in bf16."""
    return torch.ops.mkldnn._is_mkldnn_bf16_supported()


class _Loop(Trainer):
    """Trainer with a teacher in the loss, weight decay on matrices only, and a schedule that may begin anywhere."""

    teacher: Teacher | None = None
    plan: TrainingPlan
    task_type: TaskType

    def create_scheduler(self, num_training_steps: int, optimizer: torch.optim.Optimizer | None = None) -> LRScheduler:
        chosen = optimizer or self.optimizer
        assert chosen is not None  # the Trainer makes it first
        full = self.args.warmup_steps, num_training_steps + self.plan.start_step
        usual = get_linear_schedule_with_warmup(chosen, *full).lr_lambdas[0]
        schedule = LambdaLR(chosen, lambda step: _FINE if self.plan.fine_tune else usual(step + self.plan.start_step))
        self.lr_scheduler = schedule
        return schedule

    def compute_loss(  # type: ignore[override]  # it never returns the outputs
        self, model: PreTrainedModel, inputs: dict[str, Any], return_outputs: bool = False, **_: object
    ) -> torch.Tensor:
        loss: torch.Tensor = self.teacher.loss(model, inputs) if self.teacher else self.task_type.loss(model, inputs)
        if not torch.isfinite(loss):
            raise TrainingError(
                f"the loss became {loss.item()} at step {self.state.global_step + 1}",
                where=self.plan.name,
                remedy="lower training.learning_rate",
            )
        return loss

    def get_decay_parameter_names(self, model: nn.Module) -> list[str]:
        embedded = {id(p) for m in model.modules() if isinstance(m, nn.Embedding) for p in m.parameters()}
        return [n for n, p in model.named_parameters() if p.dim() > 1 and id(p) not in embedded]


class _Progress(transformers.TrainerCallback):
    """Advances the console by each step; every so many steps evaluates dev when a curve is wanted."""

    def __init__(
        self,
        learner: Learner,
        points: list[dict[str, float]] | None,
        advance: Advance,
        every: int,
        stop_when: Callable[[PreTrainedModel], bool] | None,
    ) -> None:
        self.learner, self.points, self.advance = learner, points, advance
        self.every, self.stop_when = every, stop_when

    def on_step_end(  # type: ignore[override]  # the Trainer passes the model by name
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        model: PreTrainedModel,
        **_: object,
    ) -> None:
        self.advance(1)
        if state.global_step % self.every and state.global_step != state.max_steps:
            return
        if self.points is not None:
            training = model.training
            value = self.learner.evaluate(model.eval())
            model.train(training)
            self.points.append({"step": state.global_step, "metric_dev": value})
            self.advance(0, dev=value)
        if self.stop_when is not None and self.stop_when(model):
            control.should_training_stop = True


@torch.inference_mode()
def predict(
    model: PreTrainedModel, split: Encoded, tokenizer: PreTrainedTokenizerBase, batch_size: int | None = None
) -> np.ndarray:
    """The predictions (N, ...) of a split, in its order; for classes and numbers they are the fp32 logits (N, L).

    Those of a long text's windows are merged.
    """
    device, task_type = next(model.parameters()).device, task_type_of(split.task)

    def rows() -> Iterator[tuple[int, np.ndarray]]:
        for chosen, batch in batches(split, tokenizer, batch_size or task_type.batch):
            yield from zip(chosen, task_type.logits(model(**batch.to(device))).float().cpu().numpy(), strict=True)

    return task_type.gather(rows(), split)
