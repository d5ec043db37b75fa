"""Which weights stay: pure scores of single weights. Pruning removes the lowest.

A criterion is a function of one parameter's `Snapshot` that returns a score for each weight, in the parameter's shape.
The mask criteria are those of Zhou et al. 2019, "Deconstructing Lottery Tickets", section 3; the two that use
gradients are Taylor's (Molchanov et al. 2017) and the movement pruning of Sanh et al. 2020.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from compress.errors import PocketTicketError, TrainingError


@dataclass(frozen=True)
class Snapshot:
    """What is known about one parameter after a training; all tensors have the parameter's shape.

    `gradient` is E|∂L/∂w| at the end of the training, `drift` is -Σ w·∂L/∂w over its steps; each is None unless the
    criterion needs it (`uses`). `seed` and `name` make the random criterion repeatable.
    """

    initial: Tensor
    final: Tensor
    gradient: Tensor | None = None
    drift: Tensor | None = None
    name: str = ""
    seed: int = 0


Criterion = Callable[[Snapshot], Tensor]


def uses(*fields: str) -> Callable[[Criterion], Criterion]:
    """Mark a criterion as one that needs `gradient` or `drift`, which cost time to collect and are else not there."""

    def mark(criterion: Criterion) -> Criterion:
        criterion.uses = frozenset(fields)  # type: ignore[attr-defined]
        return criterion

    return mark


def magnitude(weights: Snapshot) -> Tensor:
    """|w_f|, "large final": Frankle & Carbin 2019."""
    return weights.final.abs()


def small_final(weights: Snapshot) -> Tensor:
    """-|w_f|: the negative control; it must do worse than random."""
    return -weights.final.abs()


def large_initial(weights: Snapshot) -> Tensor:
    """|w_i|: needs no training."""
    return weights.initial.abs()


def small_initial(weights: Snapshot) -> Tensor:
    """-|w_i|."""
    return -weights.initial.abs()


def large_initial_large_final(weights: Snapshot) -> Tensor:
    """min(|w_f|, |w_i|): large before and after."""
    return torch.minimum(weights.final.abs(), weights.initial.abs())


def small_initial_small_final(weights: Snapshot) -> Tensor:
    """-max(|w_f|, |w_i|): small before and after."""
    return -torch.maximum(weights.final.abs(), weights.initial.abs())


def magnitude_increase(weights: Snapshot) -> Tensor:
    """|w_f| - |w_i|."""
    return weights.final.abs() - weights.initial.abs()


def weight_change(weights: Snapshot) -> Tensor:
    """|w_f - w_i|: how far training moved the weight, in either direction (Zhou et al. call it "movement")."""
    return (weights.final - weights.initial).abs()


def large_final_same_sign(weights: Snapshot) -> Tensor:
    """max(0, w_f·sign(w_i)): large at the end, and on the side of zero where it began."""
    return (weights.final * weights.initial.sign()).clamp_min(0)


def large_final_different_sign(weights: Snapshot) -> Tensor:
    """max(0, -w_f·sign(w_i)): the negative control of the one above."""
    return (-weights.final * weights.initial.sign()).clamp_min(0)


def magnitude_increase_same_sign(weights: Snapshot) -> Tensor:
    """|w_f| - |w_i| where the sign did not change; other weights come last, in the order of how far they fell."""
    increase = weights.final.abs() - weights.initial.abs()
    changed = weights.final * weights.initial < 0
    return torch.where(changed, -(weights.final.abs() + weights.initial.abs()), increase)


@uses("gradient")
def taylor(weights: Snapshot) -> Tensor:
    """|w_f|·E|∂L/∂w|: the first-order estimate of what the loss would gain by the weight's removal."""
    return weights.final.abs() * _collected(weights.gradient, "gradient")


@uses("drift")
def movement_pruning(weights: Snapshot) -> Tensor:
    """-Σ w·∂L/∂w over the training: weights that gradient descent drove away from zero (Sanh et al. 2020, eq. 3)."""
    return _collected(weights.drift, "drift")


def random(weights: Snapshot) -> Tensor:
    """Uniform numbers that depend on the seed, the parameter's name and nothing else: the control."""
    digest = hashlib.sha256(f"{weights.seed}/{weights.name}".encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest[:8], "little") >> 1)
    # double: 2⁻⁵³ steps make ties, which position would break, as good as impossible
    return torch.rand(weights.final.shape, generator=generator, dtype=torch.float64)


CRITERIA: dict[str, Criterion] = {
    criterion.__name__: criterion
    for criterion in (
        magnitude,
        magnitude_increase,
        weight_change,
        taylor,
        movement_pruning,
        random,
        small_final,
        large_initial,
        small_initial,
        large_initial_large_final,
        small_initial_small_final,
        large_final_same_sign,
        large_final_different_sign,
        magnitude_increase_same_sign,
    )
} | {"large_final": magnitude}


def criterion_named(name: str | Criterion) -> Criterion:
    """The criterion of that name (or the function itself). Raises PocketTicketError for an unknown one."""
    if callable(name):
        return name
    if name not in CRITERIA:
        known = ", ".join(sorted(CRITERIA))
        raise PocketTicketError(f"there is no criterion '{name}'", remedy=f"use one of {known}")
    return CRITERIA[name]


@torch.no_grad()
def score(criterion: Criterion, snapshots: Mapping[str, Snapshot]) -> dict[str, Tensor]:
    """Name → score of each weight, in the parameter's shape.

    Raises TrainingError for a score that is not a number, PocketTicketError for one of the wrong shape.
    """
    scores = {}
    for name, weights in snapshots.items():
        values = criterion(weights)
        if values.shape != weights.final.shape:
            shapes = f"{tuple(values.shape)}, the weights {tuple(weights.final.shape)}"
            raise PocketTicketError(f"the scores' shape is {shapes}", where=name, remedy="score each weight once")
        if bool(values.isnan().any()):
            raise TrainingError("the scores contain NaN", where=name, remedy="lower the learning rate")
        scores[name] = values
    return scores


def _collected(values: Tensor | None, field: str) -> Tensor:
    if values is None:
        raise PocketTicketError(f"this criterion needs the snapshot's {field}", remedy=f"mark it with @uses('{field}')")
    return values
