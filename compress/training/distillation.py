"""What a student learns from its teacher: softened logits and hidden states.

The teacher answers each training text once, without dropout, before the student's training starts; its answers are kept
in memory, as they are asked for again in every pass.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from compress.kinds import FORMS
from compress.kinds.form import Encoded, Form, batches, padded
from compress.recipe import DistillSection

INDEX = "index"  # the column that says which training text a row is


def soft_cross_entropy(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """T² · KL(softmax(teacher / T) ‖ softmax(student / T)), mean over the batch, of logits (B, L).

    Hinton et al. 2015, equation 1 and section 2.1.
    """
    log_student = F.log_softmax(student / temperature, dim=-1)
    log_teacher = F.log_softmax(teacher / temperature, dim=-1)
    return temperature**2 * F.kl_div(log_student, log_teacher, log_target=True, reduction="batchmean")


def relative_distance(student: Tensor, teacher: Tensor, mask: Tensor) -> Tensor:
    """Σ m‖s − t‖² / Σ m‖t‖² of hidden states (B, T, H) over the tokens where `mask` (B, T) is 1."""
    real = mask.unsqueeze(-1).to(teacher.dtype)
    return ((student - teacher).square() * real).sum() / (teacher.square() * real).sum()


@dataclass(frozen=True)
class Teacher:
    """A teacher's answers to the training texts, and how much of the loss they are.

    `logits` holds each text's (L,) or (T, L); `hidden` its chosen hidden states (K, T, H) in bf16, or is empty.
    """

    settings: DistillSection
    form: Form
    logits: Sequence[Tensor]
    hidden: Sequence[Tensor]

    @classmethod
    @torch.inference_mode()
    def ask(
        cls,
        model: PreTrainedModel,
        texts: Encoded,
        tokenizer: PreTrainedTokenizerBase,
        settings: DistillSection,
        *,
        states: Sequence[int] | None = None,
        advance: Callable[[int], None] = lambda _: None,
    ) -> "Teacher":
        """Let `model` answer every text; `advance` is told how many were answered.

        `states` are the hidden states that the student's own follow, in order (0: embeddings); by default all.
        """
        wanted, form = settings.hidden_weight > 0, FORMS[texts.task.kind]
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        model.to(device).eval()
        logits: list[Tensor] = [torch.empty(0)] * len(texts)
        hidden: list[Tensor] = [torch.empty(0)] * len(texts) if wanted else []
        for chosen, batch in batches(texts, tokenizer, form.batch):
            told = model(**batch.to(device), output_hidden_states=wanted)
            shown = [told.hidden_states[i] for i in states] if wanted and states else told.hidden_states
            shown = torch.stack(tuple(shown)).to(torch.bfloat16).cpu() if wanted else None
            answers = form.logits(told).float().cpu()
            for row, i in enumerate(chosen):
                length = int(batch["attention_mask"][row].sum())
                logits[i] = answers[row] if answers.dim() == 2 else answers[row, :length].clone()
                if shown is not None:
                    hidden[i] = shown[:, row, :length].clone()
            advance(len(chosen))
        model.to("cpu")
        return cls(settings, form, logits, hidden)

    def loss(self, student: nn.Module, inputs: dict[str, Tensor]) -> Tensor:
        """(1 − α) · task loss + α · logits' loss + β · mean relative distance of embeddings and every layer.

        `inputs` holds the student's inputs and labels, and which texts they are (B,) under "index".
        """
        s, rows = self.settings, inputs[INDEX].tolist()
        asked = {name: value for name, value in inputs.items() if name != INDEX}
        told = student(**asked, output_hidden_states=bool(self.hidden))
        given, mask = self.form.logits(told).float(), asked["attention_mask"]
        taught = padded([self.logits[i] for i in rows], mask.shape[1]).to(given.device)
        if taught.shape[-1] == 1:
            follow = F.mse_loss(given, taught)
        else:
            pair = (self.form.distributions(logits, mask) for logits in (given, taught))
            follow = soft_cross_entropy(*pair, s.temperature)
        loss = (1 - s.logits_weight) * told.loss + s.logits_weight * follow
        if self.hidden:
            loss = loss + s.hidden_weight * self._hidden_loss(told.hidden_states, rows, mask)
        return loss

    def _hidden_loss(self, states: Sequence[Tensor], rows: list[int], mask: Tensor) -> Tensor:
        """Mean over the student's states (B, T, H), embeddings first, of the relative distance to the teacher's."""
        taught = torch.zeros(len(states), *states[0].shape, device=mask.device)
        for row, i in enumerate(rows):
            taught[:, row, : self.hidden[i].shape[1]] = self.hidden[i]
        distances = [relative_distance(a.float(), b, mask) for a, b in zip(states, taught, strict=True)]
        return torch.stack(distances).mean()
