"""A checkpoint whose encoder weights do not fit is refused by name; nothing else of it is silently random."""

import copy
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from architectures import CONFIGS
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoModelForMaskedLM, AutoModelForSequenceClassification

from compress.data.task import Example, Task
from compress.errors import ModelError
from compress.models.architectures import ARCHITECTURES
from compress.models.load import load_for, notes_on

EXAMPLES = (Example("a", None, 0), Example("b", None, 1))
TASK = Task("rooms", "classification", "accuracy", ("kitchen", "garden"), EXAMPLES, EXAMPLES, EXAMPLES, "0")
HOW = {"max_tokens": 16, "seed": 0}
Weights = dict[str, torch.Tensor]


def saved(kind: str, folder: Path, auto: type = AutoModel, **config: object) -> Path:
    torch.manual_seed(1)
    settings = copy.deepcopy(CONFIGS[kind])
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
    return {name: tensor for name, tensor in weights.items() if "layer.1." not in name}


def _without_a_matrix(weights: Weights) -> Weights:
    gone = next(name for name, tensor in sorted(weights.items()) if "layer.0." in name and tensor.dim() == 2)
    return {name: tensor for name, tensor in weights.items() if name != gone}


def _renamed(weights: Weights) -> Weights:
    return {name.replace("layer.", "block."): tensor for name, tensor in weights.items()}


def _under_a_strange_name(weights: Weights) -> Weights:
    return {f"backbone.{name}": tensor for name, tensor in weights.items()}


def _without_words(weights: Weights) -> Weights:
    return {name: tensor for name, tensor in weights.items() if "word_embeddings" not in name}


@pytest.mark.parametrize("kind", CONFIGS)
@pytest.mark.parametrize(
    "fault", [_without_a_layer, _without_a_matrix, _renamed, _under_a_strange_name, _without_words]
)
def test_missing_encoder_weights_are_refused_by_name(kind: str, fault: Callable, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"the checkpoint lacks .*(embeddings|layer)") as caught:
        load_for(TASK, changed(saved(kind, tmp_path), fault), **HOW)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("kind", CONFIGS)
def test_a_config_with_fewer_layers_than_the_weights_is_refused(kind: str, tmp_path: Path) -> None:
    deep, shallow = saved(kind, tmp_path / "deep"), saved(kind, tmp_path / "shallow", num_hidden_layers=1)
    (deep / "config.json").write_bytes((shallow / "config.json").read_bytes())
    with pytest.raises(ModelError, match=r"which the encoder of its config\.json does not have"):
        load_for(TASK, str(deep), **HOW)


@pytest.mark.parametrize("kind", CONFIGS)
def test_other_shapes_are_refused(kind: str, tmp_path: Path) -> None:
    def narrower(weights: Weights) -> Weights:
        return {name: t[:, :-1] if "layer.0." in name and t.dim() == 2 else t for name, t in weights.items()}

    with pytest.raises(ModelError, match="have other shapes"):
        load_for(TASK, changed(saved(kind, tmp_path), narrower), **HOW)


def test_relative_positions_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="relative_key, and only absolute"):
        load_for(TASK, str(saved("bert", tmp_path, position_embedding_type="relative_key")), **HOW)


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
