"""What a student learns from its teacher: softened logits and hidden states."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from compress.recipe import DistillSection


def soft_cross_entropy(student: torch.Tensor, teacher: torch.Tensor, temperature: float) -> torch.Tensor:
    """T² · KL(softmax(teacher / T) ‖ softmax(student / T)), mean over the batch (Hinton et al. 2015, eq. 1 and section 2.1).

    Logits are (B, L).
    """
    log_student = F.log_softmax(student / temperature, dim=-1)
    log_teacher = F.log_softmax(teacher / temperature, dim=-1)
    return temperature**2 * F.kl_div(log_student, log_teacher, log_target=True, reduction="batchmean")


def relative_distance(student: torch.Tensor, teacher: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Σ m‖s − t‖² / Σ m‖t‖² of hidden states (B, T, H) over the tokens where `mask` (B, T) is 1."""
    real = mask.unsqueeze(-1).to(teacher.dtype)
    return ((student - teacher).square() * real).sum() / (teacher.square() * real).sum()


@dataclass(frozen=True)
class Teacher:
    """The dense model and how much of the loss is its. Its answers are computed as they are needed, without dropout."""

    model: nn.Module
    settings: DistillSection

    def loss(self, student: nn.Module, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        """(1 − α) · task loss + α · logits' loss + β · mean relative distance of embeddings and every layer."""
        s, hidden = self.settings, self.settings.hidden_weight > 0
        self.model.to(inputs["input_ids"].device)
        with torch.no_grad():
            asked = {name: value for name, value in inputs.items() if name != "labels"}
            taught = self.model(**asked, output_hidden_states=hidden)
        told = student(**inputs, output_hidden_states=hidden)
        if taught.logits.shape[-1] == 1:
            follow = F.mse_loss(told.logits.float(), taught.logits.float())
        else:
            follow = soft_cross_entropy(told.logits.float(), taught.logits.float(), s.temperature)
        loss = (1 - s.logits_weight) * told.loss + s.logits_weight * follow
        if hidden:
            pairs = zip(told.hidden_states, taught.hidden_states, strict=True)
            distances = [relative_distance(a.float(), b.float(), inputs["attention_mask"]) for a, b in pairs]
            loss = loss + s.hidden_weight * torch.stack(distances).mean()
        return loss
