"""Every head answers as the model does, on every architecture, in a program of its own that is delegated whole."""

import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from compress.models.pooling import Pooling, project, with_pooling
from mobile_export.lowering.lower import FORMS, load_model, lower
from mobile_export.lowering.quantization import Scheme
from mobile_export.programs.program import Program
from mobile_export.programs.runtime import Encoded, LoadedProgram

from .conftest import ARCHITECTURES, EACH, HEADS, MAX_TOKENS, head_model, save, texts_of

FP32 = 1e-5  # rounding of another order of additions, on logits of size 1 to 5
FIRST_ROW_ONLY = ("classification", "pair", "regression")
# every head at least once, in every kind of layer, but for classification: see test_lowering.py
QUICK = (
    ("bert", "regression"),
    ("modernbert", "tokens"),
    ("electra", "qa"),
    ("distilbert", "mlm"),
    ("mobilebert", "pair"),
)
PRODUCT = tuple(itertools.product(ARCHITECTURES, HEADS))
QUICK_QUANTIZED = (("electra", "qa", "int8"), ("bert", "tokens", "int8"))
QUANTIZED = (
    *(("roberta", "regression", "int8"), ("mobilebert", "tokens", "int8"), ("bert", "mlm", "int4")),
    ("distilbert", "embedding", "int8"),
    *(("distilbert", "pair", "int4"), ("mobilebert", "qa", "int4")),
    *(("mpnet", "tokens", "int8"), ("albert", "pair", "int8"), ("modernbert", "classification", "int8")),
    *(("mpnet", "pair", "int4"), ("albert", "tokens", "int4"), ("modernbert", "qa", "int4")),
)
# The mean difference of a program from its module, on logits of size 1: a sum in another order can move an activation
# to the next of its 256 steps, and XNNPACK rounds the scales of int4 groups to bf16.
ROUNDING = {"int8": 0.005, "int4": 0.02}


def slow_but(quick: tuple, *all_of: tuple) -> list:
    return [pytest.param(*one, marks=() if one in quick else pytest.mark.slow) for one in all_of]


def tensors(text: Encoded, inputs: tuple[str, ...]) -> dict[str, torch.Tensor]:
    return {name: torch.tensor([text[name]]) for name in inputs}


def eager(model: torch.nn.Module, text: Encoded, inputs: tuple[str, ...]) -> list[np.ndarray]:
    """The Hugging Face model's outputs for one text, in the program's order."""
    with torch.no_grad():
        answer = model(**tensors(text, inputs))
    if "last_hidden_state" in answer:  # the embedding as sentence-transformers has it
        return [torch.nn.functional.normalize(answer.last_hidden_state.mean(1)).numpy()]
    return [part.numpy() for part in ([answer.logits] if "logits" in answer else answer[:2])]


def lowered(model: transformers.PreTrainedModel, head: str, folder: Path, **options: str) -> Program:
    saved = save(model, folder / "m", kind=head)
    assert type(load_model(saved)) is type(model)
    return lower(saved, folder / "p.pte", **{"scheme": "none", **options})


@pytest.mark.parametrize("head", [head for head in HEADS if head not in FIRST_ROW_ONLY])
@pytest.mark.parametrize("kind", EACH)
def test_phone_form_is_the_same_mathematics(kind: str, head: str) -> None:
    model = head_model(kind, head)
    phone, inputs = FORMS["phone"](model, MAX_TOKENS, False)
    for text in texts_of(inputs)[:4]:
        with torch.no_grad():
            answers = phone(**tensors(text, inputs))
        answers = answers if isinstance(answers, tuple) else (answers,)
        for answer, right in zip(answers, eager(model, text, inputs), strict=True):
            np.testing.assert_allclose(answer, right, atol=FP32, rtol=0)


@pytest.mark.parametrize("size", [None, 16])
@pytest.mark.parametrize("pooling", [Pooling("mean"), Pooling("cls"), Pooling("mean", normalize=False)])
@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_phone_form_pools_as_the_model_does(kind: str, pooling: Pooling, size: int | None) -> None:
    model = with_pooling(head_model(kind, "embedding"), pooling)
    if size:
        project(model, torch.randn(size, model.config.hidden_size))
    phone, inputs = FORMS["phone"](model, MAX_TOKENS, False)
    for text in texts_of(inputs)[:4]:
        with torch.no_grad():
            found, right = phone(**tensors(text, inputs)), model(**tensors(text, inputs)).logits
        np.testing.assert_allclose(found, right, atol=2e-5 * max(1, float(right.abs().max())), rtol=0)


