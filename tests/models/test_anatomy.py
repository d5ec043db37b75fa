"""The table of part names fits the real classes of every architecture in it."""

import copy

import pytest
import torch
from architectures import CONFIGS, made
from transformers import AutoModelForSequenceClassification, GPT2Config

from compress.errors import ModelError
from compress.models.anatomy import classification_head_of, embeddings_of, encoder_of, layers_of, prunable_parameters
from compress.models.architectures import ARCHITECTURES


def test_every_row_is_tested() -> None:
    assert CONFIGS.keys() == ARCHITECTURES.keys()


@pytest.fixture(params=CONFIGS)
def model(request: pytest.FixtureRequest) -> torch.nn.Module:
    torch.manual_seed(0)
    return made(AutoModelForSequenceClassification, copy.deepcopy(CONFIGS[request.param]))


def test_parts_are_found(model: torch.nn.Module) -> None:
    layers = layers_of(model)
    assert len(layers) == 2
    for layer in layers:
        assert layer.heads == 2
        assert layer.query.out_features == layer.attention_output.in_features == layer.heads * layer.head_size
        for block in layer.feed_forwards:
            assert block.inner.out_features == block.outer.in_features == 32
    assert len(layers[0].feed_forwards) == (4 if model.config.model_type == "mobilebert" else 1)
    assert embeddings_of(model).word.num_embeddings == 50
    assert classification_head_of(model).out.out_features == 2


def test_prunable_matrices_are_exactly_the_encoders_linear_layers(model: torch.nn.Module) -> None:
    """Independently of the table: all Linear weights of the pre-trained encoder outside its embeddings."""
    encoder = encoder_of(model)
    wanted = {
        id(module.weight)
        for name, module in encoder.named_modules()
        if isinstance(module, torch.nn.Linear) and "embedding" not in name
    }
    assert {id(p) for p in prunable_parameters(model).values()} == wanted


def test_bare_encoders_have_the_same_parts(model: torch.nn.Module) -> None:
    assert len(prunable_parameters(encoder_of(model))) == len(prunable_parameters(model))


def test_unknown_architecture_names_what_to_add() -> None:
    model = AutoModelForSequenceClassification.from_config(GPT2Config(vocab_size=50, n_embd=16, n_layer=1, n_head=2))
    with pytest.raises(ModelError, match=r"add a row for 'gpt2' to ARCHITECTURES in compress/models/architectures\.py"):
        layers_of(model)
