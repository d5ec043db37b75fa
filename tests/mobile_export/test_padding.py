"""A program reads every id as text, so padding and masks are refused, and never answered as if they were not there."""

import json
import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from compress.errors import ExportError
from mobile_export.programs.padding import pad_id_of
from mobile_export.programs.program import Program
from mobile_export.runtime import LoadedProgram, predict

from .conftest import MAX_TOKENS, MINILM, TEXTS, edit_json, encode, random_model, save

PAD = 0  # of MiniLM's tokenizer


def hidden(text: dict, rng: random.Random) -> dict:
    """A padded text as a batch has it, on either side, under the mask that hides the padding."""
    count = rng.randint(1, MAX_TOKENS - len(text["input_ids"]))
    row = {**text, "attention_mask": [1] * len(text["input_ids"])}
    if rng.random() < 0.5:
        return {name: [0] * count + values for name, values in row.items()}
    return {name: values + [0] * count for name, values in row.items()}


def holes(text: dict, rng: random.Random) -> dict:
    """A mask with a zero anywhere, as a list, an array or a tensor."""
    mask = [1] * len(text["input_ids"])
    mask[rng.randrange(len(mask))] = 0
    return {**text, "attention_mask": rng.choice([list, np.array, torch.tensor])(mask)}


def additive(text: dict, rng: random.Random) -> dict:
    """A mask that is added to the scores: 0 keeps a token."""
    return {**text, "attention_mask": [0.0] * len(text["input_ids"])}


def bare(text: dict, rng: random.Random) -> dict:
    """A padded text without a mask."""
    padded = hidden(text, rng)
    padded.pop("attention_mask")
    return padded


def covered(text: dict, rng: random.Random) -> dict:
    """A padded text under a mask of ones."""
    padded = bare(text, rng)
    return {**padded, "attention_mask": [1] * len(padded["input_ids"])}


WAYS = (hidden, holes, additive, bare, covered)


@pytest.fixture(scope="module", params=["phone", "stock"])
def loaded(request: pytest.FixtureRequest, program: Callable[..., Program]) -> LoadedProgram:
    return LoadedProgram.of(program("bert", request.param))


@pytest.mark.parametrize("seed", range(12))  # both sides
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_padding_is_refused(loaded: LoadedProgram, way: Callable[..., dict], seed: int) -> None:
    rng = random.Random(seed)
    text = encode(rng.choice([text for text in TEXTS if len(encode(text)["input_ids"]) < MAX_TOKENS]))
    with pytest.raises(ExportError, match=r"(attention_mask|ids (begin|end)).*without padding") as caught:
        loaded.answer(way(text, rng))
    assert str(loaded.path) in str(caught.value) and "\n" not in str(caught.value)
    with pytest.raises(ExportError):
        predict(loaded, [text, way(text, rng)])


def test_a_mask_of_ones_and_padding_within_a_text_change_nothing(loaded: LoadedProgram) -> None:
    text = encode("wake me [PAD] up")
    assert PAD in text["input_ids"]
    plain = loaded.answer(text)[0]
    for ones in ([1] * len(text["input_ids"]), np.ones(len(text["input_ids"])), torch.ones(len(text["input_ids"]))):
        np.testing.assert_array_equal(loaded.answer({**text, "attention_mask": ones})[0], plain)
    arrays = {name: np.array(values) for name, values in text.items()}
    np.testing.assert_array_equal(loaded.answer(arrays)[0], plain)


def test_token_types_of_another_length_are_refused(loaded: LoadedProgram) -> None:
    with pytest.raises(ExportError, match="3 input_ids and 2 token_type_ids"):
        loaded.answer({"input_ids": [101, 2175, 102], "token_type_ids": [0, 0]})


@pytest.mark.parametrize("record", ["model.json", "manifest.json", None])
def test_the_padding_id_is_read_from_what_is_beside_the_program(
    program: Callable[..., Program], tmp_path: Path, record: str | None
) -> None:
    """Older bundles and descriptions have no such key, and are read."""
    made = program("bert")
    shutil.copy(made.path, tmp_path / "model.pte")
    entry = {"model.json": {"pad_id": PAD}, "manifest.json": {"model": {"pad_id": PAD}}, None: {}}[record]
    (tmp_path / (record or "manifest.json")).write_text(json.dumps(entry))
    loaded = LoadedProgram(tmp_path / "model.pte", inputs=made.inputs, outputs=made.outputs, max_tokens=made.max_tokens)
    text = encode("stop")
    loaded.answer(text)
    assert loaded.pad_id == (None if record is None else PAD)
    if record:
        with pytest.raises(ExportError, match="the ids end with the padding token's id 0"):
            loaded.answer({"input_ids": text["input_ids"] + [PAD]})


def test_an_older_description_is_read(program: Callable[..., Program], tmp_path: Path) -> None:
    made = program("bert")
    for file in (made.path, made.path.with_suffix(".json")):
        shutil.copy(file, tmp_path)
    file = tmp_path / made.path.name
    edit_json(file.with_suffix(".json"), lambda saved: saved.pop("pad_id"))
    assert Program.read(file) == replace(made, path=file, pad_id=None)


def test_the_padding_id_is_the_tokenizers(program: Callable[..., Program], tmp_path: Path) -> None:
    assert program("bert").pad_id == pad_id_of(MINILM) == PAD
    folder = save(random_model("bert"), tmp_path / "m")
    edit_json(folder / "tokenizer_config.json", lambda config: config.update(pad_token={"content": "[MASK]"}))
    assert pad_id_of(folder) == 103
    edit_json(folder / "tokenizer_config.json", lambda config: config.update(pad_token="[SEP]"))
    assert pad_id_of(folder) is None  # every text ends with it
    edit_json(folder / "tokenizer_config.json", lambda config: config.update(pad_token=None))
    assert pad_id_of(folder) is None
    assert pad_id_of(tmp_path) is None
