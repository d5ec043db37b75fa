"""A program that merges tokens answers as its model does at every length, and stays in as few pieces."""

import numpy as np
import pytest
import torch

from compress.models.merging import merge, merged_length, merging_table
from mobile_export.lowering.lower import lower
from mobile_export.lowering.phone import PhoneEncoder
from mobile_export.lowering.quantization import HalvesTable
from mobile_export.programs.runtime import predict

from .conftest import MAX_TOKENS, MERGING, TEXTS, eager, encode, random_model, save

LAYERS = {kind: {"n_layers" if kind == "distilbert" else "num_hidden_layers": 4} for kind in MERGING}


def merging_model(kind: str) -> torch.nn.Module:
    return merge(random_model(kind, **LAYERS[kind]), (1, 3))


def texts() -> list[dict[str, list[int]]]:
    """Real texts, odd and even in length, the shortest and the longest that a program takes among them."""
    long = encode(" ".join(TEXTS))
    found = [encode(text) for text in TEXTS] + [{k: v[:n] for k, v in long.items()} for n in (2, 3, 4, MAX_TOKENS)]
    assert {len(text["input_ids"]) % 2 for text in found} == {0, 1}
    return found


@pytest.mark.parametrize("kind", MERGING)
def test_phone_form_merges_as_the_model_does(kind: str) -> None:
    model = merging_model(kind)
    phone = PhoneEncoder(model, MAX_TOKENS, segments=False).eval()
    for text in texts():
        with torch.no_grad():
            answer = phone(torch.tensor([text["input_ids"]]))[0]
        torch.testing.assert_close(answer, eager(model, text), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    "kind", [kind if kind == "bert" else pytest.param(kind, marks=pytest.mark.slow) for kind in MERGING]
)
def test_programs_merge_as_the_model_does(kind: str, tmp_path) -> None:
    model = merging_model(kind)
    wanted = np.stack([eager(model, text) for text in texts()])
    for scheme, tolerance in (("none", 1e-5), ("int8", 0.05 * np.abs(wanted).max())):
        program = lower(save(model, tmp_path / scheme), tmp_path / f"{scheme}.pte", scheme=scheme)
        np.testing.assert_allclose(predict(program, texts()), wanted, atol=tolerance, rtol=0)
        # merging adds no piece: the third is of the trigram, whose neighbors are joined outside
        assert program.census.pieces <= (3 if kind == "mobilebert" else 2)


def test_halves_are_stored_exactly() -> None:
    table = merging_table(9).unsqueeze(0)
    stored = HalvesTable(table, merged_length)
    for length in range(2, 10):
        assert torch.equal(stored(length), table[:, : merged_length(length), :length])
    assert stored.doubled.dtype == torch.int8
