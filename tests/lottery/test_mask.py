import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils import prune as torch_prune

from compress.errors import ModelError, TrainingError
from compress.lottery import Mask
from compress.lottery.search import prunable_by_default


def half_mask(module: nn.Module, seed: int = 1) -> Mask:
    generator = torch.Generator().manual_seed(seed)
    return Mask({n: torch.rand(p.shape, generator=generator) < 0.5 for n, p in prunable_by_default(module).items()})


def test_counts_are_of_the_prunable_part_and_of_the_whole(net):
    mask = half_mask(net)
    zeros = sum(int((~keep).sum()) for keep in mask.values())
    assert mask.sparsity == zeros / mask.total == 1 - mask.density
    assert mask.sparsity_of(net) == zeros / sum(p.numel() for p in net.parameters())
    assert mask.sparsity_of(net) < mask.sparsity


@pytest.mark.parametrize(
    "tensors",
    [
        {},
        {"": torch.ones(2, dtype=torch.bool)},
        {"w": torch.ones(2)},
        {"w": torch.tensor([float("nan")])},
        {"w": torch.tensor([0, 2], dtype=torch.uint8)},
        {"w": torch.ones(0, dtype=torch.bool)},
        {"w": [True]},
    ],
)
def test_nonsense_is_refused(tensors):
    with pytest.raises(ModelError):
        Mask(tensors)


def test_a_mask_of_another_model_is_refused_by_name(net):
    mask, parameters = half_mask(net), prunable_by_default(net)
    with pytest.raises(ModelError, match=r"3\.weight"):
        mask.apply_({n: p for n, p in parameters.items() if n != "3.weight"})
    with pytest.raises(ModelError, match="extra"):
        mask.apply_({**parameters, "extra": parameters["0.weight"]})
    with pytest.raises(ModelError, match=r"0\.weight.*\(16, 12\).*\(2, 2\)"):
        mask.apply_({**parameters, "0.weight": nn.Parameter(torch.ones(2, 2))})


def test_a_mask_does_not_follow_the_tensors_it_was_made_of():
    keep = torch.ones(3, dtype=torch.bool)
    mask = Mask({"w": keep})
    keep[0] = False
    assert mask.kept == 3 and bool(mask["w"].all())


def test_saved_and_loaded_is_the_same_and_bytes_repeat(net, tmp_path):
    mask = half_mask(net)
    mask.save(tmp_path / "a.safetensors")
    mask.save(tmp_path / "b.safetensors")
    assert Mask.load(tmp_path / "a.safetensors") == mask
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.safetensors", "b.safetensors"]


def test_damaged_foreign_and_missing_files_are_refused(net, tmp_path):
    path = tmp_path / "mask.safetensors"
    half_mask(net).save(path)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    (tmp_path / "flipped.safetensors").write_bytes(content)
    (tmp_path / "cut.safetensors").write_bytes(content[:100])
    save_file({"w": torch.ones(2)}, tmp_path / "foreign.safetensors")
    for name in ("flipped", "cut", "foreign", "missing"):
        with pytest.raises(ModelError, match=name):
            Mask.load(tmp_path / f"{name}.safetensors")


def test_hash_tells_masks_apart(net):
    mask = half_mask(net)
    other = {name: keep.clone() for name, keep in mask.items()}
    other["0.weight"][0, 0] ^= True
    assert mask.hash == half_mask(net).hash != Mask(other).hash
    assert mask.distance(Mask(other)) == 1 / mask.total
    assert Mask({"w": torch.ones(2, 4) > 0}).hash != Mask({"w": torch.ones(4, 2) > 0}).hash


OPTIMIZERS = {
    "adamw": lambda p: torch.optim.AdamW(p, lr=1e-2, weight_decay=0.1),
    "adamw_amsgrad_fused": lambda p: torch.optim.AdamW(p, lr=1e-2, weight_decay=0.1, amsgrad=True, fused=True),
    "adam_l2": lambda p: torch.optim.Adam(p, lr=1e-2, weight_decay=0.1),
    "sgd_momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=1e-2, momentum=0.9, centered=True, weight_decay=0.1),
}


