"""The task and the net: scikit-learn's 8×8 digits, a LeNet-300-100, and one training that remembers how it learned."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn

from compress.lottery.mask import Mask
from compress.lottery.observe import round_seed, seed_everything
from compress.lottery.search import prunable_by_default

OUTPUT = "4.weight"  # the output layer, pruned at half the rate
TRAIN, DEV = 1000, 400  # examples; the other 397 are the test split
RATE = 1.2e-3  # Adam's, as in Frankle & Carbin 2019
OTHER_RATES = (2.5e-3, 5e-3)  # at which the main statement is looked at, too
GOAL = 0.95  # dev accuracy; the first step that reaches it measures how fast a net learns


@dataclass(frozen=True)
class Split:
    """x: (N, 64) in 0–1, y: (N,) class 0–9."""

    x: Tensor
    y: Tensor


@cache
def splits() -> dict[str, Split]:
    """train, dev and test: stratified, the same for every seed, no example in two of them."""
    x, y = load_digits(return_X_y=True)
    rest_x, train_x, rest_y, train_y = train_test_split(x, y, test_size=TRAIN, stratify=y, random_state=0)
    test_x, dev_x, test_y, dev_y = train_test_split(rest_x, rest_y, test_size=DEV, stratify=rest_y, random_state=0)
    parts = {"train": (train_x, train_y), "dev": (dev_x, dev_y), "test": (test_x, test_y)}
    return {n: Split(torch.tensor(x / 16, dtype=torch.float32), torch.tensor(y)) for n, (x, y) in parts.items()}


def lenet(seed: int) -> nn.Module:
    """64-300-100-10 with Glorot's Gaussian initialization, as in Frankle & Carbin 2019; 50,200 weights."""
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(64, 300), nn.ReLU(), nn.Linear(300, 100), nn.ReLU(), nn.Linear(100, 10))
    for layer in (net[0], net[2], net[4]):
        nn.init.xavier_normal_(layer.weight)
        nn.init.zeros_(layer.bias)
    return net


@dataclass
class Curve:
    """Dev loss, dev and test accuracy every few steps of one training.

    What is reported is the test accuracy at the step that the *dev* loss chooses (early stopping), and that step.
    """

    steps: list[int] = field(default_factory=list)
    dev_loss: list[float] = field(default_factory=list)
    dev: list[float] = field(default_factory=list)
    test: list[float] = field(default_factory=list)

    @torch.no_grad()
    def look(self, net: nn.Module, step: int) -> None:
        """Add a point."""
        dev, test = splits()["dev"], splits()["test"]
        logits = net(dev.x)
        self.steps.append(step)
        self.dev_loss.append(float(nn.functional.cross_entropy(logits, dev.y)))
        self.dev.append(share_right(logits, dev.y))
        self.test.append(share_right(net(test.x), test.y))

    @property
    def _stop(self) -> int:
        return min(range(len(self.steps)), key=self.dev_loss.__getitem__)

    @property
    def stop(self) -> int:
        """The step of the lowest dev loss."""
        return self.steps[self._stop]

    @property
    def speed(self) -> int:
        """The first step at which dev accuracy reaches GOAL; the whole training's steps where it never does."""
        return next((step for step, dev in zip(self.steps, self.dev, strict=True) if dev >= GOAL), self.steps[-1])

    @property
    def accuracy(self) -> float:
        """Test accuracy at that step."""
        return self.test[self._stop]


@torch.no_grad()
def accuracy(net: nn.Module, split: str) -> float:
    """Share of a split's digits that the net gets right."""
    return share_right(net(splits()[split].x), splits()[split].y)


def share_right(logits: Tensor, y: Tensor) -> float:
    """logits (N, 10), y (N,)."""
    return float((logits.argmax(1) == y).float().mean())


def adam(parameters: Iterable[nn.Parameter], rate: float = RATE) -> torch.optim.Optimizer:
    """The optimizer of every training here."""
    return torch.optim.Adam(parameters, lr=rate, fused=True)


def fit(net: nn.Module, steps: int, optimizer: torch.optim.Optimizer | None = None, every: int = 10) -> Curve:
    """Frankle & Carbin's training: Adam, batches of 60; the order of examples follows the global generator."""
    train, curve = splits()["train"], Curve()
    optimizer = optimizer or adam(net.parameters())
    order = iter(())
    for step in range(1, steps + 1):
        batch = next(order, None)
        if batch is None:
            order = iter(torch.randperm(TRAIN).split(60))
            batch = next(order)
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(train.x[batch]), train.y[batch]).backward()
        optimizer.step()
        if step % every == 0:
            net.eval()
            curve.look(net, step)
            net.train()
    return curve


def fit_masked(net: nn.Module, mask: Mask, steps: int, seed: int) -> Curve:
    """Train m⊙θ from where the net stands."""
    seed_everything(round_seed(seed, 0))
    with mask.enforced(prunable_by_default(net)):
        return fit(net, steps)
