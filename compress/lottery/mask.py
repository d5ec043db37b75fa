"""The mask m of a ticket m⊙θ: which prunable weights stay, and the guarantee that the others are exactly zero."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from compress.errors import ModelError, TrainingError
from compress.lottery import store

Parameters = Mapping[str, nn.Parameter]
_FORMAT = "pocket-ticket mask 1"


class Mask(Mapping[str, Tensor]):
    """Name → bool tensor in the parameter's shape; True: the weight stays, False: it is pruned.

    A mask never changes: pruning further makes a new one. Do not write into the tensors it hands out.
    Raises ModelError for anything but bool (or 0/1 uint8) tensors under non-empty names.
    """

    __slots__ = ("_kept", "_tensors")

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        if not tensors:
            raise ModelError("a mask needs at least one tensor", remedy="name the weights that may be pruned")
        self._tensors = {name: _as_bool(name, tensor) for name, tensor in tensors.items()}
        self._kept = sum(int(tensor.sum()) for tensor in self._tensors.values())

    @classmethod
    def dense(cls, parameters: Mapping[str, Tensor]) -> "Mask":
        """The mask that keeps every weight of `parameters`."""
        return cls({name: torch.ones(p.shape, dtype=torch.bool) for name, p in parameters.items()})

    def __getitem__(self, name: str) -> Tensor:
        return self._tensors[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mask):
            return NotImplemented
        return self.keys() == other.keys() and all(torch.equal(keep, other[name]) for name, keep in self.items())

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Mask({len(self)} tensors, {self.kept:,} of {self.total:,} weights kept, {self.sparsity:.2%} pruned)"

    @property
    def total(self) -> int:
        """How many prunable weights there are."""
        return sum(keep.numel() for keep in self._tensors.values())

    @property
    def kept(self) -> int:
        """How many of them stay."""
        return self._kept

    @property
    def density(self) -> float:
        """Share of the prunable weights that stay."""
        return self.kept / self.total

    @property
    def sparsity(self) -> float:
        """Share of the *prunable* weights that are zero."""
        return (self.total - self.kept) / self.total

    @property
    def sparsest(self) -> tuple[str, float]:
        """The tensor that lost the largest share of its weights, and that share: 1 is a broken network."""
        shares = {name: 1 - int(keep.sum()) / keep.numel() for name, keep in self.items()}
        return max(shares.items(), key=lambda item: item[1])

    def sparsity_of(self, model: nn.Module) -> float:
        """Share of *all* the model's weights, embeddings and biases included, that this mask makes zero."""
        return (self.total - self.kept) / sum(p.numel() for p in model.parameters())

    @property
    def hash(self) -> str:
        """SHA-256 over names, shapes and bits, hexadecimal: the same mask has the same hash on any machine."""
        digest = hashlib.sha256()
        for name in sorted(self):
            digest.update(json.dumps([name, list(self[name].shape)]).encode())
            digest.update(np.packbits(self[name].numpy().reshape(-1)).tobytes())
        return digest.hexdigest()

    def distance(self, other: "Mask") -> float:
        """Share of the prunable weights on which two masks disagree (normalized Hamming distance, 0–1).

        Raises ModelError where the masks are of different weights.
        """
        self.check_fits(other)
        return sum(int((keep ^ other[name]).sum()) for name, keep in self.items()) / self.total

    def check_fits(self, tensors: Mapping[str, Tensor]) -> None:
        """Raise ModelError unless `tensors` has exactly this mask's names and shapes."""
        if missing := sorted(self.keys() - tensors.keys()):
            raise ModelError(f"the mask names {_some(missing)}, which the model does not have", remedy=_REMEDY)
        if unmasked := sorted(tensors.keys() - self.keys()):
            raise ModelError(f"the mask says nothing about {_some(unmasked)}", remedy=_REMEDY)
        for name, keep in self.items():
            if keep.shape != tensors[name].shape:
                shapes = f"{tuple(keep.shape)}, the weight {tuple(tensors[name].shape)}"
                raise ModelError(f"the mask's shape is {shapes}", where=name, remedy=_REMEDY)

    @torch.no_grad()
    def apply_(self, parameters: Mapping[str, Tensor]) -> None:
        """Set the pruned weights to zero in place: θ ← m⊙θ. Raises ModelError where mask and weights don't fit."""
        self.check_fits(parameters)
        for name, parameter in parameters.items():
            parameter.masked_fill_(~self[name].to(parameter.device), 0)

    @contextmanager
    def enforced(self, parameters: Parameters) -> Iterator[None]:
        """Inside, pruned weights are exactly zero whatever first-order optimizer trains the model.

        Weights are multiplied by the mask once, and each gradient right when it is accumulated. A weight of zero with
        a gradient of zero stays zero through momentum, Adam's moments and decoupled or L2 weight decay, and gradient
        clipping sees the norm of the ticket's own gradient, as if the forward pass had used m⊙θ.

        Raises TrainingError on leaving if a pruned weight is no longer zero (an optimizer that brought momentum along
        from before the pruning does that).
        """
        self.apply_(parameters)
        handles = [
            parameter.register_post_accumulate_grad_hook(_GradientMask(self[name]))
            for name, parameter in parameters.items()
            if parameter.requires_grad and not bool(self[name].all())
        ]
        try:
            yield
            self.check_enforced(parameters)
        finally:
            for handle in handles:
                handle.remove()

    @torch.no_grad()
    def check_enforced(self, parameters: Mapping[str, Tensor]) -> None:
        """Raise TrainingError unless every pruned weight is exactly zero."""
        for name, parameter in parameters.items():
            if count := int(parameter.masked_fill(self[name].to(parameter.device), 0).count_nonzero()):
                raise TrainingError(
                    f"{count:,} pruned weights are not zero",
                    where=name,
                    remedy="make a new optimizer for every training, and do not assign weights inside it",
                )

    def save(self, path: Path) -> None:
        """Write the mask as safetensors (bool), whole or not at all."""
        store.write(path, self._tensors, {"format": _FORMAT, "sha256": self.hash})

    @classmethod
    def load(cls, path: Path) -> "Mask":
        """Read a mask that `save` wrote. Raises ModelError for a missing, foreign or damaged file."""
        remedy = "find the ticket again, or give the mask.safetensors of a finished run"
        tensors, about = store.read(path, format=_FORMAT, what="mask", remedy=remedy)
        mask = cls(tensors)
        if mask.hash != about.get("sha256"):
            raise ModelError("the mask's content does not match its hash", where=str(path), remedy=remedy)
        return mask


