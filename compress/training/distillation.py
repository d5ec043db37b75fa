"""Distillation: the student learns from its teacher's softened logits, hidden states, and relations between tokens.

The teacher runs once over each training text, without dropout, before the student's training starts; its outputs stay
in memory, as every pass over the data uses them.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import gcd

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils.generic import ModelOutput

from compress.kinds import task_type_of
from compress.kinds.task_type import Encoded, TaskType, batches, padded
from compress.models.anatomy import layers_of
from compress.models.merging import merged
from compress.models.pooling import prefixes_of
from compress.recipe.sections import DistillSection

INDEX = "index"  # the column that says which training text a row is


def soft_cross_entropy(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """T² · KL(softmax(teacher / T) ‖ softmax(student / T)), mean over the batch, of logits (B, L).

    Hinton et al. 2015, equation 1 and section 2.1.
    """
    log_student = F.log_softmax(student / temperature, dim=-1)
    log_teacher = F.log_softmax(teacher / temperature, dim=-1)
    return temperature**2 * F.kl_div(log_student, log_teacher, log_target=True, reduction="batchmean")


def soft_binary_cross_entropy(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """T² · KL(σ(teacher / T) ‖ σ(student / T)) of independent labels, mean over batch and labels, of logits (B, L).

    It is the binary cross entropy against the teacher's probabilities without the teacher's own entropy, and has its
    gradient; the mean over labels is that of the task's own loss.
    """
    target = torch.sigmoid(teacher / temperature)
    cross = F.binary_cross_entropy_with_logits(student / temperature, target)
    return temperature**2 * (cross - F.binary_cross_entropy_with_logits(teacher / temperature, target))


def relative_distance(student: Tensor, teacher: Tensor, mask: Tensor) -> Tensor:
    """Σ m‖s − t‖² / Σ m‖t‖² of hidden states (B, T, H) over the tokens where the attention `mask` (B, T) is 1."""
    real = mask.unsqueeze(-1).to(teacher.dtype)
    return ((student - teacher).square() * real).sum() / (teacher.square() * real).sum()


def vector_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean of 1 − cosine of vectors (B, D)."""
    return (1 - F.cosine_similarity(student, teacher)).mean()


def similarity_divergence(student: Tensor, teacher: Tensor) -> Tensor:
    """KL(teacher ‖ student) of softmax(cosines / 0.05) of each text to the others in the batch; vectors are (B, D).

    The mean over texts; 0 for fewer than three, which have no choice of a nearest one.
    """
    if len(student) < 3:
        return student.sum() * 0

    def log_similarities(vectors: Tensor) -> Tensor:
        unit = F.normalize(vectors, dim=-1)
        scores = unit @ unit.T / 0.05
        own = torch.eye(len(unit), dtype=torch.bool, device=unit.device)
        return scores.masked_fill(own, -1e4).log_softmax(dim=-1)

    return F.kl_div(log_similarities(student), log_similarities(teacher), log_target=True, reduction="batchmean")


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
def last_qkv(model: nn.Module) -> Iterator[list[Tensor]]:
    """Within the block, the queries, keys and values (B, T, W) of the last layer; each forward pass fills the list."""
    layer, qkv = layers_of(model)[-1], [torch.empty(0)] * 3

    def keep(number: int) -> Callable[[nn.Module, object, Tensor], None]:
        def hook(_: nn.Module, __: object, output: Tensor) -> None:
            qkv[number] = output

        return hook

    hooks = [
        part.register_forward_hook(keep(number)) for number, part in enumerate((layer.query, layer.key, layer.value))
    ]
    try:
        yield qkv
    finally:
        for handle in hooks:
            handle.remove()


