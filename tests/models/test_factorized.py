"""A word table of low rank: exact where the rank suffices, best where it does not, saved, loaded and lowered."""

from pathlib import Path

import pytest
import torch
from architectures import CONFIGS, model_of

from compress.errors import ModelError
from compress.models.anatomy import embeddings_of, stored_matrices
from compress.models.factorized import factorize
from compress.models.store import load_saved, save_model
from mobile_export.lowering.phone import PhoneEncoder

IDS = torch.arange(5, 20)[None]


@torch.no_grad()
def blurred(model: torch.nn.Module, rank: int) -> torch.nn.Module:
    """The model with a word table that has this rank."""
    word = embeddings_of(model).word
    word.weight.copy_(torch.randn(word.weight.shape[0], rank) @ torch.randn(rank, word.weight.shape[1]) * 0.1)
    return model


@torch.inference_mode()
def logits(model: torch.nn.Module) -> torch.Tensor:
    return model(input_ids=IDS).logits


@pytest.mark.parametrize("kind", CONFIGS)
def test_a_table_of_that_rank_is_factorized_exactly(kind: str, tmp_path: Path) -> None:
    model = blurred(model_of(kind), 6)
    before = logits(model)
    factorize(model, 6)
    torch.testing.assert_close(logits(model), before, rtol=1e-4, atol=1e-5)
    save_model(model, tmp_path)
    assert torch.equal(logits(load_saved(tmp_path)), logits(model))
    assert {"embeddings.word", "embeddings.up"} <= stored_matrices(model).keys()


@pytest.mark.parametrize("kind", CONFIGS)
def test_the_phone_form_of_a_factorized_model(kind: str) -> None:
    model = factorize(model_of(kind), 5)
    phone = PhoneEncoder(model, 32, segments=False).eval()
    with torch.inference_mode():
        torch.testing.assert_close(phone(IDS), logits(model), rtol=1e-4, atol=1e-5)


def test_words_in_use_are_approximated_best() -> None:
    rows = embeddings_of(model_of("bert")).word.weight.detach()
    counts = torch.ones(len(rows))
    counts[10:14] = 1e6
    found = {}
    for name, given in (("equal", None), ("counted", counts)):
        model = factorize(model_of("bert"), 4, given)
        parts = embeddings_of(model)
        found[name] = (parts.up(parts.word.weight) - rows).square().sum(1).detach()
    assert found["counted"][10:14].sum() < 1e-4 < found["equal"][10:14].sum()
    assert found["equal"].sum() < found["counted"].sum()
    best = torch.linalg.svdvals(rows)[4:].square().sum()
    torch.testing.assert_close(found["equal"].sum(), best, rtol=1e-3, atol=0)


@pytest.mark.parametrize("rank", [0, 32, 100])
def test_a_rank_that_is_none_is_refused(rank: int) -> None:
    with pytest.raises(ModelError, match=f"the rank is {rank}"):
        factorize(model_of("bert"), rank)
