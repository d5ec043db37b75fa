"""All that is measured for one seed: the search, its controls, signs, criteria and supermasks."""

import time
from dataclasses import dataclass
from functools import partial

import torch
from torch import nn

from benchmarks.digits.task import OTHER_RATES, OUTPUT, RATE, Curve, accuracy, adam, fit, fit_masked, lenet
from compress.lottery import Mask, Round, find_ticket
from compress.lottery.controls import frozen_at_init, random_mask, reinitialized, treated
from compress.lottery.observe import set_state_, state_of
from compress.lottery.rounds import State
from compress.lottery.search import prunable_by_default
from compress.lottery.supermask import supermask_by, train_supermask

CRITERIA = (
    "magnitude",
    "large_final_same_sign",
    "magnitude_increase",
    "weight_change",
    "taylor",
    "movement_pruning",
    "random",
    "small_final",
)
SUPERMASK_CRITERIA = (
    *("large_final_same_sign", "magnitude", "magnitude_increase", "random", "small_final", "weight_change"),
)
SUPERMASK_SPARSITIES = (0.3, 0.5, 0.7, 0.8, 0.9)


@dataclass(frozen=True)
class Settings:
    """How much is done; the defaults are the benchmark, smaller ones are for tests."""

    rounds: int = 18  # of 20 % of the remaining weights each, 10 % in the output layer
    steps: int = 1000
    control_every: int = 3  # controls are trained at every third level

    @property
    def sparsity(self) -> float:
        return 1 - 0.8**self.rounds

    @property
    def levels(self) -> list[int]:
        """The rounds whose masks get controls."""
        return list(range(self.rounds, 0, -self.control_every))[::-1]

    @property
    def treated_levels(self) -> list[int]:
        """The rounds whose masks get the sign experiments: the sparser half of the above."""
        return self.levels[len(self.levels) // 2 :]


Numbers = dict[str, float]


def point(mask: Mask, curve: Curve) -> Numbers:
    """What is kept of a training."""
    return {"density": mask.density, "accuracy": curve.accuracy, "stop": curve.stop, "speed": curve.speed}


def run_seed(seed: int, settings: Settings) -> dict:
    """Every number of one seed, as plain JSON."""
    torch.set_num_threads(1)
    began = time.process_time()
    lottery = Lottery(seed, settings)
    found = {
        "seed": seed,
        "iterative": [point(m, c) for m, c in zip(lottery.masks, lottery.curves, strict=True)],
        "curves": {str(level): {"steps": c.steps, "test": c.test} for level, c in enumerate(lottery.curves)},
        "controls": lottery.controls(),
        "treatments": lottery.treatments(),
        "criteria": criteria(seed, settings),
        "gentle": gentle(seed, settings),
        "rates": other_rates(seed, settings),
        "supermasks": lottery.supermasks(),
    }
    return found | {"cpu_minutes": (time.process_time() - began) / 60}


class Lottery:
    """One seed's search; `masks[level]` and `curves[level]` start with the dense net at level 0."""

    def __init__(self, seed: int, settings: Settings) -> None:
        self.seed, self.settings = seed, settings
        self.net = lenet(seed)
        self.initial = state_of(self.net)
        self.curves: list[Curve] = []
        self.dense_final: State = {}
        ticket = find_ticket(
            self.net,
            self._train,
            sparsity=settings.sparsity,
            rounds=settings.rounds,
            schedule="share_of_remaining",
            scope="tensor",
            slower={OUTPUT: 0.5},
            seed=seed,
        )
        self.masks = [Mask.dense(prunable_by_default(self.net)), *(record.mask for record in ticket.rounds)]

    def _train(self, net: nn.Module, round: Round) -> None:
        self.curves.append(fit(net, self.settings.steps))
        if round.number == 1:
            self.dense_final = state_of(net)

    def _outcome(self, start: State, mask: Mask) -> Numbers:
        set_state_(self.net, start)
        return point(mask, fit_masked(self.net, mask, self.settings.steps, self.seed))

    def controls(self) -> dict[str, list[Numbers]]:
        """At some levels: the mask with new weights, a random mask with θ0, and the one-shot mask with θ0."""
        fresh = reinitialized(partial(lenet, self.seed + 1000), self.seed + 1000)
        found = {"reinitialized": [], "random_mask": [], "one_shot": []}
        for level in self.settings.levels:
            found["reinitialized"].append(self._outcome(fresh, self.masks[level]))
            found["random_mask"].append(self._outcome(self.initial, random_mask(self.masks[level], self.seed)))
            found["one_shot"].append(self._outcome(self.initial, self._one_shot(level)))
        return found

    def _one_shot(self, level: int) -> Mask:
        """The dense net pruned at once, each tensor to the sparsity that the iterative mask of the level has."""
        wished = {name: 1 - float(keep.float().mean()) for name, keep in self.masks[level].items()}
        return supermask_by("magnitude", self.initial, self._dense_final(), wished, "tensor")

    def _dense_final(self) -> State:
        return {name: self.dense_final[name] for name in prunable_by_default(self.net)}

    def treatments(self) -> dict[str, list[Numbers]]:
        """At some levels: other magnitudes or signs for the ticket's weights, and freezing instead of zeroing."""
        found: dict[str, list[Numbers]] = {}
        for level in self.settings.treated_levels:
            mask = self.masks[level]
            for magnitudes in ("kept", "constant", "shuffled", "redrawn"):
                for signs in ("kept", "random"):
                    start = treated(self.initial, mask, magnitudes=magnitudes, signs=signs, seed=self.seed)
                    found.setdefault(f"{magnitudes}/{signs}", []).append(self._outcome(start, mask))
            set_state_(self.net, self.initial)
            with frozen_at_init(self.net, mask, self.initial):
                curve = fit(self.net, self.settings.steps)
            found.setdefault("frozen", []).append(point(mask, curve))
        return found

    def supermasks(self) -> dict[str, Numbers]:
        """Test accuracy of untrained weights under a mask; each one's sparsity is chosen on dev."""
        constant = treated(self.initial, self.masks[0], magnitudes="constant")
        set_state_(self.net, self.initial)
        found = {"untrained": {"density": 1.0, "accuracy": accuracy(self.net, "test")}}
        for criterion in SUPERMASK_CRITERIA:
            found[criterion] = self._best_supermask(criterion, self.initial)
        found["large_final_same_sign/constant"] = self._best_supermask("large_final_same_sign", constant)
        found["trained"] = self._trained_supermask(self.initial)
        found["trained/constant"] = self._trained_supermask(constant)
        return found

    def _best_supermask(self, criterion: str, start: State) -> Numbers:
        def measured(sparsity: float) -> tuple[float, Numbers]:
            mask = supermask_by(criterion, self.initial, self._dense_final(), sparsity, "tensor", self.seed)
            set_state_(self.net, start)
            mask.apply_(prunable_by_default(self.net))
            return accuracy(self.net, "dev"), {"density": mask.density, "accuracy": accuracy(self.net, "test")}

        return max((measured(s) for s in SUPERMASK_SPARSITIES), key=lambda found: found[0])[1]

    def _trained_supermask(self, start: State) -> Numbers:
        def train(net: nn.Module, round: Round) -> None:
            scores = [p for p in net.parameters() if p.requires_grad]
            fit(net, self.settings.steps, adam(scores, 0.05))

        set_state_(self.net, start)
        found = train_supermask(self.net, train, seed=self.seed)
        return {"density": found.mask.density, "accuracy": accuracy(self.net, "test")}


def criteria(seed: int, settings: Settings) -> dict[str, list[Numbers]]:
    """Iterative searches that differ in the criterion alone, in rounds of 49 % (three of the main search's)."""
    rounds = max(settings.rounds // 3, 1)
    return {name: searched(seed, settings, rounds, 0.8**3, criterion=name) for name in CRITERIA}


def gentle(seed: int, settings: Settings) -> list[Numbers]:
    """The main search in rounds of 10 % of the remaining weights (5 % in the output layer), down to about 12 %."""
    return searched(seed, settings, min(settings.rounds + 2, 20), 0.9)


def other_rates(seed: int, settings: Settings) -> dict[str, list[Numbers]]:
    """The main search at other learning rates, down to the first level at or below 20 % of the weights."""
    rounds = min(settings.rounds, 8)
    return {f"{rate:g}": searched(seed, settings, rounds, 0.8, rate=rate) for rate in OTHER_RATES}


def searched(
    seed: int, settings: Settings, rounds: int, left: float, criterion: str = "magnitude", rate: float = RATE
) -> list[Numbers]:
    """A search whose rounds leave the share `left` of the weights; one point a level, the dense net's first."""
    curves: list[Curve] = []

    def train(net: nn.Module, round: Round) -> None:
        curves.append(fit(net, settings.steps, adam(net.parameters(), rate)))

    net = lenet(seed)
    ticket = find_ticket(
        net,
        train,
        sparsity=1 - left**rounds,
        rounds=rounds,
        schedule="share_of_remaining",
        criterion=criterion,
        scope="tensor",
        slower={OUTPUT: 0.5},
        seed=seed,
    )
    masks = [Mask.dense(prunable_by_default(net)), *(record.mask for record in ticket.rounds)]
    return [point(mask, curve) for mask, curve in zip(masks, curves, strict=True)]
