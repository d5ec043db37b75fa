"""What a student learns from its teacher: softened logits, hidden states, and how its tokens relate to each other.

The teacher answers each training text once, without dropout, before the student's training starts; its answers are kept
in memory, as they are asked for again in every pass.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import gcd

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from compress.kinds import FORMS
from compress.kinds.form import Encoded, Form, batches, padded
from compress.models.anatomy import layers_of
from compress.models.merging import merged
from compress.recipe.sections import DistillSection

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


def relation_divergence(student: Tensor, teacher: Tensor, heads: int, mask: Tensor) -> Tensor:
    """KL(teacher ‖ student) of softmax(A·Aᵀ / √d), the mean over heads and real tokens (MiniLMv2, Wang et al. 2021).

    Both (B, T, W), of widths that may differ, are cut into `heads` parts A (T, d); `mask` (B, T) is 1 at real tokens.
    """

    def log_relations(vectors: Tensor) -> Tensor:
        parts = vectors.unflatten(-1, (heads, -1)).transpose(1, 2)  # (B, heads, T, d)
        scores = parts @ parts.transpose(-1, -2) / parts.shape[-1] ** 0.5
        return scores.masked_fill(~mask.bool()[:, None, None, :], -1e4).log_softmax(dim=-1)

    log_student, log_teacher = log_relations(student), log_relations(teacher)
    each = F.kl_div(log_student, log_teacher, log_target=True, reduction="none").sum(dim=-1)  # (B, heads, T)
    return (each * mask[:, None]).sum() / (heads * mask.sum())


@contextmanager
def last_attention(model: nn.Module) -> Iterator[list[Tensor]]:
    """Within the block, the queries, keys and values (B, T, W) of the last layer, filled by each forward pass."""
    layer, heard = layers_of(model)[-1], [torch.empty(0)] * 3
    hooks = [
        part.register_forward_hook(lambda _, __, out, i=i: heard.__setitem__(i, out))
        for i, part in enumerate((layer.query, layer.key, layer.value))
    ]
    try:
        yield heard
    finally:
        for hook in hooks:
            hook.remove()


@dataclass(frozen=True)
class Teacher:
    """A teacher's answers to the training texts, and how much of the loss they are.

    `logits` holds each text's (L,) or (T, L); `hidden` its chosen hidden states (K, T, H) in bf16, or is empty;
    `attention` its last layer's queries, keys and values (3, T, W) in bf16, or is empty.
    """

    settings: DistillSection
    form: Form
    logits: Sequence[Tensor]
    hidden: Sequence[Tensor]
    attention: Sequence[Tensor] = ()
    heads: int = 0  # of its last layer

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
        attention: list[Tensor] = [torch.empty(0)] * len(texts) if settings.relation_weight else []
        for chosen, batch in batches(texts, tokenizer, form.batch):
            with last_attention(model) as heard:
                told = model(**batch.to(device), output_hidden_states=wanted)
            parts = torch.stack(heard).to(torch.bfloat16).cpu() if attention else None
            shown = [told.hidden_states[i] for i in states] if wanted and states else told.hidden_states
            shown = torch.stack(tuple(shown)).to(torch.bfloat16).cpu() if wanted else None
            answers = form.logits(told).float().cpu()
            for row, i in enumerate(chosen):
                length = int(batch["attention_mask"][row].sum())
                logits[i] = answers[row] if answers.dim() == 2 else answers[row, :length].clone()
                if shown is not None:
                    hidden[i] = shown[:, row, :length].clone()
                if parts is not None:
                    attention[i] = parts[:, row, :length].clone()
            advance(len(chosen))
        model.to("cpu")
        return cls(settings, form, logits, hidden, attention, layers_of(model)[-1].heads)

    def loss(self, student: nn.Module, inputs: dict[str, Tensor]) -> Tensor:
        """(1 − α) · task loss + α · logits' loss + β · mean relative distance of states + γ · mean relation divergence.

        `inputs` holds the student's inputs and labels, and which texts they are (B,) under "index".
        """
        s, rows = self.settings, inputs[INDEX].tolist()
        asked = {name: value for name, value in inputs.items() if name != INDEX}
        with last_attention(student) as heard:
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
        if self.attention:
            heads = gcd(self.heads, layers_of(student)[-1].heads)
            loss = loss + s.relation_weight * self._relation_loss(heard, rows, mask, heads)
        return loss

    def _relation_loss(self, heard: Sequence[Tensor], rows: list[int], mask: Tensor, heads: int) -> Tensor:
        """Mean over queries, keys and values of the last layer, (B, T, W) each."""
        taught = torch.zeros(3, *mask.shape, self.attention[rows[0]].shape[-1], device=mask.device)
        for row, i in enumerate(rows):
            taught[:, row, : self.attention[i].shape[1]] = self.attention[i]
        found = []
        for told, teacher in zip(heard, taught, strict=True):
            teacher, real = as_merged(told, teacher, mask)
            found.append(relation_divergence(told.float(), teacher, heads, real))
        return torch.stack(found).mean()

    def _hidden_loss(self, states: Sequence[Tensor], rows: list[int], mask: Tensor) -> Tensor:
        """Mean over the student's states (B, T, H), embeddings first, of the relative distance to the teacher's."""
        taught = torch.zeros(len(states), *states[0].shape, device=mask.device)
        for row, i in enumerate(rows):
            taught[:, row, : self.hidden[i].shape[1]] = self.hidden[i]
        distances = [relative_distance(a.float(), *as_merged(a, b, mask)) for a, b in zip(states, taught, strict=True)]
        return torch.stack(distances).mean()


def as_merged(student: Tensor, taught: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """`taught` (B, T, H) and `mask` (B, T), merged as often as the student's tokens (B, M, H) are."""
    while taught.shape[1] > student.shape[1]:
        taught, mask = merged(taught, mask)
    return taught, mask
