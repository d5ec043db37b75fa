"""Masks that cost less than a full training: stop when the mask has settled, or combine several short trainings.

The winning mask shows long before the weights have converged (You et al. 2020, "early-bird tickets"), and the common
part of several weak masks is better than each of them (Jaiswal et al. 2023, "Instant Soup").
"""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from compress.errors import PocketTicketError
from compress.lottery.mask import Mask


class Settling:
    """Detects when the mask that would be pruned has stopped changing.

    `draw` makes that mask. A call compares it with the mask of the previous call; it returns True once their distance
    (`Mask.distance`) is at most `threshold` for `patience` calls in a row. `distances` holds all of them.
    """

    def __init__(self, draw: Callable[[], Mask], threshold: float, patience: int = 1) -> None:
        self.draw, self.threshold, self.patience = draw, threshold, patience
        self.distances: list[float] = []
        self._last: Mask | None = None

    def __call__(self) -> bool:
        mask = self.draw()
        if self._last is not None:
            self.distances.append(mask.distance(self._last))
        self._last = mask
        calm = self.distances[-self.patience :]
        return len(calm) == self.patience and max(calm) <= self.threshold


@torch.no_grad()
def votes(masks: Sequence[Mask], scores: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Scores by which weights that more masks keep come first; among equals, those with the larger mean score.

    The score of a weight is the number of masks that keep it plus its mean score scaled into [0, 1). All masks and
    scores have the same names and shapes; scores are not negative.
    """
    if not masks or len(masks) != len(scores):
        raise PocketTicketError("votes need a mask and its scores from each training", remedy="give one of each")
    means = {name: torch.stack([run[name].float() for run in scores]).mean(0) for name in masks[0]}
    top = max(float(mean.max()) for mean in means.values()) or 1.0
    result = {}
    for name, mean in means.items():
        kept = torch.stack([mask[name] for mask in masks]).sum(0)
        result[name] = kept.double() + mean.double() / (1.001 * top)
    return result
