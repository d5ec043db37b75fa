import pytest
import torch
from torch import nn

from compress.errors import PocketTicketError
from compress.lottery.observe import set_state_, state_of
from compress.lottery.search import prunable_by_default
from compress.lottery.supermask import supermask_by, train_supermask


@pytest.fixture
def wide() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(12, 64), nn.ReLU(), nn.Linear(64, 3))


def train_scores(module: nn.Module, small, steps: int = 150) -> None:
    x, y = small.task()
    trainable = [p for p in module.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(trainable, lr=0.05)
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.cross_entropy(module(x), y).backward()
        optimizer.step()


def test_a_trained_supermask_lifts_untrained_weights_and_changes_none(wide, small):
    initial = state_of(wide)
    untrained = small.evaluate(wide.eval())
    found = train_supermask(wide, lambda module, round: train_scores(module, small))
    assert small.evaluate(wide.eval()) > untrained + 0.2
    assert state_of(wide).keys() == initial.keys() and all(p.requires_grad for p in wide.parameters())
    for name, tensor in state_of(wide).items():
        if name not in found.mask:
            assert torch.equal(tensor, initial[name])
            continue
        keep = found.mask[name]
        assert 0.05 < keep.float().mean() < 0.95
        assert found.scale[name] == pytest.approx(keep.numel() / int(keep.sum()))
        assert torch.equal(tensor, initial[name] * keep * found.scale[name])


def test_only_scores_train_and_evaluation_draws_nothing(wide, small):
    seen = {}

    def train(module: nn.Module, round) -> None:
        seen["trainable"] = [n for n, p in module.named_parameters() if p.requires_grad]
        x = small.task()[0]
        seen["drawn"] = [module(x) for _ in range(2)]
        module.eval()
        seen["fixed"] = [module(x) for _ in range(2)]

    train_supermask(wide, train)
    assert len(seen["trainable"]) == 2 and all(name.endswith("scores") for name in seen["trainable"])
    assert not torch.equal(*seen["drawn"]) and torch.equal(*seen["fixed"])


def test_the_module_is_whole_again_after_a_failure(wide):
    initial = state_of(wide)

    def fails(module, round):
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        train_supermask(wide, fails)
    assert state_of(wide).keys() == initial.keys()
    assert all(torch.equal(tensor, initial[name]) for name, tensor in state_of(wide).items())
    with pytest.raises(PocketTicketError, match="share of kept weights is 1"):
        train_supermask(wide, fails, keep=1)


def test_a_criterions_supermask_is_of_the_initial_weights(wide, small):
    initial = state_of(wide)
    set_state_(wide, {name: tensor + torch.randn_like(tensor) for name, tensor in initial.items()})
    final = prunable_by_default(wide)
    mask = supermask_by("large_final_same_sign", initial, final, 0.3)
    for name, keep in mask.items():
        same = (final[name].detach() * initial[name]) > 0
        assert int((~keep).sum()) == round(0.3 * keep.numel())
        assert not (keep & ~same).any() or not (same & ~keep).any()  # changed signs go before any other
