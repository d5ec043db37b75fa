"""Scores that are learned: a gate on every head and neuron, trained with a price on being open.

The weights stay as they are. A head's gate multiplies its columns before the attention's output matrix, a neuron's its
activation; all begin at 1. Training lowers the task's loss plus a price for each open gate (Liu et al. 2017, network
slimming, put the price on the scales of norms), so that the gates of units that the loss does not need close first.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from compress.models.anatomy import first_with_its_weights, layers_of
from compress.shrink.units import UnitScores

RATE = 0.02  # Adam's: a gate that nothing holds open closes in 50 steps
PRICE = 10.0  # of 0.3 to 100 the best on TREC: docs/log.md


def gate_scores(model: nn.Module, losses: Iterable[Tensor], *, price: float = PRICE) -> list[UnitScores]:
    """How far each unit's gate is open after a step on each of the `losses`, which are computed one by one.

    `price`: of an open gate, as a multiple of the median |∂L/∂gate| of the first loss.
    """
    frozen = [p for p in model.parameters() if p.requires_grad]
    for parameter in frozen:
        parameter.requires_grad_(False)
    try:
        with gated(model) as gates:
            opened = list({id(gate): gate for pair in gates for gate in (pair.heads, pair.neurons)}.values())
            optimizer, unit = torch.optim.Adam(opened, lr=RATE), None
            for loss in losses:
                optimizer.zero_grad()
                loss.backward()
                gradients = [gate.grad for gate in opened if gate.grad is not None]
                if unit is None:
                    unit = torch.cat([gradient.abs() for gradient in gradients]).median()
                for gradient in gradients:
                    gradient += price * unit
                optimizer.step()
                for gate in opened:
                    gate.data.clamp_(min=0)
            return [UnitScores(pair.heads.detach().clone(), pair.neurons.detach().clone()) for pair in gates]
    finally:
        for parameter in frozen:
            parameter.requires_grad_(True)


@contextmanager
def gated(model: nn.Module) -> Iterator[list[UnitScores]]:
    """Within the block every head and neuron of `model` is multiplied by a gate: of each layer `heads`, `neurons`."""
    gates: list[UnitScores] = []
    hooks = []
    layers = layers_of(model)
    first = first_with_its_weights(layers)
    for i, layer in enumerate(layers):
        if first[i] != i:  # a gate is one of weights, however often they run
            gates.append(gates[first[i]])
            continue
        block = layer.feed_forwards[-1]
        pair = UnitScores(torch.ones(layer.heads), torch.ones(block.outer.in_features))
        for gate, size, reader in (
            (pair.heads, layer.head_size, layer.attention_output),
            (pair.neurons, 1, block.outer),
        ):
            gate.requires_grad_(True)
            hooks.append(
                reader.register_forward_pre_hook(
                    lambda _, args, gate=gate, size=size: (args[0] * gate.repeat_interleave(size), *args[1:])
                )
            )
        gates.append(pair)
    try:
        yield gates
    finally:
        for hook in hooks:
            hook.remove()
