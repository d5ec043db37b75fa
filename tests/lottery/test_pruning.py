"""The pruning step: exact counts per group, the lowest scores first, equal to torch's own pruning."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import prune as torch_prune

from compress.errors import ModelError, PocketTicketError, TrainingError
from compress.lottery import Mask, prune
from compress.lottery.pruning import kind_of, layer_of


def test_groups_of_names():
    name = "encoder.layer.11.attention.self.query.weight"
    assert layer_of(name) == "encoder.layer.11" and kind_of(name) == "encoder.layer.*.attention.self.query.weight"
    assert layer_of("mobilebert.encoder.layer.3.ffn.2.weight") == "mobilebert.encoder.layer.3"
    assert layer_of("0.weight") == "0" and kind_of("0.weight") == "*.weight"
    assert layer_of("fc1.weight") == "fc1" and kind_of("fc1.weight") == "fc1.weight"


shapes = st.lists(st.tuples(st.integers(1, 7), st.integers(1, 7)), min_size=1, max_size=4)


@settings(deadline=None)
@given(
    shapes=shapes,
    steps=st.lists(st.floats(0, 0.99), min_size=1, max_size=4).map(sorted),
    seed=st.integers(0, 999),
    ties=st.booleans(),
    scope=st.sampled_from(["global", "tensor", lambda name: "even" if int(name) % 2 == 0 else "odd"]),
)
def test_counts_exact_masks_nested_lowest_removed(shapes, steps, seed, ties, scope):
    generator = torch.Generator().manual_seed(seed)
    group_of = {"global": lambda n: "", "tensor": lambda n: n}.get(scope, scope) if isinstance(scope, str) else scope
    mask = Mask({str(i): torch.ones(shape, dtype=torch.bool) for i, shape in enumerate(shapes)})
    for step in steps:
        draw = torch.randint(0, 3, (50,), generator=generator).float() if ties else torch.randn(50, generator=generator)
        scores = {n: draw[torch.randint(0, 50, keep.shape, generator=generator)] for n, keep in mask.items()}
        found = prune(scores, mask, step, scope)
        assert found == prune(scores, mask, step, scope)
        for group in {group_of(n) for n in mask}:
            names = [n for n in mask if group_of(n) == group]
            flat = lambda m, names=names: torch.cat([m[n].flatten() for n in names])  # noqa: E731
            before, after, values = flat(mask), flat(found), flat(scores)
            assert int((~after).sum()) == max(round(step * len(after)), int((~before).sum()))
            assert not (after & ~before).any()
            removed = values[before & ~after]
            if len(removed) and after.any():
                assert removed.max() <= values[after].min()
        mask = found


def test_rates_by_group():
    mask = Mask.dense({"a": torch.empty(10), "b": torch.empty(10)})
    scores = {"a": torch.arange(10.0), "b": torch.arange(10.0)}
    found = prune(scores, mask, {"a": 0.5, "b": 0.2}, "tensor")
    assert found["a"].tolist() == [False] * 5 + [True] * 5 and found["b"].tolist() == [False] * 2 + [True] * 8
    with pytest.raises(PocketTicketError, match="'b'"):
        prune(scores, mask, {"a": 0.5}, "tensor")


def test_bad_scores_are_refused():
    mask = Mask.dense({"a": torch.empty(4)})
    with pytest.raises(TrainingError, match="NaN"):
        prune({"a": torch.tensor([1, 2, float("nan"), 3])}, mask, 0.5)
    with pytest.raises(ModelError):
        prune({"a": torch.zeros(5)}, mask, 0.5)


@pytest.mark.parametrize("steps", [[0.5], [0.2, 0.4, 0.6, 0.8]])
def test_equals_torch_global_unstructured(steps):
    """Where the definitions coincide: global magnitude, the same number of weights removed a round."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(64, 128), nn.Linear(128, 64), nn.Linear(64, 10))
    scores = {f"{i}.weight": layer.weight.detach().abs() for i, layer in enumerate(net)}
    mask, total = Mask.dense(scores), sum(s.numel() for s in scores.values())
    for step in steps:
        amount = round(step * total) - (mask.total - mask.kept)
        mask = prune(scores, mask, step)
        torch_prune.global_unstructured([(m, "weight") for m in net], torch_prune.L1Unstructured, amount=amount)
        assert all(torch.equal(layer.weight_mask.bool(), mask[f"{i}.weight"]) for i, layer in enumerate(net))


def test_equals_torch_l1_unstructured_per_tensor():
    net = nn.Sequential(nn.Linear(64, 128), nn.Linear(128, 64))
    scores = {f"{i}.weight": layer.weight.detach().abs() for i, layer in enumerate(net)}
    mask = prune(scores, Mask.dense(scores), 0.3, "tensor")
    for i, layer in enumerate(net):
        torch_prune.l1_unstructured(layer, "weight", amount=0.3)
        assert torch.equal(layer.weight_mask.bool(), mask[f"{i}.weight"])


def test_the_stack_spares_a_pooler_that_is_on_another_scale():
    scores = {f"encoder.layer.{i}.weight": torch.rand(50, 10) + 0.5 for i in range(3)}
    scores["pooler.dense.weight"] = torch.rand(10, 10) * 0.1
    nothing = Mask.dense(scores)
    assert prune(scores, nothing, 0.5).sparsest == ("pooler.dense.weight", 1.0)
    spared = prune(scores, nothing, 0.5, "stack")
    assert int(spared["pooler.dense.weight"].sum()) == 50 and spared.sparsity == 0.5
    shares = [float(spared[f"encoder.layer.{i}.weight"].float().mean()) for i in range(3)]
    assert sum(shares) == pytest.approx(1.5) and len(set(shares)) == 3, "layers compete"
