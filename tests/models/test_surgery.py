"""Removed == masked, for every architecture in the table; and a cut model can be saved and loaded."""

import random
from pathlib import Path

import pytest
import torch
from architectures import CONFIGS, model_of
from hypothesis import given, settings
from hypothesis import strategies as st

from compress.errors import ModelError
from compress.models.saved import Saved
from compress.models.store import load_saved
from compress.models.surgery import Structure, full_structure, masked, remove


def logits(model: torch.nn.Module) -> torch.Tensor:
    torch.manual_seed(1)
    with torch.inference_mode():
        return model(input_ids=torch.randint(5, 50, (3, 9))).logits


def some(generator: random.Random, count: int) -> tuple[int, ...]:
    return tuple(sorted(generator.sample(range(count), generator.randint(1, count))))


def cut(model: torch.nn.Module, seed: int) -> Structure:
    """A random structure that keeps all layers and different numbers of units in each."""
    generator, full = random.Random(seed), full_structure(model)
    return Structure(
        full.layers,
        tuple(some(generator, len(heads)) for heads in full.heads),
        tuple(some(generator, len(neurons)) for neurons in full.neurons),
    )


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
    small = remove(model_of(kind), Structure((1,), ((0,),), (tuple(range(0, 32, 2)),)))
    assert len(full_structure(small).layers) == 1
    assert sum(p.numel() for p in small.parameters()) < sum(p.numel() for p in model_of(kind).parameters())
    untouched = remove(model_of(kind), full)
    assert torch.equal(logits(untouched), logits(model_of(kind)))


@pytest.mark.parametrize("kind", CONFIGS)
def test_a_cut_model_is_loaded_as_it_was_saved(kind: str, tmp_path: Path) -> None:
    small = remove(model_of(kind), cut(model_of(kind), 3))
    small.save_pretrained(tmp_path)
    again = load_saved(tmp_path)
    assert torch.equal(logits(again), logits(small))
    assert Saved.of(again.config).sizes == full_structure(small).sizes


@pytest.mark.parametrize("layers", [(0, 2), (1, 0), (), (0, 0)])
def test_nonsense_is_refused(layers: tuple[int, ...]) -> None:
    with pytest.raises(ModelError):
        remove(model_of("bert"), Structure(layers, ((0,),) * len(layers), ((0,),) * len(layers)))
