"""Fused matrices in parts compute the same, and are saved as transformers names them."""

import copy
from pathlib import Path

import pytest
import torch
from architectures import CONFIGS, model_of
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification

from compress.errors import ModelError
from compress.models.anatomy import layers_of
from compress.models.architectures import ARCHITECTURES
from compress.models.fused import divide_, join_, joined
from compress.models.store import load_saved, save_model

FUSED = [kind for kind, row in ARCHITECTURES.items() if row.fused]
IDS = torch.arange(5, 30)[None]


@pytest.mark.parametrize("kind", FUSED)
@pytest.mark.parametrize("bias", [False, True])
def test_parts_compute_what_the_fused_matrix_does(kind: str, bias: bool) -> None:
    torch.manual_seed(0)
    config = copy.deepcopy(CONFIGS[kind])
    config.attention_bias = config.mlp_bias = bias
    whole = AutoModelForSequenceClassification.from_config(config).eval()
    for parameter in whole.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    divided = divide_(copy.deepcopy(whole))
    with torch.inference_mode():
        torch.testing.assert_close(divided(input_ids=IDS).logits, whole(input_ids=IDS).logits)
    state = joined(divided)
    assert state.keys() == whole.state_dict().keys()
    assert all(torch.equal(state[name], tensor) for name, tensor in whole.state_dict().items())
    back = join_(divided).state_dict()
    assert all(torch.equal(back[name], tensor) for name, tensor in whole.state_dict().items())
    again = divide_(AutoModelForSequenceClassification.from_config(config))
    again.load_state_dict(whole.state_dict())
    assert all(torch.equal(joined(again)[name], tensor) for name, tensor in whole.state_dict().items())


@pytest.mark.parametrize("kind", FUSED)
def test_a_saved_model_is_one_of_transformers(kind: str, tmp_path: Path) -> None:
    model = model_of(kind)
    save_model(model, tmp_path)
    plain = AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()
    assert load_file(tmp_path / "model.safetensors").keys() == plain.state_dict().keys()
    with torch.inference_mode():
        expected = model(input_ids=IDS).logits
        torch.testing.assert_close(plain(input_ids=IDS).logits, expected)
        torch.testing.assert_close(load_saved(tmp_path)(input_ids=IDS).logits, expected)


@pytest.mark.parametrize("kind", FUSED)
def test_parts_are_named_where_they_are_missing(kind: str) -> None:
    with pytest.raises(ModelError, match=r"call compress\.models\.fused\.divide_"):
        layers_of(AutoModelForSequenceClassification.from_config(copy.deepcopy(CONFIGS[kind])))


def test_other_models_stay_as_they_are() -> None:
    model = model_of("bert")
    before = dict(model.named_modules())
    assert dict(divide_(model).named_modules()) == before