def test_a_program_of_short_vectors_is_delegated_whole(tmp_path: Path) -> None:
    model = project(with_pooling(head_model("bert", "embedding"), Pooling("mean")), torch.randn(16, 64))
    saved = save(model, tmp_path / "m", kind="embedding")
    made = lower(saved, tmp_path / "p.pte", scheme="int8")
    assert made.outputs == ("embedding",) and made.census.pieces == 1
    text = texts_of(made.inputs)[0]
    with torch.no_grad():
        right = model(**tensors(text, made.inputs)).logits.numpy()
    found = LoadedProgram.of(made).answer(text)[0]
    assert found.shape == (1, 16) and float((found * right).sum()) > 0.98


@pytest.mark.parametrize(("kind", "head"), slow_but(QUICK, *PRODUCT))
def test_fp32_program_equals_eager_and_is_delegated_whole(kind: str, head: str, tmp_path: Path) -> None:
    model = head_model(kind, head)
    made = lowered(model, head, tmp_path)
    loaded = LoadedProgram.of(made)
    for text in texts_of(made.inputs):
        for answer, right in zip(loaded.answer(text), eager(model, text, made.inputs), strict=True):
            assert answer.shape == right.shape
            np.testing.assert_allclose(answer, right, atol=FP32, rtol=0)
    check_census(made, kind, head)


def check_census(made: Program, kind: str, head: str) -> None:
    """XNNPACK computes all but the gather of words, the slices of tables, and what makes it two pieces or three."""
    segments, first_row, trigram = "token_type_ids" in made.inputs, head in FIRST_ROW_ONLY, kind == "mobilebert"
    pieces = 1 + first_row + trigram  # slicing one row and joining three neighbors stay outside
    left = Counter(aten_embedding_default=1, aten_view_copy_default=1 + 2 * segments, sym_size=1)
    left["aten_slice_copy_tensor"] = 1 + first_row + 2 * trigram
    if kind == "mpnet":  # the distances of all rows, and of the first
        left["aten_slice_copy_tensor"] += 2 * (1 + first_row)
        left["aten_embedding_default"] += 1 + first_row
    if kind == "modernbert":  # cosines and sines of two frequencies, and the window's rows and columns, for positions
        left["aten_slice_copy_tensor"] += 5 - (first_row and made.scheme == "none")  # one row of fp32 is not sliced
    if segments:
        left["dim_order_ops__to_dim_order_copy_default"] = 1
    if made.scheme != "none":  # scales are gathered and sliced beside what they scale
        left["aten_slice_copy_tensor"] += kind != "modernbert"
        left["aten_embedding_default" if made.scheme == "int8" else "torchao_dequantize_affine_default"] += 1
    assert made.census.pieces == pieces and made.census.delegated_fraction > 0.85
    computed = {name: count for name, count in made.census.leftovers.items() if name != "getitem"}  # reads an output
    assert computed == left


@pytest.mark.slow
def test_stock_form_of_an_encoder_gives_the_embedding(tmp_path: Path) -> None:
    model = head_model("bert", "embedding")
    made = lowered(model, "embedding", tmp_path, form="stock")
    assert made.inputs == ("input_ids", "attention_mask") and made.outputs == ("embedding",)
    loaded = LoadedProgram.of(made)
    for text in texts_of(("input_ids",)):
        np.testing.assert_allclose(loaded.answer(text)[0], eager(model, text, ("input_ids",))[0], atol=FP32, rtol=0)


@pytest.mark.parametrize(("kind", "head", "scheme"), slow_but(QUICK_QUANTIZED, *QUICK_QUANTIZED, *QUANTIZED))
def test_quantized_program_equals_the_quantized_module(kind: str, head: str, scheme: str, tmp_path: Path) -> None:
    model = head_model(kind, head)
    made = lowered(model, head, tmp_path, scheme=scheme)
    check_census(made, kind, head)
    module, inputs = FORMS["phone"](load_model(tmp_path / "m"), MAX_TOKENS, "token_type_ids" in made.inputs)
    loaded, off, price = LoadedProgram.of(made), [], []
    Scheme(scheme).apply(module)
    for text in texts_of(inputs):
        with torch.no_grad():
            answers = module(**tensors(text, inputs))
        answers = answers if isinstance(answers, tuple) else (answers,)
        for found, right, plain in zip(loaded.answer(text), answers, eager(model, text, inputs), strict=True):
            off.append(np.abs(found - right.numpy()).mean())
            price.append(np.abs(right.numpy() - plain).mean())
    assert np.mean(off) < ROUNDING[scheme]
    assert 3 * np.mean(off) < np.mean(price) < 0.25  # it is this quantization that answers, and a fair one
