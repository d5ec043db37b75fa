"""A small net and a task that it can learn, shared by the lottery's tests."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from compress.lottery import Round


def make_net(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(12, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 3)
    )


@pytest.fixture
def net() -> nn.Module:
    return make_net()


@pytest.fixture
def small() -> SimpleNamespace:
    """`make_net`, `task`, `train` and `evaluate`, to hand to a search."""
    return SimpleNamespace(make_net=make_net, train=train, evaluate=evaluate, task=task)


def task() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(7)
    x = torch.randn(96, 12, generator=generator)
    return x, (x @ torch.randn(12, 3, generator=generator)).argmax(1)


def train(module: nn.Module, round: Round, steps: int = 12) -> None:
    """AdamW with decoupled weight decay on shuffled batches: order and dropout follow the global generator."""
    x, y = task()
    optimizer = torch.optim.AdamW(module.parameters(), lr=1e-2, weight_decay=0.1)
    for _ in range(steps - round.start_step):
        batch = torch.randperm(len(x))[:32]
        loss = nn.functional.cross_entropy(module(x[batch]), y[batch])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimizer.step()


@torch.no_grad()
def evaluate(module: nn.Module) -> float:
    x, y = task()
    return float((module(x).argmax(1) == y).float().mean())
