"""What an app can't do is known before anything is trained: then a run makes no bundle, and says so."""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from transformers import AutoModel

from compress.console import Console
from compress.errors import ExportError
from compress.models.load import load_tokenizer
from compress.pipeline.order import Pipeline, stages_of
from compress.recipe.load import load_recipe
from mobile_export.bundle.golden import Text, choose_golden
from mobile_export.bundle.support import why_no_bundle

LIMIT = 16


def pipeline(model: Path, data: Path, output: Path, long: str = "auto") -> Pipeline:
    flags = {"model.name": str(model), "data.source": str(data), "model.max_tokens": LIMIT, "data.long": long}
    return Pipeline(load_recipe(None, flags), output, Console("quiet"), with_app=False)


def edited(folder: Path, name: str, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads((folder / name).read_text())
    change(content)
    (folder / name).write_text(json.dumps(content))


def generic(folder: Path) -> None:
    """Let transformers load tokenizer.json as it is; BertTokenizer has a normalizer of its own."""
    edited(folder, "tokenizer_config.json", lambda config: config.update(tokenizer_class="PreTrainedTokenizerFast"))


def added_token(folder: Path, rng: random.Random) -> None:
    word = "".join(rng.choices("bcdfgxz", k=6))
    flags = {key: rng.random() < 0.5 for key in ("single_word", "lstrip", "rstrip", "normalized", "special")}
    token = {"id": 30000 + rng.randrange(500), "content": rng.choice([word, f"[{word}]", "🛎"]), **flags}
    edited(folder, "tokenizer.json", lambda saved: saved["added_tokens"].append(token))
    encoder = AutoModel.from_pretrained(folder)
    encoder.resize_token_embeddings(encoder.config.vocab_size + 1)  # whoever adds a token gives it a row
    encoder.save_pretrained(folder)


def cut_on_the_left(folder: Path, rng: random.Random) -> None:
    edited(folder, "tokenizer_config.json", lambda config: config.update(truncation_side="left"))


def other_normalizer(folder: Path, rng: random.Random) -> None:
    kind = rng.choice([{"type": "ByteLevel"}, {"type": "Replace", "pattern": {"Regex": "a|b"}, "content": ""}])
    edited(folder, "tokenizer.json", lambda saved: saved.update(normalizer=kind))
    generic(folder)


def other_words(folder: Path, rng: random.Random) -> None:
    edited(folder, "tokenizer.json", lambda saved: saved.update(pre_tokenizer={"type": "UnicodeScripts"}))
    generic(folder)


def whole_words(folder: Path, rng: random.Random) -> None:
    edited(folder, "tokenizer.json", lambda saved: saved["model"].update(type="WordLevel"))
    generic(folder)


def byte_pairs(folder: Path, rng: random.Random) -> None:
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sorted(ByteLevel.alphabet())]
    tokenizer = Tokenizer(BPE({word: i for i, word in enumerate(words)}, []))
    tokenizer.pre_tokenizer = ByteLevel()
    tokenizer.save(str(folder / "tokenizer.json"))
    generic(folder)


def gap_in_the_ids(folder: Path, rng: random.Random) -> None:
    gone = f"[unused{rng.randrange(1, 90)}]"
    edited(folder, "tokenizer.json", lambda saved: saved["model"]["vocab"].pop(gone))


LACKING = (other_normalizer, other_words, whole_words)
OTHER = (added_token, gap_in_the_ids, byte_pairs)


@pytest.fixture
def data(tmp_path: Path, tiny_task: Path) -> Path:
    """The tiny task with some texts that are cut."""
    shutil.copytree(tiny_task, tmp_path / "data")
    with (tmp_path / "data" / "train.tsv").open("a") as stream:
        stream.write(f"sad\t{' '.join(f'word {i}' for i in range(LIMIT))} at last\n")
    return tmp_path / "data"


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("way", LACKING, ids=lambda way: way.__name__)
def test_a_tokenizer_that_an_app_lacks_means_no_bundle(
    tiny_encoder: Path, data: Path, tmp_path: Path, way: Callable[[Path, random.Random], None], seed: int
) -> None:
    model = tmp_path / "model"
    shutil.copytree(tiny_encoder, model)
    way(model, random.Random(seed))
    made = pipeline(model, data, tmp_path / "run")
    assert made.no_bundle
    assert any(made.no_bundle in note for note in made._notes(made.inputs))
    assert "android" not in [stage.name for stage in made._stages(made.inputs)]


@pytest.mark.parametrize("way", OTHER, ids=lambda way: way.__name__)
def test_a_tokenizer_of_another_kind_has_its_bundle(
    tiny_encoder: Path, data: Path, tmp_path: Path, way: Callable[[Path, random.Random], None]
) -> None:
    model = tmp_path / "model"
    shutil.copytree(tiny_encoder, model)
    way(model, random.Random(0))
    assert pipeline(model, data, tmp_path / "run").no_bundle is None


def test_the_usual_tokenizer_has_its_bundle(tiny_encoder: Path, data: Path, tmp_path: Path) -> None:
    made = pipeline(tiny_encoder, data, tmp_path / "run")
    assert made.no_bundle is None
    assert made._stages(made.inputs)[-1].name == stages_of(made.inputs.recipe)[-1].name == "android"


@pytest.mark.parametrize("seed", range(6))
def test_what_stops_a_bundle_at_its_end_is_known_at_the_beginning(
    tiny_encoder: Path, tmp_path: Path, seed: int
) -> None:
    rng = random.Random(seed)
    model = tmp_path / "model"
    shutil.copytree(tiny_encoder, model)
    rng.choice([*LACKING, *OTHER])(model, rng)
    saved = tmp_path / "saved"
    load_tokenizer(str(model)).save_pretrained(saved)
    texts = [Text(" ".join(rng.choices(["so", "🛎", "sunny", "ok"], k=5))) for _ in range(30)]
    try:
        list(choose_golden(saved, texts, LIMIT, pair=False))
    except ExportError:
        assert why_no_bundle(saved, [(text, None) for text in texts], LIMIT, pair=False)


@pytest.mark.parametrize("long", ["cut", "head_tail", "windows"])
def test_texts_are_cut_on_the_same_side_whatever_the_tokenizer_says(
    tiny_encoder: Path, data: Path, tmp_path: Path, long: str
) -> None:
    model = tmp_path / "model"
    shutil.copytree(tiny_encoder, model)
    cut_on_the_left(model, random.Random(0))
    made, usual = (pipeline(folder, data, tmp_path / "run", long) for folder in (model, tiny_encoder))
    assert made.no_bundle is None
    trained, expected = (p.inputs.texts.splits["train"] for p in (made, usual))
    assert expected.long and trained.columns() == expected.columns()
    assert any("truncation_side" in note for note in made.inputs.notes) == (long == "cut")
