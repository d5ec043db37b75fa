"""Controls: the same sparsity as the ticket, but with a random mask, random weights or random signs.

Each control is a mask or a state to train like the ticket. If it does as well, the ticket's mask, or its initial
weights, were not what mattered (Frankle & Carbin 2019, section 2; Chen et al. 2020, table 2; Zhou et al. 2019).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from compress.lottery.criteria import CRITERIA, Snapshot
from compress.lottery.mask import Mask
from compress.lottery.observe import state_of
from compress.lottery.rounds import State


def random_mask(mask: Mask, seed: int = 0) -> Mask:
    """A mask that keeps as many weights of each tensor as `mask` does, chosen at random."""
    kept = {}
    for name, keep in mask.items():
        chance = CRITERIA["random"](Snapshot(keep, keep, name=name, seed=seed)).reshape(-1)
        kept[name] = torch.zeros(keep.numel(), dtype=torch.bool)
        kept[name][chance.argsort(stable=True)[: int(keep.sum())]] = True
    return Mask({name: flat.reshape(mask[name].shape) for name, flat in kept.items()})


def reinitialized(build: Callable[[], nn.Module], seed: int = 0) -> State:
    """The state of the same architecture freshly initialized: `build()` makes it, under a seed of its own.

    The global generators are left as they were. With a ticket's mask this is the random re-initialization control.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return state_of(build())


def shuffled(state: Mapping[str, Tensor], mask: Mask, seed: int = 0) -> State:
    """`state` with the values of each prunable tensor in random order: Chen et al.'s "shuffled pre-trained weights"."""
    generator = torch.Generator().manual_seed(seed)
    result = {name: tensor.clone() for name, tensor in state.items()}
    for name in mask:
        result[name] = _permuted(state[name].reshape(-1), generator).reshape(state[name].shape)
    return result


def treated(
    state: Mapping[str, Tensor],
    mask: Mask,
    *,
    magnitudes: Literal["kept", "constant", "shuffled", "redrawn"] = "kept",
    signs: Literal["kept", "shuffled", "random"] = "kept",
    seed: int = 0,
) -> State:
    """The sign experiments of Zhou et al. 2019, section 4: other magnitudes or other signs for the ticket's weights.

    Per tensor, over the weights that the mask keeps. `constant`: the root mean square of the whole initial tensor;
    `shuffled`: the survivors' magnitudes (or signs) in random order; `redrawn`: magnitudes drawn from the whole
    initial tensor, which is re-initialization with the signs kept; `random`: each sign with
    probability 1/2. Pruned weights are zero.
    """
    generator = torch.Generator().manual_seed(seed)
    result = {name: tensor.clone() for name, tensor in state.items()}
    for name, keep in mask.items():
        whole = state[name].detach().to("cpu")
        size, sign = whole[keep].abs(), whole[keep].sign()
        if magnitudes == "constant":
            size = whole.square().mean().sqrt().expand_as(size)
        elif magnitudes == "shuffled":
            size = _permuted(size, generator)
        elif magnitudes == "redrawn":
            drawn = torch.randint(whole.numel(), size.shape, generator=generator)
            size = whole.reshape(-1).abs()[drawn]
        if signs == "shuffled":
            sign = _permuted(sign, generator)
        elif signs == "random":
            sign = torch.randint(0, 2, sign.shape, generator=generator).to(sign) * 2 - 1
        result[name] = torch.zeros_like(whole).masked_scatter_(keep, size * sign).to(state[name])
    return result


@contextmanager
def frozen_at_init(module: nn.Module, mask: Mask, initial: Mapping[str, Tensor]) -> Iterator[None]:
    """Inside, pruned weights are held at their initial values instead of at zero (Zhou et al. 2019, section 3.2).

    The forward pass uses m⊙θ + (1 - m)⊙θ0, so no optimizer and no weight decay can move them. Enter it before the
    optimizer is made.
    """
    held = []
    try:
        for name, keep in mask.items():
            owner, _, own = name.rpartition(".")
            part = module.get_submodule(owner)
            parametrize.register_parametrization(part, own, _Frozen(keep, initial[name]), unsafe=True)
            held.append((part, own))
        yield
    finally:
        for part, own in held:
            parametrize.remove_parametrizations(part, own, leave_parametrized=True)


class _Frozen(nn.Module):
    keep: Tensor
    initial: Tensor

    def __init__(self, keep: Tensor, initial: Tensor) -> None:
        super().__init__()
        self.register_buffer("keep", keep.to(initial.device), persistent=False)
        self.register_buffer("initial", initial.detach().clone(), persistent=False)

    def forward(self, weight: Tensor) -> Tensor:
        return torch.where(self.keep, weight, self.initial)


def _permuted(values: Tensor, generator: torch.Generator) -> Tensor:
    return values[torch.randperm(values.numel(), generator=generator).to(values.device)]