@dataclass(frozen=True)
class Teacher:
    """A teacher's outputs for the training texts, and their weights in the student's loss.

    `logits` holds each text's (L,) or (T, L); `hidden` its chosen hidden states (K, T, H) in bf16, or is empty;
    `prefixes` are the lengths to which a vector may be cut, each of which has a loss of its own.
    `qkv` the last layer's queries, keys and values (3, T, W) in bf16, or is empty.
    """

    settings: DistillSection
    task_type: TaskType
    logits: Sequence[Tensor]
    hidden: Sequence[Tensor]
    qkv: Sequence[Tensor] = ()
    heads: int = 0  # of its last layer
    prefixes: tuple[int, ...] = ()
    similarity_weight: float = 0.0

    @classmethod
    @torch.inference_mode()
    def of(
        cls,
        model: PreTrainedModel,
        texts: Encoded,
        tokenizer: PreTrainedTokenizerBase,
        settings: DistillSection,
        *,
        states: Sequence[int] | None = None,
        advance: Callable[[int], None] = lambda _: None,
    ) -> "Teacher":
        """Run `model` over every text; `advance` is called with the number of texts that are done.

        `states` are the hidden states that the student's hidden states learn from, in order (0: embeddings); by
        default all.
        """
        with_hidden, task_type = settings.hidden_weight > 0, task_type_of(texts.task)
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        nn.Module.to(model, device).eval()
        logits: list[Tensor] = [torch.empty(0)] * len(texts)
        hidden: list[Tensor] = [torch.empty(0)] * len(texts) if with_hidden else []
        qkv: list[Tensor] = [torch.empty(0)] * len(texts) if settings.relation_weight else []
        for chosen, batch in batches(texts, tokenizer, task_type.batch):
            with last_qkv(model) as last:
                outputs = model(**batch.to(device), output_hidden_states=with_hidden)
            stacked_qkv = torch.stack(last).to(torch.bfloat16).cpu() if qkv else None
            stacked_hidden = None
            if with_hidden:
                every = outputs.hidden_states
                picked = [every[i] for i in states] if states else list(every)
                stacked_hidden = torch.stack(picked).to(torch.bfloat16).cpu()
            batch_logits = task_type.logits(outputs).float().cpu()
            for row, i in enumerate(chosen):
                length = int(batch["attention_mask"][row].sum())
                logits[i] = batch_logits[row] if batch_logits.dim() == 2 else batch_logits[row, :length].clone()
                if stacked_hidden is not None:
                    hidden[i] = stacked_hidden[:, row, :length].clone()
                if stacked_qkv is not None:
                    qkv[i] = stacked_qkv[:, row, :length].clone()
            advance(len(chosen))
        nn.Module.to(model, "cpu")
        return cls(settings, task_type, logits, hidden, qkv, layers_of(model)[-1].heads)

    def of_vectors(self, basis: Tensor | None, similarity_weight: float) -> "Teacher":
        """For students whose vectors are projected by `basis` (D, H), and may be cut to D/2, D/4, ... at least 64."""
        logits, prefixes = self.logits, self.prefixes
        if basis is not None:
            logits = [F.normalize(basis @ vector, dim=-1) for vector in self.logits]
            prefixes = prefixes_of(len(basis))
        return replace(self, logits=logits, prefixes=prefixes, similarity_weight=similarity_weight)

    def loss(self, student: PreTrainedModel, inputs: dict[str, Tensor]) -> Tensor:
        """(1 − α) · task loss + α · soft loss + β · mean relative distance of states + γ · mean relation divergence.

        `inputs` holds the student's inputs and labels, and which texts they are (B,) under "index".
        """
        settings, rows = self.settings, inputs[INDEX].tolist()
        student_inputs = {name: value for name, value in inputs.items() if name != INDEX}
        with last_qkv(student) as student_qkv:
            outputs = student(**student_inputs, output_hidden_states=bool(self.hidden))
        student_logits, mask = self.task_type.logits(outputs).float(), student_inputs["attention_mask"]
        teacher_logits = padded([self.logits[i] for i in rows], mask.shape[1]).to(student_logits.device)
        if self.task_type.vectors:
            return self._vectors_loss(student_logits, teacher_logits, outputs, rows, mask)
        if self.task_type.independent:
            soft_loss = soft_binary_cross_entropy(student_logits, teacher_logits, settings.temperature)
        elif teacher_logits.shape[-1] == 1:
            soft_loss = F.mse_loss(student_logits, teacher_logits)
        else:
            student_rows = self.task_type.distributions(student_logits, mask)
            teacher_rows = self.task_type.distributions(teacher_logits, mask)
            soft_loss = soft_cross_entropy(student_rows, teacher_rows, settings.temperature)
        loss: Tensor = (1 - settings.logits_weight) * outputs.loss + settings.logits_weight * soft_loss
        if self.hidden:
            loss = loss + settings.hidden_weight * self._hidden_loss(outputs.hidden_states, rows, mask)
        if self.qkv:
            heads = gcd(self.heads, layers_of(student)[-1].heads)
            loss = loss + settings.relation_weight * self._relation_loss(student_qkv, rows, mask, heads)
        return loss

    def _vectors_loss(
        self, student: Tensor, teacher: Tensor, outputs: ModelOutput, rows: list[int], mask: Tensor
    ) -> Tensor:
        """The distance of vectors (B, D) and of their similarities, the mean over prefixes, and the states' distance.

        There are no labels. Kusupati et al. 2022 (Matryoshka) give each prefix its own loss, too.
        """
        lengths = self.prefixes or (student.shape[1],)
        losses = [
            vector_distance(student[:, :n], teacher[:, :n])
            + self.similarity_weight * similarity_divergence(student[:, :n], teacher[:, :n])
            for n in lengths
        ]
        loss = torch.stack(losses).mean()
        if self.hidden:
            loss = loss + self.settings.hidden_weight * self._hidden_loss(outputs["hidden_states"], rows, mask)
        return loss

    def _relation_loss(self, student_qkv: Sequence[Tensor], rows: list[int], mask: Tensor, heads: int) -> Tensor:
        """Mean over queries, keys and values of the last layer, (B, T, W) each."""
        teacher_qkv = _padded_states([self.qkv[i] for i in rows], mask)
        losses = []
        for student, teacher in zip(student_qkv, teacher_qkv, strict=True):
            merged_teacher, real = merged_like(student, teacher, mask)
            losses.append(relation_divergence(student.float(), merged_teacher, heads, real))
        return torch.stack(losses).mean()

    def _hidden_loss(self, states: Sequence[Tensor], rows: list[int], mask: Tensor) -> Tensor:
        """Mean over the student's states (B, T, H), embeddings first, of the relative distance to the teacher's."""
        teacher_states = _padded_states([self.hidden[i] for i in rows], mask)
        pairs = zip(states, teacher_states, strict=True)
        return torch.stack([relative_distance(s.float(), *merged_like(s, t, mask)) for s, t in pairs]).mean()


def _padded_states(texts: Sequence[Tensor], mask: Tensor) -> Tensor:
    """Texts' states (K, T', W), each of its own length, as one fp32 tensor (K, B, T, W), zeros at padding."""
    found = torch.zeros(texts[0].shape[0], *mask.shape, texts[0].shape[-1], device=mask.device)
    for row, states in enumerate(texts):
        found[:, row, : states.shape[1]] = states
    return found


def merged_like(student: Tensor, teacher: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """`teacher` (B, T, H) and `mask` (B, T), merged as often as the student's tokens (B, M, H) are."""
    while teacher.shape[1] > student.shape[1]:
        teacher, mask = merged(teacher, mask)
    return teacher, mask
