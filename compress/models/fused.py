"""Fused matrices in parts: ModernBERT computes query, key and value by one matrix, and its gate beside the inner one.

Masks, surgery and lowering work on the parts. `divide_` gives a loaded model one Linear for each; `joined` is the state
with the names and shapes of transformers, which is what is saved.
"""

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn

from compress.models.anatomy import encoder_of
from compress.models.architectures import architecture_of

Model = TypeVar("Model", bound=nn.Module)


class Parts(nn.Module):
    """(…, H) → (…, rows of all parts): a Linear whose rows belong to several parts of equal size."""

    def __init__(self, fused: nn.Linear, names: Sequence[str]) -> None:
        super().__init__()
        size = fused.out_features // len(names)
        for number, name in enumerate(names):
            rows = slice(number * size, (number + 1) * size)
            part = nn.Linear(fused.in_features, size, bias=fused.bias is not None)
            part.weight = nn.Parameter(fused.weight.detach()[rows].clone())
            if fused.bias is not None:
                part.bias = nn.Parameter(fused.bias.detach()[rows].clone())
            self.add_module(name, part)
        self.register_load_state_dict_pre_hook(_divide_state)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([part(x) for part in self.children()], -1)

    def joined(self) -> nn.Linear:
        """One Linear with the rows of all parts."""
        parts = [cast(nn.Linear, part) for part in self.children()]
        whole = nn.Linear(parts[0].in_features, sum(part.out_features for part in parts), parts[0].bias is not None)
        with torch.no_grad():
            whole.weight.copy_(torch.cat([part.weight for part in parts]))
            if whole.bias is not None:
                whole.bias.copy_(torch.cat([part.bias for part in parts]))
        return whole


def divide_(model: Model) -> Model:
    """Give `model`, in place, one Linear for each part of its fused matrices. Returns it; others stay as they are."""
    for owner, name, names in _fused(model):
        if isinstance(fused := getattr(owner, name), nn.Linear):
            setattr(owner, name, Parts(fused, names))
    return model


def join_(model: Model) -> Model:
    """Give `model`, in place, its fused matrices back, as transformers has them. Returns it."""
    for owner, name, _ in _fused(model):
        if isinstance(parts := getattr(owner, name), Parts):
            setattr(owner, name, parts.joined())
    return model


def joined(model: nn.Module) -> dict[str, Tensor]:
    """The model's state, with fused matrices as transformers names them."""
    state = dict(model.state_dict())
    for place, module in model.named_modules():
        if not isinstance(module, Parts):
            continue
        for kind in ("weight", "bias"):
            parts = [state.pop(key, None) for name, _ in module.named_children() for key in (f"{place}.{name}.{kind}",)]
            if parts[0] is not None:
                state[f"{place}.{kind}"] = torch.cat(cast(list[Tensor], parts))
    return state


def _fused(model: nn.Module) -> Iterator[tuple[nn.Module, str, tuple[str, ...]]]:
    row = architecture_of(model)
    for block in encoder_of(model).get_submodule(row.layers).children() if row.fused else ():
        for path, names in row.fused.items():
            owner, _, name = path.rpartition(".")
            yield block.get_submodule(owner), name, names


def _divide_state(module: nn.Module, state: dict[str, Any], prefix: str, *_: object) -> None:
    """Take a state with the fused matrix, too."""
    names = [name for name, _ in module.named_children()]
    for kind in ("weight", "bias"):
        if (whole := state.pop(prefix + kind, None)) is not None:
            for name, part in zip(names, whole.chunk(len(names)), strict=True):
                state[f"{prefix}{name}.{kind}"] = part
