"""The winning rule of the papers, over seeds, and the sentences that say its result."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean, stdev
from typing import Any

import numpy as np

from compress.errors import PocketTicketError
from compress.evaluation.statistics import Estimate

RULE = (
    "a ticket wins if, trained like the dense model, its mean test metric over the seeds is within one standard "
    "deviation of the dense model's, or better"
)


@dataclass(frozen=True)
class SeedVerdict:
    """The papers' rule applied: `winning` is None where the seeds do not decide it, and `reason` says why."""

    winning: bool | None
    reason: str | None
    dense: tuple[float, ...]
    ticket: tuple[float, ...]
    rule: str = RULE

    def as_report(self) -> dict[str, Any]:
        """The keys winning_ticket, rule and seeds of report.json's verdict."""
        return {
            "winning_ticket": self.winning,
            "rule": self.rule,
            "seeds": {"dense": seed_summary(self.dense), "ticket": seed_summary(self.ticket)},
        }

    def not_measured(self) -> dict[str, str]:
        """The entries of report.json's not_measured that go with `as_report`."""
        reasons = {} if self.reason is None else {"verdict.winning_ticket": self.reason}
        for name, values in (("dense", self.dense), ("ticket", self.ticket)):
            if len(values) < 2:
                reasons[f"verdict.seeds.{name}.std"] = "one seed has no spread"
        return reasons


def winning_ticket(dense: Sequence[float], ticket: Sequence[float], *, higher_is_better: bool = True) -> SeedVerdict:
    """Whether a ticket matches: mean(ticket) ≥ mean(dense) − s(dense), s with n − 1 (Chen et al. 2020, section 3.2).

    `dense` and `ticket` are test metrics over seeds, trained for the same steps; both need at least two seeds, else the
    verdict is None. Where lower is better the rule is mirrored: mean(ticket) ≤ mean(dense) + s(dense).
    """
    if not dense or not ticket:
        raise PocketTicketError("a verdict needs the metric of at least one seed", remedy="evaluate both stages")
    fewest = min(len(dense), len(ticket))
    if fewest < 2:
        reason = "one seed has no standard deviation, which the rule needs: pocket-ticket study --seeds 0,1,2"
        return SeedVerdict(None, reason, tuple(dense), tuple(ticket))
    sign = 1 if higher_is_better else -1
    gap = sign * (float(np.mean(dense)) - float(np.mean(ticket)))
    # Equal means with zero spread must win, whatever the last bit of the two sums says.
    winning = gap <= float(np.std(dense, ddof=1)) + 1e-12
    return SeedVerdict(winning, None, tuple(dense), tuple(ticket))


def seed_summary(values: Sequence[float]) -> dict[str, Any]:
    """{"values", "mean", "std"} of a metric over seeds; std is the sample deviation (n − 1), None for one seed."""
    std = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return {"values": [float(v) for v in values], "mean": float(np.mean(values)), "std": std}


@dataclass(frozen=True)
class Verdict:
    """The result of all seeds: `winning` is None where they do not decide it. `sentence` is for people."""

    winning: bool | None
    reason: str | None
    sentence: str
    seeds: SeedVerdict


def judge(
    dense: Sequence[float],
    ticket: Sequence[float],
    *,
    sparsity: float,
    dense_steps: int,
    ticket_steps: int,
    metric: str = "accuracy",
    higher_is_better: bool = True,
) -> Verdict:
    """Within one standard deviation of the dense model over seeds, after at most its training steps (Chen et al. 2020).

    `dense`, `ticket`: test metrics, one a seed; `sparsity`: of the prunable weights; steps: of one training each. More
    steps than the dense model took leave the question open, as the comparison would not be the papers'.
    """
    seeds = winning_ticket(dense, ticket, higher_is_better=higher_is_better)
    if ticket_steps > dense_steps:
        reason = f"the ticket trained for {ticket_steps:,} steps, the dense model for {dense_steps:,}"
        seeds = replace(seeds, winning=None, reason=f"{reason}: the rule compares equal trainings")
    return Verdict(seeds.winning, seeds.reason, _sentence(seeds, sparsity, metric, higher_is_better), seeds)


def _sentence(seeds: SeedVerdict, sparsity: float, metric: str, higher_is_better: bool) -> str:
    place = f"at {sparsity:.1%} sparsity of the prunable weights"
    numbers = f"{metric} {_spread(seeds.ticket)} against {_spread(seeds.dense)} of the dense model"
    if seeds.winning is None:
        return f"Whether this is a winning ticket is open: {seeds.reason} ({place}, {numbers})."
    lead = (fmean(seeds.ticket) - fmean(seeds.dense)) * (1 if higher_is_better else -1)
    deviation = stdev(seeds.dense)
    if lead >= 0:
        return f"A winning ticket: {place} it is as good as the dense model or better, {numbers}."
    if seeds.winning:
        return f"A winning ticket: {place} it is within one standard deviation ({deviation:.4f}) of dense, {numbers}."
    return (
        f"Not a winning ticket: {place} it is {-lead:.4f} worse than the dense model, more than one standard deviation "
        f"({deviation:.4f}), {numbers}."
    )


def _spread(values: Sequence[float]) -> str:
    if len(values) == 1:
        return f"{values[0]:.4f} (one seed)"
    return f"{fmean(values):.4f} ± {stdev(values):.4f} ({len(values)} seeds)"


def paired_sentence(difference: Estimate, examples: int, *, metric: str = "accuracy") -> str:
    """Words for `paired_bootstrap(ticket, dense, ...)`: the ticket's metric minus the dense model's, with its interval.

    For one pair of models: the interval covers the choice of examples, but not the choice of the training seed.
    """
    where = f"On the same {examples:,} examples the ticket's {metric}"
    interval = f"95 % interval {difference.low:+.4f} to {difference.high:+.4f}"
    if difference.low <= 0 <= difference.high:
        return f"{where} differs by {difference.value:+.4f} from the dense model's ({interval}): this can be chance."
    word = "above" if difference.value > 0 else "below"
    size = abs(difference.value)
    return f"{where} is {size:.4f} {word} the dense model's ({interval}): more than the choice of examples explains."
