"""Merged tokens: the mean of neighbors, the same whatever is padded behind, kept by saving, refused where absurd."""

import copy
from pathlib import Path

import pytest
import torch
from architectures import CONFIGS, made
from architectures import model_of as small_model_of
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForSequenceClassification

from compress.errors import ModelError
from compress.models.architectures import ARCHITECTURES
from compress.models.merging import merge, merged, merged_length, merging_table
from compress.models.saved import Saved
from compress.models.store import load_saved

MERGING = [kind for kind, row in ARCHITECTURES.items() if row.merges]


def model_of(kind: str, layers: int = 3, attention: str = "sdpa") -> torch.nn.Module:
    torch.manual_seed(0)
    config = copy.deepcopy(CONFIGS[kind])
    config.num_hidden_layers = layers
    model = made(AutoModelForSequenceClassification, config, attn_implementation=attention)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return model.eval()


def ids_of(length: int) -> torch.Tensor:
    torch.manual_seed(length)
    return torch.randint(5, 50, (1, length))


def logits(model: torch.nn.Module, ids: torch.Tensor, real: int | None = None) -> torch.Tensor:
    mask = torch.ones_like(ids)
    if real is not None:
        mask[:, real:] = 0
    with torch.inference_mode():
        return model(input_ids=ids, attention_mask=mask).logits


@given(length=st.integers(2, 40))
def test_the_first_stays_and_pairs_become_their_mean(length: int) -> None:
    rows = torch.randn(1, length, 3, generator=torch.Generator().manual_seed(length))
    found, _ = merged(rows, torch.ones(1, length))
    assert found.shape == (1, merged_length(length), 3)
    assert torch.equal(found[0, 0], rows[0, 0])
    for pair in range(1, (length + 1) // 2):
        torch.testing.assert_close(found[0, pair], rows[0, 2 * pair - 1 : 2 * pair + 1].mean(0))
    if length % 2 == 0:
        torch.testing.assert_close(found[0, -1], rows[0, -1] / 2)


@given(length=st.integers(2, 40), more=st.integers(1, 9))
def test_a_shorter_text_is_merged_by_the_tables_corner(length: int, more: int) -> None:
    corner = merging_table(length + more)[: merged_length(length), :length]
    assert torch.equal(corner, merging_table(length))


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("kind", MERGING)
def test_padding_changes_nothing(kind: str, attention: str) -> None:
    """A theorem on every architecture and both forms of its mask; lengths odd and even, merged once and twice."""
    model = merge(model_of(kind, attention=attention), (1, 2))
    for length in (2, 3, 6, 9):
        ids = ids_of(length)
        pad = torch.full((1, 5), model.config.pad_token_id)
        padded = logits(model, torch.cat([ids, pad], dim=1), real=length)
        torch.testing.assert_close(padded, logits(model, ids), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", MERGING)
def test_layers_behind_read_half_as_many_tokens(kind: str) -> None:
    plain, ids = model_of(kind), ids_of(9)
    with torch.inference_mode():
        states = merge(copy.deepcopy(plain), (1,))(input_ids=ids, output_hidden_states=True).hidden_states
        unmerged = plain(input_ids=ids, output_hidden_states=True).hidden_states
    assert [state.shape[1] for state in states] == [9, 5, 5, 5]
    torch.testing.assert_close(states[1], merged(unmerged[1], torch.ones(1, 9))[0])
    assert not torch.allclose(states[-1][:, 0], unmerged[-1][:, 0])


@pytest.mark.parametrize("kind", MERGING)
def test_a_merging_model_is_loaded_as_it_was_saved(kind: str, tmp_path: Path) -> None:
    model = merge(model_of(kind), (2,))
    model.save_pretrained(tmp_path)
    again = load_saved(tmp_path)
    assert Saved.of(again.config).merge_after == (2,)
    torch.testing.assert_close(logits(again, ids_of(8)), logits(model, ids_of(8)), rtol=1e-5, atol=1e-6)
    assert not torch.allclose(logits(again, ids_of(8)), logits(model_of(kind), ids_of(8)))


@pytest.mark.parametrize("after", [(0,), (3,), (2, 1), (1, 1)])
def test_places_that_are_not_between_layers_are_refused(after: tuple[int, ...]) -> None:
    with pytest.raises(ModelError, match="can't be merged"):
        merge(model_of("bert"), after)


def test_merging_twice_is_refused() -> None:
    with pytest.raises(ModelError, match="already"):
        merge(merge(model_of("bert"), (1,)), (2,))


@pytest.mark.parametrize("kind", [kind for kind in CONFIGS if kind not in MERGING])
def test_an_encoder_that_counts_on_every_token_is_refused(kind: str) -> None:
    with pytest.raises(ModelError, match=rf"structure\.merge_after: tokens can't be merged .* '{kind}'; leave it out"):
        merge(small_model_of(kind), (1,))
