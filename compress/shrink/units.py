"""Which heads and neurons stay: scores of whole units over their coupled rows and columns, and the choice by them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from compress.models.anatomy import first_with_its_weights, layers_of
from compress.models.architectures import architecture_of
from compress.models.surgery import Structure, with_layers


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
        sums = _unit_sums(model, lambda p: (p * p.grad).abs() if p.grad is not None else torch.zeros_like(p))
        found = sums if found is None else [a.plus(b) for a, b in zip(found, sums, strict=True)]
    model.zero_grad(set_to_none=True)
    return found or []


def magnitude_scores(model: nn.Module) -> list[UnitScores]:
    """Σ |w| over a unit's coupled weights (as `taylor_scores` couples them)."""
    return _unit_sums(model, torch.abs)


def random_scores(model: nn.Module, seed: int) -> list[UnitScores]:
    """Random scores: the control."""
    random = torch.Generator().manual_seed(seed)
    found = [
        UnitScores(torch.rand(len(s.heads), generator=random), torch.rand(len(s.neurons), generator=random))
        for s in magnitude_scores(model)
    ]
    return [found[i] for i in first_with_its_weights(layers_of(model))]


def choose_layers(model: nn.Module, count: int, loss: Callable[[], float]) -> tuple[int, ...]:
    """The `count` layers that stay: again and again, the layer is removed whose removal raises `loss()` least.

    Of layers that share their weights an even choice.
    """
    kept = tuple(range(len(layers_of(model))))
    if len(set(first_with_its_weights(layers_of(model)))) == 1:  # all the same: even steps of the teacher's states
        return tuple(round((i + 1) * len(kept) / count) - 1 for i in range(count))

    def loss_of(layers: tuple[int, ...]) -> float:
        with with_layers(model, layers):
            return loss()

    may_go = kept[1:] if architecture_of(model).norm_first else kept  # its first layer has no norm of its own
    while len(kept) > count:
        kept = min((tuple(i for i in kept if i != gone) for gone in kept if gone in may_go), key=loss_of)
    return kept


def choose_structure(
    scores: Sequence[UnitScores], *, layers: Sequence[int], heads: Sequence[int], neurons: Sequence[int]
) -> Structure:
    """Keep `layers`, and in each as many of the best units as `heads` and `neurons` say for it."""
    kept = [scores[i] for i in layers]
    return Structure(
        tuple(layers),
        tuple(_best(s.heads, count) for s, count in zip(kept, heads, strict=True)),
        tuple(_best(s.neurons, count) for s, count in zip(kept, neurons, strict=True)),
    )


@torch.no_grad()
def _unit_sums(model: nn.Module, saliency: Callable[[Tensor], Tensor]) -> list[UnitScores]:
    def rows(linear: nn.Linear) -> Tensor:
        total = saliency(linear.weight).sum(1)
        return total if linear.bias is None else total + saliency(linear.bias)

    def columns(linear: nn.Linear) -> Tensor:
        return saliency(linear.weight).sum(0)

    found = []
    for layer in layers_of(model):
        block = layer.feed_forwards[-1]
        heads = sum(rows(part) for part in (layer.query, layer.key, layer.value)) + columns(layer.attention_output)
        neurons = rows(block.inner) + columns(block.outer)
        if block.gate is not None:
            neurons = neurons + rows(block.gate)
        found.append(UnitScores(heads.view(layer.heads, -1).sum(1), neurons))
    return found


def _best(scores: Tensor, count: int) -> tuple[int, ...]:
    return tuple(sorted(torch.topk(scores, count).indices.tolist()))