@pytest.mark.parametrize("autocast", [False, True], ids=["fp32", "bf16"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_pruned_weights_stay_exactly_zero(net, name, autocast):
    mask, parameters = half_mask(net), prunable_by_default(net)
    optimizer = OPTIMIZERS[name](net.parameters())
    before = {n: p.detach().clone() for n, p in parameters.items()}
    with mask.enforced(parameters):
        for _ in range(5):
            with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
                loss = net(torch.randn(8, 12)).square().mean()
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 0.1)
            optimizer.step()
            for n, p in parameters.items():
                assert torch.equal(p[~mask[n]], torch.zeros(int((~mask[n]).sum())))
                for state in optimizer.state[p].values():
                    if isinstance(state, torch.Tensor) and state.shape == p.shape:
                        assert not state[~mask[n]].any()
    assert all((p.detach() != before[n])[mask[n]].any() for n, p in parameters.items())


def test_training_equals_the_autograd_semantics_of_torch_prune(net):
    """Gradient of the loss at m⊙θ, clipping and accumulation included: weights equal after several steps."""
    mask, parameters = half_mask(net), prunable_by_default(net)
    twin = nn.Sequential(*[type(m)(*_size(m)) for m in net])
    twin.load_state_dict(net.state_dict())
    for index in (0, 3, 5):
        torch_prune.custom_from_mask(twin[index], "weight", mask[f"{index}.weight"])

    def run(module: nn.Module) -> None:
        generator = torch.Generator().manual_seed(3)
        optimizer = torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.9)
        for _ in range(4):
            optimizer.zero_grad()
            for _ in range(2):
                module(torch.randn(8, 12, generator=generator)).square().mean().backward()
            nn.utils.clip_grad_norm_(module.parameters(), 0.05)
            optimizer.step()

    run(twin)
    with mask.enforced(parameters):
        run(net)
    for index in (0, 3, 5):
        layer = twin[index]  # its .weight is as of the last forward pass
        assert torch.allclose(net[index].weight, layer.weight_orig * layer.weight_mask, atol=1e-7)


def _size(module: nn.Module) -> tuple[int, ...]:
    if isinstance(module, nn.Linear):
        return module.in_features, module.out_features
    return (module.num_features,) if isinstance(module, nn.BatchNorm1d) else ()


def test_after_leaving_nothing_is_masked(net):
    mask, parameters = half_mask(net), prunable_by_default(net)
    with pytest.raises(RuntimeError, match="stop"), mask.enforced(parameters):
        raise RuntimeError("stop")
    net(torch.randn(8, 12)).square().mean().backward()
    assert all(parameters[n].grad[~keep].any() for n, keep in mask.items())


def test_the_mask_follows_a_model_that_changes_type_or_device_inside(net):
    mask, parameters = half_mask(net), prunable_by_default(net)
    with mask.enforced(parameters):
        for dtype in (torch.float32, torch.float64, torch.float32):
            net.to(dtype)(torch.randn(8, 12, dtype=dtype)).square().mean().backward()
            for n, p in parameters.items():
                assert p.grad.dtype == dtype and not p.grad[~mask[n]].any() and p.grad[mask[n]].any()
            net.zero_grad()


def test_an_optimizer_with_old_momentum_is_caught(net):
    parameters = prunable_by_default(net)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)

    def step() -> None:
        optimizer.zero_grad()
        net(torch.randn(8, 12)).square().mean().backward()
        optimizer.step()

    step()
    with pytest.raises(TrainingError, match="not zero"), half_mask(net).enforced(parameters):
        step()


def test_uint8_is_taken_for_bool():
    mask = Mask({"w": torch.from_numpy(np.array([0, 1], dtype=np.uint8))})
    assert mask["w"].tolist() == [False, True]
