"""Token, span and masked-word heads answer as the model does, for every architecture, and are delegated whole."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from mobile_export.lowering import LOADERS, load_model, lower
from mobile_export.lowering_phone import PhoneEncoder
from mobile_export.runtime import LoadedProgram

from .conftest import ARCHITECTURES, MAX_TOKENS, TEXTS, encode, random_model, save

FP32 = 2e-5
KIND_OF = {"ForTokenClassification": "tokens", "ForQuestionAnswering": "qa", "ForMaskedLM": "mlm"}


def wanted(model: torch.nn.Module, text: dict[str, list[int]], names: tuple[str, ...]) -> list[torch.Tensor]:
    """The Hugging Face model's outputs for one text, by name."""
    segments = {"token_type_ids": torch.tensor([text["token_type_ids"]])} if "token_type_ids" in names else {}
    with torch.no_grad():
        answer = model(input_ids=torch.tensor([text["input_ids"]]), **segments)
    return [answer.logits] if "logits" in answer else [answer.start_logits, answer.end_logits]


def head_model(kind: str, head: str) -> torch.nn.Module:
    labels = {"num_labels": 2} if head == "ForQuestionAnswering" else {}
    return random_model(kind, auto=getattr(transformers, LOADERS[head]), **labels)


@pytest.mark.parametrize("head", LOADERS)
@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_phone_form_is_the_same_mathematics(kind: str, head: str) -> None:
    model = head_model(kind, head)
    phone = PhoneEncoder(model, MAX_TOKENS, segments=False).eval()
    for text in map(encode, TEXTS[:4]):
        with torch.no_grad():
            answers = phone(torch.tensor([text["input_ids"]]))
        answers = answers if isinstance(answers, tuple) else (answers,)
        for answer, right in zip(answers, wanted(model, text, ()), strict=True):
            torch.testing.assert_close(answer, right, atol=FP32, rtol=FP32)


@pytest.mark.parametrize("head", LOADERS)
def test_program_answers_for_every_token(head: str, tmp_path: Path) -> None:
    model = head_model("bert", head)
    folder = save(model, tmp_path / "m", kind=KIND_OF[head])
    made = lower(folder, tmp_path / "p.pte", scheme="none")
    assert made.census.pieces <= 2 and made.census.delegated_fraction > 0.85
    assert type(load_model(folder)) is type(model)
    loaded = LoadedProgram.of(made)
    for first, second in itertools.pairwise(TEXTS[:4]):
        text = encode(first, second if head == "ForQuestionAnswering" else None)
        for answer, right in zip(loaded.answer(text), wanted(model, text, made.inputs), strict=True):
            assert answer.shape == tuple(right.shape)
            np.testing.assert_allclose(answer, right, atol=FP32, rtol=FP32)
