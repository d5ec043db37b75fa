import pytest
import torch
from torch import nn

from compress.lottery import Mask
from compress.lottery.controls import frozen_at_init, random_mask, reinitialized, shuffled, treated
from compress.lottery.observe import state_of
from compress.lottery.search import prunable_by_default


@pytest.fixture
def ticket(net) -> tuple[dict[str, torch.Tensor], Mask]:
    generator = torch.Generator().manual_seed(1)
    mask = {n: torch.rand(p.shape, generator=generator) < 0.4 for n, p in prunable_by_default(net).items()}
    return state_of(net), Mask(mask)


def test_random_mask_keeps_each_tensors_count(ticket):
    _, mask = ticket
    control = random_mask(mask, seed=3)
    assert all(int(control[name].sum()) == int(keep.sum()) for name, keep in mask.items())
    assert control == random_mask(mask, seed=3) != random_mask(mask, seed=4)
    assert 0.3 < control.distance(mask) < 0.65  # two independent masks of density 0.4 differ on 0.48


def test_random_mask_of_nothing_is_nothing():
    assert random_mask(Mask({"w": torch.zeros(3, dtype=torch.bool)})).kept == 0


def test_reinitialized_repeats_and_leaves_the_generator(small):
    before = torch.get_rng_state()
    a, b = (reinitialized(lambda: nn.Linear(4, 3), seed=2) for _ in range(2))
    assert torch.equal(a["weight"], b["weight"]) and torch.equal(torch.get_rng_state(), before)
    assert not torch.equal(a["weight"], reinitialized(lambda: nn.Linear(4, 3), seed=3)["weight"])


def test_shuffled_moves_values_within_prunable_tensors_only(ticket):
    state, mask = ticket
    result = shuffled(state, mask, seed=1)
    for name, tensor in state.items():
        assert torch.equal(result[name].flatten().sort().values, tensor.flatten().sort().values)
        assert torch.equal(result[name], tensor) == (name not in mask)


@pytest.mark.parametrize("magnitudes", ["kept", "constant", "shuffled", "redrawn"])
@pytest.mark.parametrize("signs", ["kept", "shuffled", "random"])
def test_sign_experiments(ticket, magnitudes, signs):
    state, mask = ticket
    result = treated(state, mask, magnitudes=magnitudes, signs=signs, seed=1)
    for name, keep in mask.items():
        old, new = state[name][keep], result[name][keep]
        assert not result[name][~keep].any()
        assert torch.equal(new.sign(), old.sign()) == (signs == "kept")
        assert torch.equal(new.abs(), old.abs()) == (magnitudes == "kept")
        if signs == "shuffled":
            assert new.sign().sum() == old.sign().sum()
        if magnitudes == "shuffled":
            assert torch.equal(new.abs().sort().values, old.abs().sort().values)
        if magnitudes == "constant":
            assert new.abs().unique().numel() == 1
            assert torch.allclose(new.abs()[0], state[name].square().mean().sqrt())
        if magnitudes == "redrawn":
            assert torch.isin(new.abs(), state[name].abs()).all()
    assert all(torch.equal(result[name], state[name]) for name in state if name not in mask)


def test_pruned_weights_freeze_at_their_initial_values(net, ticket):
    state, mask = ticket
    parameters = prunable_by_default(net)
    with frozen_at_init(net, mask, state):
        optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2, weight_decay=0.1)
        for _ in range(4):
            optimizer.zero_grad()
            net(torch.randn(8, 12)).square().mean().backward()
            optimizer.step()
    assert state_of(net).keys() == state.keys()
    for name, parameter in prunable_by_default(net).items():
        assert parameter is parameters[name]
        assert torch.equal(parameter[~mask[name]], state[name][~mask[name]])
        assert (parameter[mask[name]] != state[name][mask[name]]).all()
