"""Training sees exactly the weights that the program will hold, and leaves plain ones behind."""

import pytest
import torch
from torch import nn

from compress.training.rounding import GROUP, rounded_weights, word_group
from mobile_export.lowering.quantization import Scheme


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Embedding(40, 64), nn.Linear(64, 48), nn.Linear(48, 5))


@pytest.mark.parametrize("scheme", ["int8", "int4"])
def test_rounded_as_exported(scheme: str) -> None:
    """Bit for bit the exporter's weights, groups and widths that do not fit a group included."""
    ids = torch.arange(40)
    model, exported = network(), Scheme(scheme).apply(network())
    with rounded_weights(model.children(), scheme):
        assert scheme == "int8" or torch.equal(model[0](ids), exported[0](ids))
        for number in (1, 2):
            stored = exported[number]
            scales = stored.scales if stored.scales.dim() == 2 else stored.scales[:, None]
            width = stored.weight.shape[1] // scales.shape[1]
            assert torch.equal(model[number].weight, stored.weight * scales.repeat_interleave(width, 1))


def test_gradients_pass_and_plain_weights_come_back() -> None:
    model = network()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with rounded_weights(model.children(), "int4"):
        loss = model(torch.tensor([1, 2, 3])).square().sum()
        loss.backward()
        gradients = [p.grad for p in model.parameters()]
        assert all(g is not None and torch.isfinite(g).all() and g.any() for g in gradients)
        with torch.no_grad():
            for p in model.parameters():
                p -= 0.01 * p.grad
    after = model.state_dict()
    assert after.keys() == before.keys()
    assert all(not torch.equal(after[name], before[name]) for name in before)
    rounded = Scheme("int4").apply(network())  # of the weights before the step
    assert type(model[1]) is nn.Linear and not torch.equal(after["1.weight"], rounded[1].weight.float())


def test_an_error_within_leaves_plain_weights_too() -> None:
    model = network()
    with pytest.raises(RuntimeError, match="no"), rounded_weights(model.children(), "int8"):
        raise RuntimeError("no")
    assert type(model[1]) is nn.Linear


@pytest.mark.parametrize(
    ("width", "group"), [(32, 32), (64, 64), (160, 160), (192, 192), (384, 192), (768, 192), (416, 32)]
)
def test_a_words_values_share_few_scales(width: int, group: int) -> None:
    assert word_group(width) == group and width % group == 0 and group % GROUP == 0
