"""The program answers as the model does, for every architecture and length, and XNNPACK takes nearly all of it."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import PreTrainedModel

from compress.errors import ExportError, ModelError
from compress.models.anatomy import first_with_its_weights, layers_of
from compress.models.surgery import Structure, remove
from mobile_export.lowering.blocks import ACTIVATIONS, activation_of
from mobile_export.lowering.lower import has_segments, lower
from mobile_export.lowering.phone import PhoneEncoder
from mobile_export.programs.program import Program
from mobile_export.programs.runtime import LoadedProgram, predict

from .conftest import ARCHITECTURES, EACH, MAX_TOKENS, TEXTS, TWINS, eager, encode, random_model, save

FP32 = 1e-5  # rounding of another order of additions, on logits of size 1


@pytest.mark.parametrize("kind", EACH)
def test_phone_form_is_the_same_mathematics(kind: str) -> None:
    model = random_model(kind)
    phone = PhoneEncoder(model, MAX_TOKENS, segments=False).eval()
    for text in map(encode, TEXTS):
        with torch.no_grad():
            answer = phone(torch.tensor([text["input_ids"]]))[0]
        torch.testing.assert_close(answer, eager(model, text), atol=FP32, rtol=0)


@pytest.mark.parametrize("kind", ["bert", "albert", "electra", "mobilebert"])
def test_phone_form_tells_segments_apart(kind: str) -> None:
    model = random_model(kind)
    phone = PhoneEncoder(model, MAX_TOKENS, segments=True).eval()
    text = encode(TEXTS[0], TEXTS[1])
    with torch.no_grad():
        answer = phone(torch.tensor([text["input_ids"]]), torch.tensor([text["token_type_ids"]]))[0]
    torch.testing.assert_close(answer, eager(model, text, pair=True), atol=FP32, rtol=0)
    assert (answer - eager(model, text, pair=False)).abs().max() > 1e-3  # segments matter to this model


@pytest.mark.parametrize("kind", EACH)
def test_layers_of_different_widths(kind: str) -> None:
    model = random_model(kind)
    first = first_with_its_weights(layers_of(model))  # the same units of shared weights
    heads, neurons = ((0, 2, 3), (1,)), (tuple(range(1, 81, 2)), tuple(range(17)))
    remove(model, Structure((0, 1), tuple(heads[i] for i in first), tuple(neurons[i] for i in first)))
    phone = PhoneEncoder(model, MAX_TOKENS, segments=False).eval()
    for text in map(encode, TEXTS[:3]):
        with torch.no_grad():
            answer = phone(torch.tensor([text["input_ids"]]))[0]
        torch.testing.assert_close(answer, eager(model, text), atol=FP32, rtol=0)


def with_idle_neurons(kind: str) -> PreTrainedModel:
    """A model of 96 neurons a layer.

    Of the first layer's 50 hear nothing, 40 are not read, and 6 busy ones are left, which take a group of 32; of the
    second's 40 hear nothing, and 56 take two groups.
    """
    model = random_model(kind)
    first, second = (layer.feed_forwards[-1] for layer in layers_of(model))
    with torch.no_grad():
        first.inner.weight[:50] = 0
        first.outer.weight[:, 50:90] = 0
        second.inner.weight[3:43] = 0
    return model


@pytest.mark.parametrize("kind", EACH)
def test_idle_neurons_are_gone_and_not_missed(kind: str) -> None:
    model = with_idle_neurons(kind)
    phone = PhoneEncoder(model, MAX_TOKENS, segments=False).eval()
    widths = [layer.feed_forwards[-1].inner.out_features for layer in phone.layers]
    shared = len(phone.layers) == 1
    assert (widths, phone.idle_neurons) == (([32], 64) if shared else ([32, 64], 64 + 32))
    for text in map(encode, TEXTS[:3]):
        with torch.no_grad():
            answer = phone(torch.tensor([text["input_ids"]]))[0]
        torch.testing.assert_close(answer, eager(model, text), atol=FP32, rtol=0)


def test_a_layer_without_a_busy_neuron_keeps_a_group() -> None:
    model = random_model("bert")
    with torch.no_grad():
        layers_of(model)[0].feed_forwards[0].inner.weight.zero_()
    phone = PhoneEncoder(model, MAX_TOKENS, segments=False).eval()
    text = encode(TEXTS[0])
    with torch.no_grad():
        answer = phone(torch.tensor([text["input_ids"]]))[0]
    assert phone.idle_neurons == 64
    torch.testing.assert_close(answer, eager(model, text), atol=FP32, rtol=0)


@pytest.mark.parametrize("scheme", ["none", "int8", "int4"])
def test_a_program_without_idle_neurons_is_smaller_and_answers_as_the_model(scheme: str, tmp_path: Path) -> None:
    model = with_idle_neurons("bert")
    folders = {"whole": save(random_model("bert"), tmp_path / "whole"), "idle": save(model, tmp_path / "idle")}
    programs = {name: lower(folder, tmp_path / f"{name}.pte", scheme=scheme) for name, folder in folders.items()}
    assert (programs["whole"].idle_neurons, programs["idle"].idle_neurons) == (0, 96)
    assert Program.read(tmp_path / "idle.pte").idle_neurons == 96
    bits = {"none": 32, "int8": 8, "int4": 4}[scheme]
    assert programs["whole"].bytes - programs["idle"].bytes >= 96 * 2 * 64 * bits // 8
    text = encode(TEXTS[0])
    whole, answer = eager(model, text).numpy(), predict(programs["idle"], [text])[0]
    if scheme != "int4":  # four bits of a random model say little
        np.testing.assert_allclose(answer, whole, atol={"none": FP32, "int8": 0.2 * whole.std()}[scheme])


@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS)))
def test_activations_are_those_of_transformers(name: str) -> None:
    from transformers.activations import ACT2FN

    x = torch.linspace(-6, 6, 1001)
    if name not in ACT2FN:
        pytest.skip(f"transformers has no activation {name}")
    torch.testing.assert_close(activation_of(name)(x), ACT2FN[name](x), atol=1e-6, rtol=0)


@pytest.mark.parametrize("kind", EACH)
def test_fp32_program_equals_eager(kind: str, program) -> None:
    model, texts = random_model(kind), [encode(text) for text in TEXTS]
    answers = predict(program(kind), texts)
    np.testing.assert_allclose(answers, np.stack([eager(model, text) for text in texts]), atol=FP32, rtol=0)


@pytest.mark.parametrize(
    "kind",
    [kind if kind in ("bert", "mobilebert") else pytest.param(kind, marks=pytest.mark.slow) for kind in ARCHITECTURES],
)
def test_int8_program_predicts_as_eager(kind: str, program) -> None:
    model, texts = random_model(kind), [encode(text) for text in TEXTS]
    answers = predict(program(kind, scheme="int8"), texts)
    wanted = np.stack([eager(model, text) for text in texts])
    np.testing.assert_allclose(answers, wanted, atol=0.05 * np.abs(wanted).max(), rtol=0)
    clear = np.sort(wanted, 1)[:, -1] - np.sort(wanted, 1)[:, -2] > 0.05
    assert clear.any() and (answers.argmax(1) == wanted.argmax(1))[clear].all()


@pytest.mark.parametrize("kind", EACH)
def test_phone_form_is_delegated_in_two_pieces(kind: str, program) -> None:
    census = program(kind).census
    assert census.pieces <= (3 if kind == "mobilebert" else 2)  # the trigram's neighbors are joined outside
    assert census.delegated_fraction > 0.85
    outside = {"aten_embedding_default", "aten_slice_copy_tensor", "aten_view_copy_default", "getitem", "sym_size"}
    assert set(census.leftovers) <= outside


def test_stock_form_equals_eager(program) -> None:
    model, stock = random_model("bert"), program("bert", "stock")
    assert stock.inputs == ("input_ids", "attention_mask") and stock.census.pieces > 2
    texts = [encode(text) for text in TEXTS]
    answers = predict(stock, texts)
    np.testing.assert_allclose(answers, np.stack([eager(model, text) for text in texts]), atol=FP32, rtol=0)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kind for kind in ARCHITECTURES if kind not in ("bert", "mobilebert", *TWINS)])
def test_stock_form_of_every_architecture_equals_eager(kind: str, program) -> None:
    model, texts = random_model(kind), [encode(text) for text in TEXTS]
    answers = predict(program(kind, "stock"), texts)
    np.testing.assert_allclose(answers, np.stack([eager(model, text) for text in texts]), atol=FP32, rtol=0)


@pytest.mark.slow
def test_stock_form_of_mobilebert_equals_eager(program) -> None:
    model, stock = random_model("mobilebert"), program("mobilebert", "stock")
    assert stock.min_tokens == 3  # its trigram is cut out of the text
    texts = [encode("stop"), *(encode(text) for text in TEXTS)]
    assert len(texts[0]["input_ids"]) == 3
    answers = predict(stock, texts)
    np.testing.assert_allclose(answers, np.stack([eager(model, text) for text in texts]), atol=FP32, rtol=0)


def test_every_length_works(program) -> None:
    loaded, model = LoadedProgram.of(program("bert", scheme="int8")), random_model("bert")
    ids = (encode(" ".join(TEXTS))["input_ids"] * 2)[:MAX_TOKENS]
    for length in range(2, MAX_TOKENS + 1):
        text = {"input_ids": ids[:length]}
        answer = loaded.answer(text)[0][0]
        np.testing.assert_allclose(answer, eager(model, text), atol=0.1, err_msg=f"{length} tokens")
    for length in (1, MAX_TOKENS + 1):
        with pytest.raises(ExportError, match=f"{length} tokens"):
            loaded.answer({"input_ids": [101] * length})


def test_pair_program_takes_segments(tmp_path: Path) -> None:
    model = random_model("bert")
    made = lower(save(model, tmp_path / "m", kind="pair"), tmp_path / "p.pte", scheme="none")
    assert made.inputs == ("input_ids", "token_type_ids") and made.census.pieces <= 2
    texts = [encode(a, b) for a, b in itertools.pairwise(TEXTS)]
    wanted = np.stack([eager(model, text, pair=True) for text in texts])
    np.testing.assert_allclose(predict(made, texts), wanted, atol=FP32, rtol=0)


def test_architectures_without_segments_take_none() -> None:
    assert has_segments(random_model("bert"), pair=True)
    assert not has_segments(random_model("roberta"), pair=True)
    assert not has_segments(random_model("distilbert"), pair=True)


def test_tanh_gelu_is_not_answered_as_erf_gelu(tmp_path: Path) -> None:
    model = random_model("bert", hidden_act="gelu_new")
    made = lower(save(model, tmp_path / "m"), tmp_path / "p.pte", scheme="none")
    texts = [encode(text) for text in TEXTS]
    np.testing.assert_allclose(predict(made, texts), np.stack([eager(model, t) for t in texts]), atol=FP32, rtol=0)
    model.config.hidden_act = "gelu"
    erf = random_model("bert")
    difference = max((eager(erf, t) - eager(model, t)).abs().max() for t in texts)
    assert difference > 2 * FP32  # so the test above would notice


def test_the_same_folder_gives_the_same_bytes(program, folder, tmp_path: Path) -> None:
    first = program("bert", scheme="int8")
    code = "import sys, pathlib, mobile_export.lowering.lower as l; l.lower(*map(pathlib.Path, sys.argv[1:]))"
    again = tmp_path / "again.pte"
    environment = {**os.environ, "PYTHONHASHSEED": "1"}  # another order of sets, in a process of its own
    subprocess.run([sys.executable, "-c", code, str(folder("bert")), str(again)], env=environment, check=True)
    assert again.read_bytes() == first.path.read_bytes()


def test_description_is_read_back(program) -> None:
    made = program("bert")
    assert Program.read(made.path) == made


def test_bad_requests_get_a_sentence(folder, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="no form 'tablet'"):
        lower(folder("bert"), tmp_path / "p.pte", form="tablet")
    with pytest.raises(ExportError, match="no quantization scheme 'int2'"):
        lower(folder("bert"), tmp_path / "p.pte", scheme="int2")
    with pytest.raises(ExportError, match="max_tokens is 65"):
        lower(folder("bert"), tmp_path / "p.pte", max_tokens=65)
    with pytest.raises(ModelError, match="can't be loaded"):
        lower(tmp_path / "nowhere", tmp_path / "p.pte")
    with pytest.raises(ExportError, match="activation 'xielu' can't be lowered"):
        activation_of("xielu")
    assert not (tmp_path / "p.pte").exists()
