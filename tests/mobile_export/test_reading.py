"""The inputs that a bundle's manifest describes are those that the model was evaluated on, for long texts, too."""

import json
import random
from pathlib import Path

import pytest

from compress.kinds.long_texts import Strategy, as_entry, read
from compress.models.load import load_tokenizer
from mobile_export.runtime import LoadedProgram
from mobile_export.tokenization import AppTokenizer, describe_tokenizer

from .conftest import MINILM

WORDS = ("the", "plot", "unbelievably", "nonlinear", "Łódź", "antidisestablishmentarianism", "ok", "drags", "", "🎉!")


def text(rng: random.Random, longest: int) -> str:
    return " ".join(rng.choices(WORDS, k=rng.randint(0, longest)))


@pytest.mark.parametrize("pair", [False, True])
@pytest.mark.parametrize("strategy", ["cut", "head_tail", "windows"])
def test_inputs_are_those_of_training(strategy: Strategy, pair: bool) -> None:
    rng = random.Random(0)
    described = describe_tokenizer(MINILM)
    own, several = load_tokenizer(str(MINILM)), False
    for _ in range(60):
        limit = rng.choice([8, 13, 24, 33])
        manifest = {"tokenizer": described.settings, "model": {"max_tokens": limit}, "long": as_entry(strategy)}
        app = AppTokenizer(manifest, described.data)
        first, second = text(rng, 40), text(rng, rng.choice([3, 40])) if pair else None
        rows = read(([first], None if second is None else [second]), own, limit, strategy)
        expected = [
            {"input_ids": ids, "token_type_ids": types}
            for ids, types in zip(rows.inputs["input_ids"], rows.inputs["token_type_ids"], strict=True)
        ]
        assert app.encode(first, second) == expected
        several |= len(expected) > 1
    assert several == (strategy == "windows")


def test_a_bundle_alone_gives_its_golden_answers(made: Path) -> None:
    manifest = json.loads((made / "manifest.json").read_text())
    names = {key: manifest["model"][key] for key in ("inputs", "outputs", "max_tokens")}
    program, tokenizer = LoadedProgram(made / "model.pte", **names), AppTokenizer.of(made)
    for example in json.loads((made / "golden.json").read_text())["examples"][:20]:
        (inputs,) = tokenizer.encode(example["text_a"])
        assert inputs["input_ids"] == example["input_ids"]
        assert program.answer(inputs)[0][0].tolist() == example["logits"]
