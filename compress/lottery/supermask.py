"""Supermasks: masks that make an *untrained* network good without changing a weight (Zhou et al. 2019, section 5)."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from compress.errors import PocketTicketError
from compress.lottery.criteria import Criterion, Snapshot, criterion_named, score
from compress.lottery.mask import Mask, Parameters
from compress.lottery.observe import round_seed, seed_everything
from compress.lottery.pruning import Scope, prune
from compress.lottery.rounds import Round
from compress.lottery.search import Train, prunable_by_default


def supermask_by(
    criterion: str | Criterion,
    initial: Mapping[str, Tensor],
    final: Mapping[str, Tensor],
    sparsity: float | Mapping[str, float],
    scope: Scope = "tensor",
    seed: int = 0,
) -> Mask:
    """The mask that a criterion gives after one training, to be applied to `initial`.

    Args:
        initial: name → weight before training, of the prunable parameters.
        final: the same after training.
        criterion: Zhou et al.'s best is "large_final_same_sign".
        sparsity: share of the weights to remove, or one for each group of `scope`.
    """
    snapshots = {
        name: Snapshot(initial[name].detach(), weight.detach(), name=name, seed=seed) for name, weight in final.items()
    }
    return prune(score(criterion_named(criterion), snapshots), Mask.dense(final), sparsity, scope)


@dataclass(frozen=True)
class Supermask:
    """A trained supermask. `scale` is what each tensor's surviving weights are multiplied by (1 without rescaling)."""

    mask: Mask
    scale: dict[str, float]

    @torch.no_grad()
    def apply_(self, parameters: Mapping[str, Tensor]) -> None:
        """θ ← scale·(m⊙θ), in place."""
        self.mask.apply_(parameters)
        for name, parameter in parameters.items():
            parameter.mul_(self.scale[name])


def train_supermask(
    module: nn.Module,
    train: Train,
    *,
    parameters: Parameters | None = None,
    keep: float = 0.5,
    rescale: bool = True,
    seed: int = 0,
) -> Supermask:
    """Learn which weights to keep while every weight, bias and norm stays as it is.

    Each prunable weight w gets a score s; training uses w·b with b ~ Bernoulli(sigmoid(s)) drawn anew in every forward
    pass and the gradient passed straight through to sigmoid(s); evaluation, and the mask found, use sigmoid(s) ≥ 1/2.
    With `rescale` each tensor is multiplied by (weights / kept weights), Zhou et al.'s dynamic weight rescaling.

    Args:
        train: as in `find_ticket`; its optimizer must be given `[p for p in module.parameters() if p.requires_grad]`,
            which are the scores alone. Scores change a lot: use Adam at about 0.05, or SGD at about 100.
        keep: sigmoid of the initial scores, the share of weights kept at first, between 0 and 1.

    The module is left with the supermask applied, its weights' requires_grad as before.
    """
    if not 0 < keep < 1:
        raise PocketTicketError(f"the first share of kept weights is {keep}", remedy="choose one between 0 and 1")
    parameters = dict(parameters) if parameters is not None else prunable_by_default(module)
    trainable = [p for p in module.parameters() if p.requires_grad]
    for parameter in trainable:
        parameter.requires_grad_(False)
    scored: dict[str, _Scored] = {}
    places = {name: (module.get_submodule(name.rpartition(".")[0]), name.rpartition(".")[2]) for name in parameters}
    try:
        for name, (part, own) in places.items():
            scored[name] = _Scored(parameters[name], keep, rescale)
            parametrize.register_parametrization(part, own, scored[name], unsafe=True)
        plan = Round(1, round_seed(seed, 1), Mask.dense(parameters), last=True)
        seed_everything(plan.seed)
        module.train()
        train(module, plan)
    finally:
        for name in scored:
            parametrize.remove_parametrizations(*places[name], leave_parametrized=False)
        for parameter in trainable:
            parameter.requires_grad_(True)
    found = Supermask(
        Mask({name: part.kept() for name, part in scored.items()}),
        {name: part.scale(part.kept()) for name, part in scored.items()},
    )
    found.apply_(parameters)
    return found


class _Scored(nn.Module):
    """weight → scale·(weight⊙b), see `train_supermask`."""

    def __init__(self, weight: Tensor, keep: float, rescale: bool) -> None:
        super().__init__()
        self.scores = nn.Parameter(torch.full_like(weight, float(torch.logit(torch.tensor(keep)))))
        self.rescale = rescale

    def kept(self) -> Tensor:
        """Weights with sigmoid(s) ≥ 1/2, bool."""
        return self.scores.detach() >= 0

    def scale(self, kept: Tensor) -> float:
        """weights / kept weights, or 1."""
        return kept.numel() / max(float(kept.sum()), 1.0) if self.rescale else 1.0

    def forward(self, weight: Tensor) -> Tensor:
        if not self.training:
            kept = self.kept()
            return weight * kept * self.scale(kept)
        probability = self.scores.sigmoid()
        drawn = torch.bernoulli(probability.detach())
        # straight through: the value is `drawn`, the gradient is that of `probability`
        return weight * (drawn + probability - probability.detach()) * self.scale(drawn)
