"""Pooling: a text's vector is what the encoder's own files say, padded or not, saved, and shortened in order."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from architectures import CONFIGS
from transformers import AutoModel

from compress.errors import ModelError
from compress.models.pooling import Pooling, Wanted, basis_of, pooling_of, prefixes_of, project, with_pooling
from compress.models.source import resolve_model
from compress.models.store import load_saved

STEPS = ("Transformer", "Pooling", "Normalize")


def model_of(kind: str) -> torch.nn.Module:
    torch.manual_seed(0)
    return AutoModel.from_config(copy.deepcopy(CONFIGS[kind])).eval()


def files(
    folder: Path, pooling: dict | None = None, steps: tuple[str, ...] = STEPS, prompts: dict | None = None
) -> str:
    (folder / "1_Pooling").mkdir(exist_ok=True)
    modules = [
        {"path": "1_Pooling" * (step == "Pooling"), "type": f"sentence_transformers.models.{step}"} for step in steps
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling or {"pooling_mode_mean_tokens": True}))
    (folder / "config_sentence_transformers.json").write_text(json.dumps({"prompts": prompts or {}}))
    return str(folder)


@pytest.mark.parametrize("mode", ["mean", "cls"])
@pytest.mark.parametrize("kind", CONFIGS)
def test_padding_does_not_change_a_vector(kind: str, mode: str) -> None:
    model = with_pooling(model_of(kind), Pooling(mode))
    ids = torch.randint(5, 50, (1, 9))
    padded, mask = F.pad(ids, (0, 4)), F.pad(torch.ones_like(ids), (0, 4))
    with torch.no_grad():
        alone, beside = model(input_ids=ids), model(input_ids=padded, attention_mask=mask)
    states = alone.last_hidden_state
    right = F.normalize(states.mean(1) if mode == "mean" else states[:, 0], dim=-1)
    torch.testing.assert_close(alone.logits, right)
    torch.testing.assert_close(beside.logits, right, atol=2e-4, rtol=0)


@pytest.mark.parametrize("size", [None, 8])
@pytest.mark.parametrize("kind", CONFIGS)
def test_a_saved_model_gives_the_same_vectors(kind: str, size: int | None, tmp_path: Path) -> None:
    model = with_pooling(model_of(kind), Pooling("cls", normalize=False, query="query: "))
    if size:
        project(model, torch.randn(size, model.config.hidden_size))
    model.save_pretrained(tmp_path)
    again, ids = load_saved(tmp_path), torch.randint(5, 50, (2, 7))
    with torch.no_grad():
        first, second = (each(input_ids=ids).logits for each in (model, again))
    assert first.shape[1] == (size or model.config.hidden_size)
    torch.testing.assert_close(second, first, atol=1e-6, rtol=0)
    assert Pooling.of(again.config) == Pooling("cls", normalize=False, query="query: ", size=size)


def test_the_embedded_encoder_says_how_it_pools() -> None:
    assert pooling_of(resolve_model("minilm")[1], Wanted()) == (Pooling("mean", normalize=True), [])


def test_an_encoder_says_its_pooling_and_prefixes(tmp_path: Path) -> None:
    prompts = {"query": "query: ", "document": "passage: "}
    source = files(tmp_path, {"pooling_mode_cls_token": True}, STEPS[:2], prompts)
    found, notes = pooling_of(source, Wanted())
    assert found == Pooling("cls", normalize=False, query="query: ", passage="passage: ")
    assert notes == ["queries begin with 'query: ', passages with 'passage: '"]
    assert pooling_of(source, Wanted(query="query: "))[0] == found


def test_an_encoder_that_says_nothing_gets_the_recipes_or_the_mean(tmp_path: Path) -> None:
    found, notes = pooling_of(str(tmp_path), Wanted(query="q: "))
    assert found == Pooling("mean", query="q: ") and "do not say how it pools" in notes[0]
    assert pooling_of(str(tmp_path), Wanted(mode="cls", normalize=False)) == (Pooling("cls", normalize=False), [])


@pytest.mark.parametrize(
    ("wanted", "key"),
    [
        (Wanted(query="ask: "), "query_prefix"),
        (Wanted(passage=""), "passage_prefix"),
        (Wanted(mode="cls"), "pooling"),
        (Wanted(normalize=False), "normalize"),
    ],
)
def test_a_recipe_that_contradicts_the_encoder_is_refused(tmp_path: Path, wanted: Wanted, key: str) -> None:
    source = files(tmp_path, prompts={"query": "query: ", "passage": "passage: "})
    with pytest.raises(ModelError, match=f"the recipe's embedding.{key} is"):
        pooling_of(source, wanted)


@pytest.mark.parametrize(
    ("pooling", "steps", "sentence"),
    [
        ({"pooling_mode_max_tokens": True}, STEPS, "its pooling is max"),
        ({"pooling_mode_max_tokens": True, "pooling_mode_mean_tokens": True}, STEPS, "mean and max"),
        ({"pooling_mode_mean_tokens": True}, (*STEPS[:2], "Dense"), "a step Dense, which is not supported"),
    ],
)
def test_what_is_not_supported_is_refused(tmp_path: Path, pooling: dict, steps: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence):
        pooling_of(files(tmp_path, pooling, steps), Wanted())


def test_the_basis_keeps_dot_products_best_and_in_order() -> None:
    random = np.random.default_rng(0)
    vectors = torch.from_numpy(random.standard_normal((200, 12)) * np.linspace(3, 0.1, 12)).float()
    basis = basis_of(vectors, 12)
    torch.testing.assert_close(basis @ basis.T, torch.eye(12), atol=1e-5, rtol=0)
    gram = vectors @ vectors.T

    def lost(rows: torch.Tensor) -> float:
        short = vectors @ rows.T
        return float((gram - short @ short.T).norm())

    errors = [lost(basis[:n]) for n in range(1, 13)]
    assert errors == sorted(errors, reverse=True) and errors[-1] < 1e-2
    other = torch.linalg.qr(torch.randn(12, 12))[0]
    assert errors[3] < lost(other[:4])


def test_prefixes_are_halves_down_to_64() -> None:
    assert prefixes_of(256) == (256, 128, 64)
    assert prefixes_of(384) == (384, 192, 96)
    assert prefixes_of(32) == (32,)
