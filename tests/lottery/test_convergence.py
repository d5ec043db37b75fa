"""Masks from less than whole trainings: when one has settled, and what several vote for."""

import pytest
import torch

from compress.errors import PocketTicketError
from compress.lottery import Mask, find_ticket, prune
from compress.lottery.convergence import Settling, votes


def mask(*kept: int) -> Mask:
    return Mask({"w": torch.tensor([i in kept for i in range(10)])})


def test_a_mask_has_settled_after_calm_looks_in_a_row() -> None:
    seen = [mask(0, 1), mask(0, 2), mask(0, 2), mask(0, 3), mask(0, 3), mask(0, 3)]
    looks = iter(seen)
    settling = Settling(lambda: next(looks), threshold=0.1, patience=2)
    assert [settling() for _ in seen] == [False] * 5 + [True]
    assert settling.distances == [0.2, 0.0, 0.2, 0.0, 0.0]


def test_votes_put_what_more_masks_keep_first_and_then_the_larger_mean() -> None:
    scores = [{"w": torch.rand(1000, generator=torch.Generator().manual_seed(seed))} for seed in range(3)]
    nothing = Mask.dense(scores[0])
    masks = [prune(run, nothing, 0.5) for run in scores]
    count = torch.stack([m["w"] for m in masks]).sum(0)
    elected = prune(votes(masks, scores), nothing, 0.5)["w"]
    assert int(elected.sum()) == 500
    assert count[elected].min() >= count[~elected].max(), "no weight with fewer votes stays"
    margin, mean = int(count[elected].min()), torch.stack([run["w"] for run in scores]).mean(0)
    assert mean[elected & (count == margin)].min() >= mean[~elected & (count == margin)].max()
    assert torch.equal(prune(votes(masks[:1], scores[:1]), nothing, 0.5)["w"], masks[0]["w"]), "one voter decides"


def test_votes_need_a_mask_for_each_score() -> None:
    with pytest.raises(PocketTicketError, match="votes need a mask"):
        votes([], [])


def test_a_search_on_any_network_may_end_its_rounds_early(small) -> None:
    """A user's own training asks `Settling` after each pass: the same search, with fewer steps."""
    module, steps = small.make_net(), []

    def train(net, plan) -> None:
        parameters = {n: p for n, p in net.named_parameters() if n in plan.mask}

        def draw() -> Mask:
            return prune({n: p.detach().abs() for n, p in parameters.items()}, plan.mask, 0.5)

        settling, (x, y) = Settling(draw, threshold=0.02), small.task()
        optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
        for step in range(1, 61):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(net(x), y).backward()
            optimizer.step()
            if step % 3 == 0 and settling():
                break
        steps.append(step)

    ticket = find_ticket(module, train, small.evaluate, sparsity=0.5, rounds=2)
    assert ticket.mask.sparsity == pytest.approx(0.5, abs=1e-3)
    assert [r.steps for r in ticket.rounds] == steps[:2] and max(steps) < 60