_REMEDY = "use the mask with the model that it was found for"


class _GradientMask:
    """Multiplies a parameter's gradient by its mask, in place.

    By 0/1 in the gradient's own type: the quickest of the in-place forms (benchmarks/masking.py); a bool mask costs
    twice as much and masked_fill_ ten times, because a random mask defeats branch prediction.
    """

    def __init__(self, keep: Tensor) -> None:
        self.keep = keep

    def __call__(self, parameter: Tensor) -> None:
        gradient = parameter.grad
        assert gradient is not None  # the hook runs when it has been accumulated
        if self.keep.dtype != gradient.dtype or self.keep.device != gradient.device:
            self.keep = self.keep.to(gradient)  # once: where the trainer put the model is known only now
        gradient.mul_(self.keep)


def _as_bool(name: str, tensor: Tensor) -> Tensor:
    if not isinstance(name, str) or not name:
        raise ModelError("a mask's tensors need names", remedy="use the parameters' names in the model")
    if not isinstance(tensor, Tensor):
        raise ModelError(f"a mask holds tensors, not {type(tensor).__name__}", where=name, remedy="give bool tensors")
    if tensor.dtype == torch.uint8 and bool((tensor <= 1).all()):
        tensor = tensor.bool()
    if tensor.dtype != torch.bool:
        raise ModelError(f"a mask is bool, not {tensor.dtype}", where=name, remedy="compare scores with a threshold")
    if tensor.numel() == 0:
        raise ModelError("the tensor has no weights", where=name, remedy="leave empty parameters out")
    return tensor.detach().to("cpu", copy=True).contiguous()


def _some(names: list[str], most: int = 3) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
