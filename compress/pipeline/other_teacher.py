"""Another model as the teacher: of any architecture and tokenizer, for the same labels.

It gives the logits of the student's texts, which it reads with its own tokenizer. Where both tokenizers give the same
tokens it can also teach labels of words, and its last layer's relations between tokens (`distill.relation_weight`).
Hidden states are learned from the student's own dense model: those of another pre-trained encoder have other axes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from compress.data.task import Example, Task
from compress.errors import RecipeError
from compress.kinds.encode import Texts, encode
from compress.kinds.task_type import Encoded
from compress.models.load import examine, load_for, load_tokenizer, named_by, other_outputs
from compress.models.source import resolve_model
from compress.pipeline.run import Inputs, Run
from compress.training.distillation import Teacher
from compress.training.trainer import predict

STAGE_NAME = "teacher"


@dataclass(frozen=True)
class OtherTeacher:
    """The model that `distill.teacher` names, examined for a task; nothing is trained yet.

    `task` is the run's with the checkpoint's names, and its further classes at the end; `kept`: its head has the data's
    labels, so it teaches as it is; `same_tokens`: both tokenizers give the same ids.
    """

    name: str
    source: str
    task: Task
    tokenizer: PreTrainedTokenizerBase
    kept: bool
    same_tokens: bool
    notes: tuple[str, ...]

    @classmethod
    def of(cls, inputs: Inputs) -> "OtherTeacher | None":
        """The teacher of a run; None: the recipe names none. Raises RecipeError or ModelError where it can't teach."""
        wanted = inputs.recipe.distill.teacher
        if not wanted or not inputs.recipe.distill.enabled:
            return None
        name, source = resolve_model(wanted)
        if other := other_outputs(inputs.task, source):
            shown = ", ".join(other[:5]) + (f" and {len(other) - 5:,} more" if len(other) > 5 else "")
            raise RecipeError(
                f"the teacher was fine-tuned for other labels ({shown}) than the data's",
                where=f"distill.teacher {wanted}",
                remedy="give a teacher of the data's labels, or an encoder without a head, which is then fine-tuned",
            )
        limits: dict[str, Any] = {"max_tokens": inputs.recipe.model.max_tokens, "seed": inputs.recipe.seed}
        head, notes = examine(inputs.task, source, **limits)
        tokenizer = load_tokenizer(source)
        same = _same_tokens(inputs, tokenizer)
        if not same and not _by_text(inputs.texts.splits["train"]):
            raise RecipeError(
                f"its tokenizer gives other tokens, and a task of kind {inputs.task.kind} is learned token by token",
                where=f"distill.teacher {wanted}",
                remedy="give a teacher with the student's tokenizer, or texts within --max-tokens",
            )
        task, kept = replace(named_by(inputs.task, source), notes=()), head.state == "kept"
        return cls(name, source, task, tokenizer, kept, same, tuple(notes))

    def note(self) -> str:
        """What it teaches, in a sentence."""
        how = "as it is" if self.kept else "fine-tuned on the same data first"
        tokens = "the same tokens" if self.same_tokens else "its own tokenizer"
        return (
            f"the ticket learns the logits of {self.name} ({how}, with {tokens}); its hidden states follow its own "
            "dense model's"
        )

    def start(self, inputs: Inputs) -> PreTrainedModel:
        """The model before any training."""
        limits: dict[str, Any] = {"max_tokens": inputs.recipe.model.max_tokens, "seed": inputs.recipe.seed}
        return load_for(self.task, self.source, **limits)

    def texts(self, inputs: Inputs) -> Texts:
        """The task as its tokenizer encodes it."""
        return inputs.encoded(self.task, self.tokenizer)


def with_other(teacher: Teacher, run: Run, rows: Encoded) -> Teacher:
    """`teacher`, the run's own dense model, with the logits (and relations) of the teacher that the recipe names.

    `rows` are the student's training texts in the tokens of the run's own, full vocabulary.
    """
    other = OtherTeacher.of(run)
    if other is None:
        return teacher
    model, settings = run.saved(STAGE_NAME), run.recipe.distill
    by_text = _by_text(rows)
    logits: Sequence[Tensor] = ()
    if by_text:
        logits = [torch.from_numpy(row) for row in answers_to(run.task.train, run, model, other)]
    if (settings.relation_weight and other.same_tokens) or not by_text:
        named = set(rows.columns()) - set(other.tokenizer.model_input_names) - {"labels"}
        read = replace(rows, rows=rows.rows.remove_columns(sorted(named)))
        only = settings.model_copy(update={"hidden_weight": 0.0})
        found = Teacher.of(model, read, run.texts.tokenizer, only)
        teacher = replace(teacher, qkv=found.qkv, heads=found.heads)
        logits = logits or [each[..., : run.task.outputs] for each in found.logits]
    return replace(teacher, logits=logits)


def answers_to(examples: Sequence[Example], run: Run, model: PreTrainedModel, other: OtherTeacher) -> np.ndarray:
    """Its logits (N, L) of the run's labels for texts that it reads with its own tokenizer."""
    encoded = encode(examples, other.task, other.tokenizer, run.recipe.model.max_tokens, run.long)
    return predict(model, encoded, other.tokenizer)[:, : run.task.outputs]


def _by_text(train: Encoded) -> bool:
    """Whether there is one prediction a text, so that tokens do not matter."""
    return train.task.of_sentences and not train.windowed


def _same_tokens(inputs: Inputs, tokenizer: PreTrainedTokenizerBase) -> bool:
    own = inputs.texts
    if tokenizer.get_vocab() != own.tokenizer.get_vocab():
        return False
    train = inputs.encoded(inputs.task, tokenizer).splits["train"]
    return list(train.columns()["input_ids"]) == list(own.splits["train"].columns()["input_ids"])
