"""A checkpoint whose encoder weights do not fit is refused by name; nothing else of it is silently random."""

import copy
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from architectures import CONFIGS, SMALL, with_layers
from safetensors.torch import load_file, save_file
from transformers import (
    AlbertConfig,
    AutoModel,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    DebertaConfig,
    DebertaV2Config,
    GPT2Config,
)

from compress.data.task import Example, Task
from compress.errors import ModelError
from compress.models.architectures import ARCHITECTURES
from compress.models.load import load_for, notes_on

EXAMPLES = (Example("a", None, 0), Example("b", None, 1))
TASK = Task("rooms", "classification", "accuracy", ("kitchen", "garden"), EXAMPLES, EXAMPLES, EXAMPLES, "0")
HOW = {"max_tokens": 16, "seed": 0}
Weights = dict[str, torch.Tensor]
FIRST_LAYER = re.compile(r"layers?\.0\.")
SEPARATE = [kind for kind in CONFIGS if not ARCHITECTURES[kind].shares_layers]  # each layer has its own weights


def saved(kind: str, folder: Path, auto: type = AutoModel, **config: object) -> Path:
    torch.manual_seed(1)
    settings = with_layers(kind, config.pop("num_hidden_layers", 2))
    for name, value in config.items():
        setattr(settings, name, value)
    auto.from_config(settings).save_pretrained(folder)
    return folder


def changed(folder: Path, change: Callable[[Weights], Weights]) -> str:
    file = folder / "model.safetensors"
    save_file(
        {name: tensor.clone() for name, tensor in change(load_file(file)).items()}, file, metadata={"format": "pt"}
    )
    return str(folder)


@pytest.mark.parametrize("kind", CONFIGS)
@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod."])
@pytest.mark.parametrize("auto", [AutoModel, AutoModelForSequenceClassification])
def test_a_wrappers_prefix_is_removed_and_noted(kind: str, prefix: str, auto: type, tmp_path: Path) -> None:
    source = saved(kind, tmp_path, auto)
    plain = load_for(TASK, str(source), **HOW).state_dict()
    wrapped = changed(source, lambda weights: {prefix + name: tensor for name, tensor in weights.items()})
    found = load_for(TASK, wrapped, **HOW).state_dict()
    assert found.keys() == plain.keys() and all(torch.equal(found[name], plain[name]) for name in plain)
    assert any(f'"{prefix}" was removed' in note for note in notes_on(TASK, wrapped, **HOW))


def _without_a_layer(weights: Weights) -> Weights:
    return {name: tensor for name, tensor in weights.items() if not re.search(r"layers?\.1\.", name)}


def _without_a_matrix(weights: Weights) -> Weights:
    gone = next(name for name, tensor in sorted(weights.items()) if FIRST_LAYER.search(name) and tensor.dim() == 2)
    return {name: tensor for name, tensor in weights.items() if name != gone}


def _renamed(weights: Weights) -> Weights:
    return {re.sub(r"layers?\.", "block.", name): tensor for name, tensor in weights.items()}


def _under_a_strange_name(weights: Weights) -> Weights:
    return {f"backbone.{name}": tensor for name, tensor in weights.items()}


def _without_words(weights: Weights) -> Weights:
    return {name: tensor for name, tensor in weights.items() if not re.search("(word|tok)_embeddings", name)}


@pytest.mark.parametrize("kind", CONFIGS)
@pytest.mark.parametrize(
    "fault", [_without_a_layer, _without_a_matrix, _renamed, _under_a_strange_name, _without_words]
)
def test_missing_encoder_weights_are_refused_by_name(kind: str, fault: Callable, tmp_path: Path) -> None:
    if fault is _without_a_layer and kind not in SEPARATE:
        pytest.skip("all layers have the same weights")
    with pytest.raises(ModelError, match=r"the checkpoint lacks .*(embeddings|layer)") as caught:
        load_for(TASK, changed(saved(kind, tmp_path), fault), **HOW)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("kind", SEPARATE)
def test_a_config_with_fewer_layers_than_the_weights_is_refused(kind: str, tmp_path: Path) -> None:
    deep, shallow = saved(kind, tmp_path / "deep"), saved(kind, tmp_path / "shallow", num_hidden_layers=1)
    (deep / "config.json").write_bytes((shallow / "config.json").read_bytes())
    with pytest.raises(ModelError, match=r"which the encoder of its config\.json does not have"):
        load_for(TASK, str(deep), **HOW)


