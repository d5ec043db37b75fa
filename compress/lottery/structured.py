"""Which heads and neurons stay: scores of whole units over their coupled rows and columns, and the choice by them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from compress.models.anatomy import layers_of
from compress.models.structure import Structure


@dataclass(frozen=True)
class UnitScores:
    """Of one layer: `heads` (h,) and `neurons` (F,), the higher the more is lost by removal."""

    heads: Tensor
    neurons: Tensor

    def plus(self, other: "UnitScores") -> "UnitScores":
        """The sum over two batches."""
        return UnitScores(self.heads + other.heads, self.neurons + other.neurons)


def taylor_scores(model: nn.Module, losses: Iterable[Tensor]) -> list[UnitScores]:
    """Σ |w · ∂L/∂w| over a unit's weights, summed over the calibration `losses` (each a loss of `model`, with a graph).

    Molchanov et al. 2017, equation 8, with coupled weights summed: a head owns its rows of query, key and value and its
    columns of the attention's output; a neuron its row of the inner and its column of the outer matrix.
    """
    found: list[UnitScores] | None = None
    for loss in losses:
        model.zero_grad(set_to_none=True)
        loss.backward()
        sums = _unit_sums(model)
        found = sums if found is None else [a.plus(b) for a, b in zip(found, sums, strict=True)]
    model.zero_grad(set_to_none=True)
    return found or []


def choose_structure(scores: Sequence[UnitScores], *, layers: int, heads: float, neurons: float) -> Structure:
    """Keep the first `layers` layers, and in each the best `heads` and `neurons` (shares, at least one unit).

    Dropping the last layers loses less than dropping middle ones (docs/log.md).
    """
    kept = scores[:layers]
    return Structure(
        tuple(range(len(kept))),
        tuple(_best(s.heads, heads) for s in kept),
        tuple(_best(s.neurons, neurons) for s in kept),
    )


@torch.no_grad()
def _unit_sums(model: nn.Module) -> list[UnitScores]:
    found = []
    for layer in layers_of(model):
        block = layer.feed_forwards[-1]
        rows = sum(_rows(part) for part in (layer.query, layer.key, layer.value)) + _columns(layer.attention_output)
        found.append(UnitScores(rows.view(layer.heads, -1).sum(1), _rows(block.inner) + _columns(block.outer)))
    return found


def _saliency(parameter: nn.Parameter) -> Tensor:
    return (parameter * parameter.grad).abs()


def _rows(linear: nn.Linear) -> Tensor:
    total = _saliency(linear.weight).sum(1)
    return total if linear.bias is None else total + _saliency(linear.bias)


def _columns(linear: nn.Linear) -> Tensor:
    return _saliency(linear.weight).sum(0)


def _best(scores: Tensor, share: float) -> tuple[int, ...]:
    count = max(1, round(share * len(scores)))
    return tuple(sorted(torch.topk(scores, count).indices.tolist()))
