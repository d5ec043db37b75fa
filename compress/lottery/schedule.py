"""How sparsity grows over the rounds, which weights compete, and the pruning step: from scores to the next mask."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from compress.errors import PocketTicketError, TrainingError
from compress.lottery.mask import Mask

Schedule = Callable[[float, int], list[float]]
Scope = str | Callable[[str], str]


def points_of_original(sparsity: float, rounds: int) -> list[float]:
    """The same number of weights each round: s·r/R. What the public BERT-Tickets code does; our default."""
    return [sparsity * number / rounds for number in range(1, rounds + 1)]


def share_of_remaining(sparsity: float, rounds: int) -> list[float]:
    """The same share of what remains each round: 1 - (1 - s)^(r/R). Frankle & Carbin 2019."""
    return [1 - (1 - sparsity) ** (number / rounds) for number in range(1, rounds)] + [sparsity]


def one_shot(sparsity: float, rounds: int) -> list[float]:
    """All at once, after the first training; `rounds` makes no difference."""
    return [sparsity]


def cubic(sparsity: float, rounds: int) -> list[float]:
    """Much early, little late: s·(1 - (1 - r/R)³). Zhu & Gupta 2017, eq. 1, from a sparsity of 0."""
    return [sparsity * (1 - (1 - number / rounds) ** 3) for number in range(1, rounds + 1)]


SCHEDULES: dict[str, Schedule] = {f.__name__: f for f in (points_of_original, share_of_remaining, one_shot, cubic)}


def sparsities(schedule: str | Schedule | Sequence[float], sparsity: float, rounds: int) -> list[float]:
    """The sparsity after each round. A sequence of numbers is its own schedule and must end at `sparsity`.

    Raises PocketTicketError for an unknown name, for numbers outside [0, 1), and for a sparsity that falls.
    """
    if not 0 <= sparsity < 1:
        raise PocketTicketError(f"the sparsity is {sparsity}", remedy="choose one from 0 to below 1")
    if rounds < 1:
        raise PocketTicketError(f"the number of rounds is {rounds}", remedy="choose 1 or more")
    if isinstance(schedule, str):
        if schedule not in SCHEDULES:
            known = ", ".join(SCHEDULES)
            raise PocketTicketError(f"there is no schedule '{schedule}'", remedy=f"use one of {known}")
        schedule = SCHEDULES[schedule]
    steps = schedule(sparsity, rounds) if callable(schedule) else list(schedule)
    if not steps or any(not 0 <= s < 1 for s in steps) or any(b < a for a, b in pairwise(steps)):
        raise PocketTicketError(f"the schedule {steps} is not valid", remedy="give growing numbers from 0 to below 1")
    if abs(steps[-1] - sparsity) > 1e-9:
        raise PocketTicketError(f"the schedule ends at {steps[-1]}, not at {sparsity}", remedy="make them the same")
    return steps


def slowed(steps: Sequence[float], rate: float) -> list[float]:
    """The sparsities of a tensor that loses only `rate` times the share of its remaining weights that others lose.

    Frankle & Carbin 2019 prune the output layer at half the rate: 20 % of what remains a round, 10 % there.
    """
    if not 0 <= rate <= 1:
        raise PocketTicketError(f"the pruning rate is {rate}", remedy="choose one from 0 to 1")
    before, density, result = 1.0, 1.0, []
    for sparsity in steps:
        density *= 1 - rate * (1 - (1 - sparsity) / before)
        before = 1 - sparsity
        result.append(1 - density)
    return result


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
                f"the sparsity {wished} of group '{group}' is not valid", remedy="give a number from 0 to below 1"
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