@pytest.mark.parametrize("kind", CONFIGS)
def test_other_shapes_are_refused(kind: str, tmp_path: Path) -> None:
    def narrower(weights: Weights) -> Weights:
        return {name: t[:, :-1] if FIRST_LAYER.search(name) and t.dim() == 2 else t for name, t in weights.items()}

    with pytest.raises(ModelError, match="have other shapes"):
        load_for(TASK, changed(saved(kind, tmp_path), narrower), **HOW)


def test_relative_positions_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="relative_key, and only absolute"):
        load_for(TASK, str(saved("bert", tmp_path, position_embedding_type="relative_key")), **HOW)


@pytest.mark.parametrize("kind", [kind for kind, row in ARCHITECTURES.items() if row.pooler is None])
@pytest.mark.parametrize("prefix", ["", "base."])
def test_a_pooler_that_no_head_reads_is_left_out(kind: str, prefix: str, tmp_path: Path) -> None:
    """The published checkpoints of RoBERTa, XLM-RoBERTa, CamemBERT and MPNet hold one."""
    source = saved(kind, tmp_path, AutoModelForMaskedLM if prefix else AutoModel)
    expected = load_for(TASK, str(source), **HOW).state_dict()
    name = f"{ARCHITECTURES[kind].base}.pooler.dense.weight" if prefix else "pooler.dense.weight"
    more = changed(source, lambda weights: {**weights, name: torch.ones(16, 16)})
    found = load_for(TASK, more, **HOW).state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (AlbertConfig(**SMALL, num_hidden_groups=2), "it has 2 groups of 1 layers that share weights"),
        (AlbertConfig(**SMALL, inner_group_num=3), "it has 1 groups of 3 layers that share weights"),
        (DebertaV2Config(**SMALL), "the architecture 'deberta-v2' is not supported: each of its scores is looked up"),
        (DebertaConfig(**SMALL), "the architecture 'deberta' is not supported: each of its scores is looked up"),
        (
            GPT2Config(n_embd=16, n_layer=1, n_head=2),
            "the architecture 'gpt2' is not supported; use one of .* add a row",
        ),
    ],
)
def test_what_is_not_supported_is_named_before_anything_is_loaded(config, said: str, tmp_path: Path) -> None:
    config.save_pretrained(tmp_path)  # there are no weights
    with pytest.raises(ModelError, match=said) as caught:
        load_for(TASK, str(tmp_path), **HOW)
    assert "\n" not in str(caught.value) and caught.value.remedy


def test_scaled_rotary_positions_are_refused(tmp_path: Path) -> None:
    config = copy.deepcopy(CONFIGS["modernbert"])
    config.rope_parameters["full_attention"] |= {"rope_type": "linear", "factor": 2.0}
    config.save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="its rotary positions are of type linear, and only default"):
        load_for(TASK, str(tmp_path), **HOW)


@pytest.mark.parametrize("kind", CONFIGS)
def test_a_head_that_fits_or_does_not_is_noted(kind: str, tmp_path: Path) -> None:
    two = saved(kind, tmp_path / "two", AutoModelForSequenceClassification, num_labels=2)
    three = saved(kind, tmp_path / "three", AutoModelForSequenceClassification, num_labels=3)
    assert any("own head" in note for note in notes_on(TASK, str(two), **HOW))
    assert any("a new head begins" in note for note in notes_on(TASK, str(three), **HOW))
    assert load_for(TASK, str(three), **HOW).num_labels == 2


@pytest.mark.parametrize("kind", CONFIGS)
def test_a_masked_language_model_loads_and_only_its_pooler_is_new(kind: str, tmp_path: Path) -> None:
    notes = notes_on(TASK, str(saved(kind, tmp_path, AutoModelForMaskedLM)), **HOW)
    assert [("no pooler" in note) for note in notes] == ([True] if ARCHITECTURES[kind].pooler else [])


def test_names_of_classes_that_the_data_does_not_use_are_said(tmp_path: Path) -> None:
    names = {0: "GARDEN", 1: "KITCHEN"}
    folder = saved("bert", tmp_path, AutoModelForSequenceClassification, id2label=names)
    numbered = Task("rooms", "classification", "accuracy", ("0", "1"), EXAMPLES, EXAMPLES, EXAMPLES, "0")
    assert any("names its classes GARDEN, KITCHEN" in note for note in notes_on(numbered, str(folder), **HOW))
