"""Which heads and neurons stay: scores of whole units over their coupled rows and columns, and the choice by them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from compress.models.anatomy import first_with_its_weights, layers_of
from compress.models.architectures import architecture_of
from compress.models.surgery import Structure, can_resume, layer_outputs, with_layers

_FIRST = 4  # a layer is tried on each so manieth batch first


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


def choose_layers(
    model: nn.Module, count: int, losses: Sequence[Callable[[], float]], advance: Callable[[int], None] = lambda _: None
) -> tuple[int, ...]:
    """The `count` layers that stay: again and again, the layer goes without which the mean of `losses` is least.

    Each of `losses` runs `model` as it is at that moment on a batch of its own. Every layer is tried on a quarter of
    the batches, the best third of them (at least two) on all. The layers before the one that is left out are not
    computed again. `advance` is called after each batch of a trial; `trials` says how often at most.

    Of layers that share their weights an even choice.
    """
    kept = tuple(range(len(layers_of(model))))
    if len(set(first_with_its_weights(layers_of(model)))) == 1:  # all the same: even steps of the teacher's states
        return tuple(round((i + 1) * len(kept) / count) - 1 for i in range(count))
    stays = architecture_of(model).norm_first  # the first layer, which then has no norm of its own
    first = [*losses[::_FIRST]]
    rest = [loss for i, loss in enumerate(losses) if i % _FIRST]
    while len(kept) > count:
        totals = _without_each(model, kept, range(stays, len(kept)), first, advance)
        best = sorted(totals, key=totals.__getitem__)[: _finalists(len(kept))]
        more = _without_each(model, kept, sorted(best), rest, advance)
        gone = min(sorted(best), key=lambda place: totals[place] + more[place])
        kept = (*kept[:gone], *kept[gone + 1 :])
    return kept


def trials(present: int, count: int, batches: int) -> int:
    """How many batches `choose_layers` computes when `count` of the `present` layers stay."""
    first = -(-batches // _FIRST)
    left = range(count + 1, present + 1)
    return sum(n * first + _finalists(n) * (batches - first) for n in left)


def _finalists(layers: int) -> int:
    return min(layers, max(2, -(-layers // 3)))


def _without_each(
    model: nn.Module,
    kept: tuple[int, ...],
    places: Sequence[int],
    losses: Sequence[Callable[[], float]],
    advance: Callable[[int], None],
) -> dict[int, float]:
    """For each of `places` in `kept` the sum of the `losses` without the layer there."""
    totals, resume = dict.fromkeys(places, 0.0), can_resume(model)
    for loss in losses:
        outputs: list[Any] = []
        if resume:
            with with_layers(model, kept), layer_outputs(model) as outputs:
                loss()
        for place in places:
            first = place if resume else 0  # the layers before it were recorded, or are computed again
            left = (*kept[first:place], *kept[place + 1 :])
            with with_layers(model, left, after=outputs[place - 1] if resume and place else None):
                totals[place] += loss()
            advance(1)
    return totals


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
