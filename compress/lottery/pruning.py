"""The pruning step: from scores to the next mask. Which weights are ranked together, and how many each group loses."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from compress.errors import PocketTicketError, TrainingError
from compress.lottery.mask import Mask
from compress.lottery.schedule import slowed

Scope = str | Callable[[str], str]


def layer_of(name: str) -> str:
    """The part of a parameter's name up to its first index ("encoder.layer.3"): what a layer's weights share."""
    match = re.match(r"(?:[^.]+\.)*?\d+(?=\.|$)", name)
    return match.group() if match else name.rpartition(".")[0] or name


def kind_of(name: str) -> str:
    """The name without its indices ("encoder.layer.*.attention.self.query.weight"): the same part in all layers."""
    return re.sub(r"(?<![^.])\d+(?=\.|$)", "*", name)


def stack_of(name: str) -> str:
    """ "layers" for the weights of all numbered layers, which compete, and its own name for any other (a pooler).

    A pooler may be on another scale, as it is not always pre-trained: MiniLM's is a sixth of the layers' size, so that
    global magnitude takes all of it first, and with it every path from the encoder to the classifier.
    """
    return "layers" if re.search(r"(?<![^.])\d+(?=\.|$)", name) else name


SCOPES: dict[str, Callable[[str], str]] = {
    "global": lambda name: "all",
    "stack": stack_of,
    "tensor": lambda name: name,
    "layer": layer_of,
    "kind": kind_of,
}


def grouping(scope: Scope) -> Callable[[str], str]:
    """Name of a parameter → name of the group in which its weights compete. Raises PocketTicketError if unknown."""
    if callable(scope):
        return scope
    if scope not in SCOPES:
        known = ", ".join(SCOPES)
        raise PocketTicketError(f"there is no scope '{scope}'", remedy=f"use one of {known}, or a function of the name")
    return SCOPES[scope]


@dataclass(frozen=True)
class Target:
    """What one pruning step prunes to: `group_of` names the group a weight competes in, `sparsity` is each group's."""

    group_of: Callable[[str], str]
    sparsity: Mapping[str, float]


def targets(
    names: Iterable[str], steps: Sequence[float], scope: Scope = "global", slower: Mapping[str, float] | None = None
) -> list[Target]:
    """The target of each pruning step over the parameters `names`; `steps` is the sparsity after each of them.

    `slower`: name → rate, for tensors that lose only this multiple of the share that others lose (`slowed`).
    Raises PocketTicketError where `slower` has a name that is not among `names`.
    """
    names, slower, shared = list(names), slower or {}, grouping(scope)
    if unknown := slower.keys() - set(names):
        raise PocketTicketError(
            f"'{min(unknown)}' is to be pruned more slowly, but is not prunable", remedy="use the parameters' names"
        )

    def group_of(name: str) -> str:
        return f"slower {name}" if name in slower else shared(name)

    plans = {group_of(name): slowed(steps, slower[name]) if name in slower else steps for name in names}
    return [Target(group_of, {group: plan[i] for group, plan in plans.items()}) for i in range(len(steps))]


def step(scores: Mapping[str, Tensor], mask: Mask, target: Target) -> Mask:
    """One pruning step: the mask that also removes the lowest-scored weights until each group meets the target."""
    return prune(scores, mask, target.sparsity, target.group_of)


def prune(
    scores: Mapping[str, Tensor], mask: Mask, sparsity: float | Mapping[str, float], scope: Scope = "global"
) -> Mask:
    """The mask that also removes the lowest-scored weights, so that each group has the wished sparsity.

    A group of n weights has exactly round(sparsity·n) pruned ones afterwards, or what it had if that is more: a
    pruned weight never comes back. Of equal scores the first (in the mask's order of names, then by index) goes
    first. `sparsity` may be given per group. With scope "global" and |w| as scores, this is
    torch.nn.utils.prune.global_unstructured with L1Unstructured.

    Raises ModelError where scores and mask don't fit, TrainingError for NaN, PocketTicketError for a missing group.
    """
    mask.check_fits(scores)
    group_of = grouping(scope)
    groups: dict[str, list[str]] = {}
    for name in mask:
        groups.setdefault(group_of(name), []).append(name)
    kept: dict[str, Tensor] = {}
    for group, names in groups.items():
        wished = sparsity.get(group) if isinstance(sparsity, Mapping) else sparsity
        if wished is None or not 0 <= wished < 1:
            raise PocketTicketError(
                f"the sparsity {wished} of group '{group}' is not valid", remedy="give 0 to less than 1"
            )
        kept |= _prune_group({name: scores[name] for name in names}, mask, wished)
    return Mask({name: kept[name] for name in mask})


def _prune_group(scores: Mapping[str, Tensor], mask: Mask, sparsity: float) -> dict[str, Tensor]:
    keep = torch.cat([mask[name].reshape(-1) for name in scores])
    values = torch.cat([_flat(part) for part in scores.values()])
    if bool(values.isnan().any()):
        raise TrainingError("the scores contain NaN", where=next(iter(scores)), remedy="lower the learning rate")
    alive = keep.nonzero().reshape(-1)
    count = round(sparsity * keep.numel()) - (keep.numel() - alive.numel())
    if count > 0:
        values = values[alive]
        threshold = values.kthvalue(count).values
        below, equal = values < threshold, (values == threshold).nonzero().reshape(-1)
        keep[alive[below]] = False
        keep[alive[equal[: count - int(below.sum())]]] = False
    sizes = [mask[name].numel() for name in scores]
    return {name: part.reshape(mask[name].shape) for name, part in zip(scores, keep.split(sizes), strict=True)}


def _flat(scores: Tensor) -> Tensor:
    return scores.detach().reshape(-1).to("cpu", torch.promote_types(scores.dtype, torch.float32))
