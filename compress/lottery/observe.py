"""What a search records while the user's function trains: optimizer steps, weights at step k, gradients."""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.optimizer import register_optimizer_step_post_hook

from compress.lottery.rounds import State


@torch.no_grad()
def state_of(module: nn.Module) -> State:
    """A copy of all weights and buffers, on their devices."""
    return {name: tensor.detach().clone() for name, tensor in module.state_dict().items() if isinstance(tensor, Tensor)}


@torch.no_grad()
def set_state_(module: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Write `state_of`'s copy back, bit for bit, into the same parameter objects."""
    for name, tensor in module.state_dict().items():
        if isinstance(tensor, Tensor):
            tensor.copy_(state[name])


def seed_everything(seed: int) -> None:
    """Seed torch (all devices), numpy's and Python's global generators."""
    torch.manual_seed(seed)
    np.random.seed(seed)
    random.seed(seed)


def round_seed(seed: int, number: int) -> int:
    """A round's own seed, unlike that of any other round of any other search."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


class StepCounter:
    """Counts the optimizer steps that change a module's parameters, and copies its state after step `keep`."""

    def __init__(self, module: nn.Module, keep: int | None = None) -> None:
        self.module, self.keep = module, keep
        self.kept: State | None = state_of(module) if keep == 0 else None
        self._steps: Counter[int] = Counter()

    @property
    def steps(self) -> int:
        """Steps so far; of several optimizers, the largest count."""
        return max(self._steps.values(), default=0)

    @contextmanager
    def counting(self) -> Iterator["StepCounter"]:
        """Inside, every torch optimizer's steps are seen, however the training is written."""
        own = {id(parameter) for parameter in self.module.parameters()}

        def after_step(optimizer: torch.optim.Optimizer, args: object, kwargs: object) -> None:
            if not any(id(p) in own for group in optimizer.param_groups for p in group["params"]):
                return
            before = self.steps
            self._steps[id(optimizer)] += 1
            if before < self.steps == self.keep:
                self.kept = state_of(self.module)

        handle = register_optimizer_step_post_hook(after_step)
        try:
            yield self
        finally:
            handle.remove()


class GradientWatch:
    """Collects, during training, what the gradient criteria need (see `criteria.Snapshot`).

    `gradient`: the mean of |∂L/∂w| over the backward passes, after the first `memory` of them an exponential one
    over about so many, so that it describes the trained weights; `drift`: -Σ w·∂L/∂w over all of them.
    """

    def __init__(self, fields: frozenset[str], memory: int = 100) -> None:
        self.fields, self.memory = fields, memory
        self._passes: Counter[str] = Counter()
        self.gradient: dict[str, Tensor] = {}
        self.drift: dict[str, Tensor] = {}

    @contextmanager
    def watching(self, parameters: Mapping[str, nn.Parameter]) -> Iterator["GradientWatch"]:
        """Inside, every gradient is looked at when it has been accumulated (and masked)."""
        handles = []
        if self.fields:
            for name, parameter in parameters.items():
                if parameter.requires_grad:
                    handles.append(parameter.register_post_accumulate_grad_hook(self._hook(name)))
        try:
            yield self
        finally:
            for handle in handles:
                handle.remove()

    def of(self, field: str, name: str, like: Tensor) -> Tensor | None:
        """What was collected for one parameter: zeros where no gradient reached it, None if no criterion needs it."""
        return getattr(self, field).get(name, torch.zeros_like(like)) if field in self.fields else None

    def _hook(self, name: str) -> Callable[[Tensor], None]:
        @torch.no_grad()
        def look(parameter: Tensor) -> None:
            assert parameter.grad is not None  # the hook runs when it has been accumulated
            gradient = parameter.grad.float()
            self._passes[name] += 1
            if "gradient" in self.fields:
                mean = self.gradient.setdefault(name, torch.zeros_like(gradient))
                mean.lerp_(gradient.abs(), 1 / min(self._passes[name], self.memory))
            if "drift" in self.fields:
                pull = parameter.detach().float() * gradient
                self.drift[name] = self.drift[name].sub_(pull) if name in self.drift else -pull

        return look
