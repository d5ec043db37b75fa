"""Whether an app can tokenize as the model's tokenizer does: what it lacks is named by its cause; nothing crashes."""

import json
import random
import re
import string
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from mobile_export.bundle.golden import Text
from mobile_export.bundle.support import why_no_bundle
from mobile_export.bundle.tokenization import describe_tokenizer, described_tokenizer, saved_tokenizer

from .test_check import VALUES, changed, paths

LIMIT = 16
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LETTERS = string.ascii_lowercase + string.digits
WORDS = [*SPECIAL, *LETTERS, *".,!?", *(f"##{c}" for c in LETTERS), "room", "kitchen", "garden"]
TEXTS = ["the room is big", "roomy kitchens, ROOM!", "garden " * 30]

Saved = dict[str, Any]


def usual() -> Saved:
    """BERT's tokenizer with a small vocabulary, as tokenizer.json has it."""
    tokenizer = Tokenizer(models.WordPiece({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.add_special_tokens(SPECIAL)
    return json.loads(tokenizer.to_str())


def folder(path: Path, saved: Any) -> Path:
    path.mkdir(exist_ok=True)
    (path / "tokenizer.json").write_text(json.dumps(saved))
    (path / "tokenizer_config.json").write_text("{}")
    return path


def why(path: Path, saved: Any, *, pair: bool, segments: bool = True) -> str | None:
    texts = [(Text(text, TEXTS[0] if pair else None), None) for text in TEXTS]
    return why_no_bundle(folder(path, saved), texts, LIMIT, pair=pair, segments=segments)


def normalizer(saved: Saved, rng: random.Random) -> None:
    kinds = [{"type": "Lowercase"}, {"type": "NFC"}, None, {"type": "Sequence", "normalizers": [{"type": "NFD"}]}]
    saved["normalizer"] = rng.choice(kinds)


def pre_tokenizer(saved: Saved, rng: random.Random) -> None:
    saved["pre_tokenizer"] = rng.choice([{"type": "Whitespace"}, {"type": "WhitespaceSplit"}, None])


def model(saved: Saved, rng: random.Random) -> None:
    level = {"type": "WordLevel", "vocab": saved["model"]["vocab"], "unk_token": "[UNK]"}
    saved["model"] = rng.choice([level, {"type": "BPE", "vocab": saved["model"]["vocab"], "merges": []}])


def template(saved: Saved, rng: random.Random) -> None:
    """No special tokens, one of them, another order, or a single text that is of segment 1."""
    cls, sep = ({"SpecialToken": {"id": name, "type_id": 0}} for name in ("[CLS]", "[SEP]"))
    a, b, other = ({"Sequence": {"id": name, "type_id": kind}} for name, kind in (("A", 0), ("B", 1), ("A", 1)))
    single = rng.choice(
        [[cls, a], [a, sep], [sep, a, cls], [cls, other, {"SpecialToken": {"id": "[SEP]", "type_id": 1}}]]
    )
    if rng.random() < 0.2:
        saved["post_processor"] = None
    else:
        saved["post_processor"] = as_template(single, [*single, b, sep])


def as_template(single: list, pair: list) -> Saved:
    tokens = {name: {"id": name, "ids": [WORDS.index(name)], "tokens": [name]} for name in ("[CLS]", "[SEP]")}
    return {"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": tokens}


def added_token(saved: Saved, rng: random.Random) -> None:
    """A token by itself, or one that is a word or piece of the vocabulary, under any flags."""
    content = rng.choice(["[E1]", "🛎", "new york", "room", "garden", "kitch", "b", "##m", "Room"])
    number = saved["model"]["vocab"].get(content, len(WORDS))
    flags = {key: rng.random() < 0.5 for key in ("lstrip", "rstrip", "normalized", "special")}
    saved["added_tokens"].append({"id": number, "content": content, "single_word": False, **flags})


CAUSES = {
    normalizer: "its normalizer is ",
    pre_tokenizer: "its pre_tokenizer is ",
    model: "can be described to the app, not (WordLevel|BPE)",
    template: r"template \(post_processor\)",
    added_token: "the added token '.*' is not supported",
}


@pytest.mark.parametrize("pair", [False, True])
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("change", CAUSES, ids=lambda change: change.__name__)
def test_the_cause_is_named(change: Callable[..., None], seed: int, pair: bool, tmp_path: Path) -> None:
    saved = usual()
    change(saved, random.Random(seed))
    said = why(tmp_path / "m", saved, pair=pair)
    assert said is not None
    assert re.search(CAUSES[change], said), said
    assert "\n" not in said and len(said) < 400


@pytest.mark.parametrize("pair", [False, True])
def test_the_usual_tokenizer_is_supported(tmp_path: Path, pair: bool) -> None:
    assert why(tmp_path / "m", usual(), pair=pair) is None
    cased = changed(changed(usual(), ("normalizer", "lowercase"), False), ("normalizer", "strip_accents"), False)
    assert why(tmp_path / "m", cased, pair=pair) is None
    left = {"direction": "Left", "max_length": 8, "strategy": "LongestFirst", "stride": 0}
    assert why(tmp_path / "m", changed(usual(), ("truncation",), left), pair=pair) is None  # the limit is the run's
    word = {"id": WORDS.index("room"), "content": "room", "single_word": True}
    flags = dict.fromkeys(("lstrip", "rstrip", "special"), False) | {"normalized": True}
    harmless = usual()
    harmless["added_tokens"].append({**word, **flags})
    assert why(tmp_path / "m", harmless, pair=pair) is None  # with or without it every text has the same ids


def test_segments_of_a_pair_are_compared_where_the_model_reads_them(tmp_path: Path) -> None:
    saved = usual()
    cls, sep = ({"SpecialToken": {"id": name, "type_id": 0}} for name in ("[CLS]", "[SEP]"))
    a, b = ({"Sequence": {"id": name, "type_id": 0}} for name in "AB")
    saved["post_processor"] = as_template([cls, a, sep], [cls, a, sep, b, sep])
    assert "[SEP]:0, an app's" in str(why(tmp_path / "m", saved, pair=True))
    assert why(tmp_path / "m", saved, pair=True, segments=False) is None
    assert why(tmp_path / "m", saved, pair=False) is None


@pytest.mark.parametrize("pair", [False, True])
def test_texts_that_were_cut_in_another_way_are_named_so(tmp_path: Path, pair: bool) -> None:
    path = folder(tmp_path / "m", usual())
    text = Text("a room , " * 20 + "kitchen", "garden" if pair else None)
    own = saved_tokenizer(path, LIMIT)
    own.enable_truncation(LIMIT, direction="left")
    said = why_no_bundle(path, [(text, own.encode(text.text_a, text.text_b).ids)], LIMIT, pair=pair)
    assert "its truncation is not supported" in str(said)


def mutated() -> Iterator[Saved]:
    """Any value of tokenizer.json changed or gone; of the vocabulary a few words."""
    saved, rng = usual(), random.Random(0)
    places = [
        path for path in paths(saved) if path[:2] != ("model", "vocab") or path[2:] in ((), ("[CLS]",), ("room",))
    ]
    for path in places:
        for value in rng.sample([*VALUES, "WordPiece", "Sequence", "[SEP]", "room", 7], 6):
            yield changed(saved, path, value)
        if path:
            yield changed(saved, path, None, drop=True)


@pytest.mark.parametrize("pair", [False, True])
def test_any_change_is_a_reason_or_gives_an_app_the_same_ids(tmp_path: Path, pair: bool) -> None:
    rng, reasons, accepted = random.Random(1), 0, 0
    for saved in mutated():
        if said := why(tmp_path / "m", saved, pair=pair):
            assert "\n" not in said and len(said) < 400
            reasons += 1
            continue
        accepted += 1
        settings, words = describe_tokenizer(tmp_path / "m")
        own, app = saved_tokenizer(tmp_path / "m", LIMIT), described_tokenizer(settings, words, LIMIT)
        for _ in range(20):
            parts = [" ".join(rng.choices(["room", "roomy", "Kitchen", "a,b", "x", "Ångström"], k=rng.randint(0, 20)))]
            parts += ["the room " * rng.randint(0, 9)] if pair else []
            first, second = own.encode(*parts), app.encode(*parts)
            assert (first.ids, first.type_ids) == (second.ids, second.type_ids)
    assert reasons > 100 and accepted > 20


@pytest.mark.parametrize("text", ["", "[]", "null", "3", "{", "[" * 100_000, "{}", '{"model": []}', "\ufffd"])
@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json"])
def test_a_file_that_is_something_else_is_a_reason_or_ignored(tmp_path: Path, name: str, text: str) -> None:
    path = folder(tmp_path / "m", usual())
    (path / name).write_text(text)
    said = why_no_bundle(path, [], LIMIT, pair=False)
    assert (said is None) == (name == "tokenizer_config.json")
