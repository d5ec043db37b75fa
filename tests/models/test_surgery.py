"""Removed == masked, for every architecture in the table; and a cut model can be saved and loaded."""

import random
from pathlib import Path

import pytest
import torch
from architectures import CONFIGS, model_of
from hypothesis import given, settings
from hypothesis import strategies as st

from compress.errors import ModelError
from compress.models.anatomy import first_with_its_weights, layers_of
from compress.models.architectures import ARCHITECTURES
from compress.models.saved import Saved
from compress.models.store import load_saved, save_model
from compress.models.surgery import Structure, full_structure, masked, remove


def logits(model: torch.nn.Module) -> torch.Tensor:
    torch.manual_seed(1)
    with torch.inference_mode():
        return model(input_ids=torch.randint(5, 50, (3, 9))).logits


def some(generator: random.Random, count: int) -> tuple[int, ...]:
    return tuple(sorted(generator.sample(range(count), generator.randint(1, count))))


def cut(model: torch.nn.Module, seed: int) -> Structure:
    """A random structure that keeps all layers and different numbers of units in each, the same of shared weights."""
    generator, full = random.Random(seed), full_structure(model)
    heads, neurons = ([some(generator, len(units)) for units in each] for each in (full.heads, full.neurons))
    first = first_with_its_weights(layers_of(model))
    return Structure(full.layers, tuple(heads[i] for i in first), tuple(neurons[i] for i in first))


@pytest.mark.parametrize("kind", CONFIGS)
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_removed_is_masked(kind: str, seed: int) -> None:
    structure = cut(model_of(kind), seed)
    small = remove(model_of(kind), structure)
    torch.testing.assert_close(logits(small), logits(masked(model_of(kind), structure)), rtol=1e-4, atol=1e-5)
    assert full_structure(small).sizes == structure.sizes


@pytest.mark.parametrize("kind", CONFIGS)
def test_parameters_really_go_and_layers_too(kind: str) -> None:
    full = full_structure(model_of(kind))
    stays = 0 if ARCHITECTURES[kind].norm_first else 1
    small = remove(model_of(kind), Structure((stays,), ((0,),), (tuple(range(0, 32, 2)),)))
    assert len(full_structure(small).layers) == 1
    assert sum(p.numel() for p in small.parameters()) < sum(p.numel() for p in model_of(kind).parameters())
    untouched = remove(model_of(kind), full)
    assert torch.equal(logits(untouched), logits(model_of(kind)))


@pytest.mark.parametrize("kind", CONFIGS)
def test_a_cut_model_is_loaded_as_it_was_saved(kind: str, tmp_path: Path) -> None:
    small = remove(model_of(kind), cut(model_of(kind), 3))
    save_model(small, tmp_path)
    again = load_saved(tmp_path)
    assert torch.equal(logits(again), logits(small))
    assert Saved.of(again.config).sizes == full_structure(small).sizes


@pytest.mark.parametrize("kind", CONFIGS)
def test_a_model_that_is_cut_twice_is_one_cut_once(kind: str) -> None:
    first = cut(model_of(kind), 5)
    twice = remove(model_of(kind), first)
    second = cut(twice, 6)
    once = remove(model_of(kind), second.within(first))
    assert torch.equal(logits(remove(twice, second)), logits(once))


def test_a_first_layer_without_a_norm_stays() -> None:
    with pytest.raises(ModelError, match="the first layer has no norm of its own and must stay"):
        remove(model_of("modernbert"), Structure((1,), ((0,),), ((0,),)))


def test_layers_that_share_their_weights_keep_the_same_units() -> None:
    with pytest.raises(ModelError, match="layers that share their weights must keep the same"):
        remove(model_of("albert"), Structure((0, 1), ((0,), (0, 1)), (tuple(range(32)),) * 2))


@pytest.mark.parametrize("kind", [kind for kind, row in ARCHITECTURES.items() if row.shares_layers])
def test_a_cut_of_shared_weights_is_one_of_every_pass(kind: str) -> None:
    small = remove(model_of(kind), Structure((1,), ((0,),), ((3, 4),)))
    assert small.config.num_hidden_layers == 1 and len(layers_of(small)) == 1
    again = remove(model_of(kind), Structure((0, 1), ((0,),) * 2, ((3, 4),) * 2))
    assert len(layers_of(again)) == 2 and not torch.equal(logits(again), logits(small))
    assert sum(p.numel() for p in again.parameters()) == sum(p.numel() for p in small.parameters())


@pytest.mark.parametrize("layers", [(0, 2), (1, 0), (), (0, 0)])
def test_nonsense_is_refused(layers: tuple[int, ...]) -> None:
    with pytest.raises(ModelError):
        remove(model_of("bert"), Structure(layers, ((0,),) * len(layers), ((0,),) * len(layers)))
