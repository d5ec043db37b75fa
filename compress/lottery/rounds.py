"""The data types of a search: the round to train, the record of a finished round, the ticket."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from torch import Tensor

from compress.errors import ModelError, PocketTicketError
from compress.lottery import store
from compress.lottery.mask import Mask

State = dict[str, Tensor]
_FORMAT = "pocket-ticket round 1"


@dataclass(frozen=True)
class Rewind:
    """Where surviving weights go after a round, and from which step the learning rate's schedule starts again.

    Make it with `initial()`, `to_step(k)`, `learning_rate(k)` or `none()`.
    """

    weights: Literal["initial", "step", "final"] = "initial"
    step: int = 0
    fine_tune: bool = False

    @classmethod
    def initial(cls) -> "Rewind":
        """To θ0 (Frankle & Carbin 2019; for pre-trained encoders Chen et al. 2020)."""
        return cls()

    @classmethod
    def to_step(cls, step: int) -> "Rewind":
        """To θk, the weights after optimizer step k of the first, dense training (Frankle et al. 2020)."""
        return cls("step", step)

    @classmethod
    def learning_rate(cls, step: int = 0) -> "Rewind":
        """Weights stay; the learning rate's schedule goes back to step k (Renda et al. 2020)."""
        return cls("final", step)

    @classmethod
    def none(cls) -> "Rewind":
        """Weights stay, and training goes on at the schedule's last learning rate."""
        return cls("final", 0, fine_tune=True)

    @classmethod
    def parse(cls, rewind: "Rewind | str") -> "Rewind":
        """From "initial", "none", "learning_rate", "learning_rate:K" or "step:K".

        Raises PocketTicketError for anything else.
        """
        if isinstance(rewind, Rewind):
            return rewind
        word, _, number = rewind.partition(":")
        plain = {"initial": cls.initial, "none": cls.none, "learning_rate": cls.learning_rate}
        numbered = {"learning_rate": cls.learning_rate, "step": cls.to_step}
        if word not in (numbered if number else plain) or (number and not number.isdecimal()):
            remedy = "use initial, step:K, learning_rate, learning_rate:K or none"
            raise PocketTicketError(f"'{rewind}' is not a way to rewind", remedy=remedy)
        return numbered[word](int(number)) if number else plain[word]()


@dataclass(frozen=True)
class Round:
    """What the user's train function gets. Only functions with a learning-rate schedule need it.

    `start_step`: the schedule's step to begin at, 0 for the whole schedule. `fine_tune`: stay at the schedule's last
    learning rate. `seed`: torch, numpy and random are seeded with it already; for trainers that set seeds themselves.
    """

    number: int  # 1 is the dense training; the ticket that was found trains in the last
    seed: int
    mask: Mask
    start_step: int = 0
    fine_tune: bool = False
    last: bool = False


@dataclass(frozen=True)
class FirstTraining:
    """The end of a search's first training, where it was done before: all weights and buffers of the trained network.

    `gradient`: name → E|∂L/∂w| of each prunable weight at the trained weights, for criteria that use it.
    """

    state: State
    gradient: Mapping[str, Tensor] | None = None


@dataclass(frozen=True)
class RoundRecord:
    """A finished round: what was trained, how good it was, and the mask that was pruned from it.

    `metric` is that of the network trained at `trained_sparsity`; `mask`, of `sparsity`, trains in the next round.
    `start` is what the next round starts from, where that is not θ0, before masking.
    """

    number: int
    trained_sparsity: float  # of the prunable weights, while this round trained
    metric: float | None
    steps: int  # optimizer steps of this round's training
    seconds: float
    mask: Mask
    start: State | None = None

    @property
    def sparsity(self) -> float:
        """Share of the prunable weights that are zero after this round's pruning."""
        return self.mask.sparsity

    def save(self, path: Path) -> None:
        """Write the record to one safetensors file, whole or not at all."""
        numbers = ("number", "trained_sparsity", "metric", "steps", "seconds")
        about = {"format": _FORMAT, "sha256": self.mask.hash} | {name: getattr(self, name) for name in numbers}
        tensors = {f"mask/{name}": keep for name, keep in self.mask.items()}
        tensors |= {f"start/{name}": tensor.contiguous() for name, tensor in (self.start or {}).items()}
        store.write(path, tensors, about)

    @classmethod
    def load(cls, path: Path) -> "RoundRecord":
        """Read a record that `save` wrote. Raises ModelError for a missing, foreign or damaged file."""
        remedy = "delete the file and search again"
        tensors, about = store.read(path, format=_FORMAT, what="round of a search", remedy=remedy)
        about.pop("format")
        mask = Mask(_below("mask/", tensors))
        if about.pop("sha256") != mask.hash:
            raise ModelError("the round's mask does not match its hash", where=str(path), remedy=remedy)
        return cls(**about, mask=mask, start=_below("start/", tensors) or None)


@dataclass(frozen=True)
class Ticket:
    """The subnetwork m⊙θ that a search found.

    `start` holds all the weights and buffers that the ticket trains from, already masked. `metric` and `steps` are of
    the ticket's own training, None and 0 where the search did not train it.
    """

    mask: Mask
    start: State
    rounds: tuple[RoundRecord, ...]
    metric: float | None = None
    steps: int = 0
    seconds: float = 0.0

    def curve(self) -> list[tuple[float, float]]:
        """(sparsity of the prunable weights, metric after training at it), from dense to the ticket."""
        points = [(r.trained_sparsity, r.metric) for r in self.rounds]
        if self.steps:
            points.append((self.mask.sparsity, self.metric))
        return [(sparsity, metric) for sparsity, metric in points if metric is not None]


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> State:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
