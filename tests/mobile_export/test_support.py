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
    patterns = [r"\s+", "a|b", "[^a]", "(a)", "a*", "[[:alpha:]]"]
    unknown = {"type": "Replace", "pattern": {"Regex": rng.choice(patterns)}, "content": ""}
    saved["normalizer"] = {
        "type": "Sequence",
        "normalizers": [{"type": "NFC"}, rng.choice([unknown, {"type": "ByteLevel"}])],
    }


def pre_tokenizer(saved: Saved, rng: random.Random) -> None:
    split = {"type": "Split", "pattern": {"Regex": "x"}, "behavior": "Isolated", "invert": False}
    words = rng.choice([split, {"type": "UnicodeScripts"}, {"type": "CharDelimiterSplit", "delimiter": "-"}])
    saved["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, words]}


def model(saved: Saved, rng: random.Random) -> None:
    vocabulary = saved["model"]["vocab"]
    level = {"type": "WordLevel", "vocab": vocabulary, "unk_token": "[UNK]"}
    saved["model"] = rng.choice([level, {"type": "BPE", "vocab": vocabulary, "merges": [], "dropout": 0.1}])


def template(saved: Saved, rng: random.Random) -> None:
    """Blanks left out of places behind another step, which nobody's tokenizer does."""
    byte_level = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
    saved["post_processor"] = {"type": "Sequence", "processors": [saved["post_processor"], byte_level]}


def as_template(single: list, pair: list) -> Saved:
    tokens = {name: {"id": name, "ids": [WORDS.index(name)], "tokens": [name]} for name in ("[CLS]", "[SEP]")}
    return {"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": tokens}


CAUSES = {
    normalizer: "with the normalizer (Replace of the pattern '.*'|ByteLevel); use",
    pre_tokenizer: "with the pre_tokenizer (Split|UnicodeScripts|CharDelimiterSplit); use",
    model: "with (the model WordLevel|BPE with dropout, which is random); use",
    template: "with the post_processor ByteLevel behind another one; use",
}


@pytest.mark.parametrize("pair", [False, True])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("change", CAUSES, ids=lambda change: change.__name__)
def test_the_cause_is_named(change: Callable[..., None], seed: int, pair: bool, tmp_path: Path) -> None:
    saved = usual()
    change(saved, random.Random(seed))
    said = why(tmp_path / "m", saved, pair=pair)
    assert said is not None
    assert re.search(CAUSES[change], said), said
    assert "\n" not in said and len(said) < 400


def other_template(saved: Saved, rng: random.Random) -> None:
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


def other_parts(saved: Saved, rng: random.Random) -> None:
    steps = [{"type": "Lowercase"}, {"type": "NFC"}, None, {"type": "Sequence", "normalizers": [{"type": "NFD"}]}]
    saved["normalizer"] = rng.choice(steps)
    saved["pre_tokenizer"] = rng.choice([{"type": "Whitespace"}, {"type": "WhitespaceSplit"}, None])


def added_token(saved: Saved, rng: random.Random) -> None:
    """A token by itself, or one that is a word or piece of the vocabulary, under any flags."""
    content = rng.choice(["[E1]", "🛎", "new york", "room", "garden", "kitch", "b", "##m", "Room"])
    number = saved["model"]["vocab"].get(content, len(WORDS))
    flags = {key: rng.random() < 0.5 for key in ("lstrip", "rstrip", "normalized", "special", "single_word")}
    saved["added_tokens"].append({"id": number, "content": content, **flags})


@pytest.mark.parametrize("pair", [False, True])
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("change", [other_template, other_parts, added_token], ids=lambda change: change.__name__)
def test_what_tokenizer_json_names_is_reproduced(
    change: Callable[..., None], seed: int, pair: bool, tmp_path: Path
) -> None:
    saved = usual()
    change(saved, random.Random(seed))
    assert why(tmp_path / "m", saved, pair=pair) is None


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


def test_segments_of_a_pair_are_the_template_s(tmp_path: Path) -> None:
    saved = usual()
    cls, sep = ({"SpecialToken": {"id": name, "type_id": 0}} for name in ("[CLS]", "[SEP]"))
    a, b = ({"Sequence": {"id": name, "type_id": 0}} for name in "AB")
    saved["post_processor"] = as_template([cls, a, sep], [cls, a, sep, b, sep])
    assert why(tmp_path / "m", saved, pair=True) is None
    template = describe_tokenizer(tmp_path / "m").settings["template"]
    assert [item["segment"] for item in template["pair"]] == [0] * 5


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
        described = describe_tokenizer(tmp_path / "m")
        own = saved_tokenizer(tmp_path / "m", LIMIT)
        app = described_tokenizer(described.settings, described.data, LIMIT)
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
