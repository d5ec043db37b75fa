"""Any tokenizer that an app can reproduce: tokenizer.json's parts in the manifest, its pieces in a vocabulary file.

Parts are named and spelled as in tokenizer.json, sequences laid out flat. What differs: a Replace says which characters
its pattern means (`any_of`), and templates say ids. What an app lacks is refused by its name.
"""

import base64
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from compress.errors import ExportError
from mobile_export.bundle.vocabulary import Vocabulary

if TYPE_CHECKING:
    from tokenizers import Tokenizer

VERSION = 1
_NORMALIZERS = {  # part → its settings
    "BertNormalizer": ("clean_text", "handle_chinese_chars", "strip_accents", "lowercase"),
    "Strip": ("strip_left", "strip_right"),
    "Prepend": ("prepend",),
    **dict.fromkeys(("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents"), ()),
}
_PRE_TOKENIZERS = {
    "Digits": ("individual_digits",),
    "Metaspace": ("replacement", "prepend_scheme", "split"),
    **dict.fromkeys(("BertPreTokenizer", "WhitespaceSplit", "Whitespace"), ()),
}
# Nmt as two Replace: what it drops, what it makes spaces (the tables of the tokenizers library)
_NMT_DROPS = [1, 8, 0xB, 0xB, 0xE, 0x1F, 0x7F, 0x7F, 0x8F, 0x8F, 0x9F, 0x9F]
_NMT_SPACES = [9, 0xA, 0xC, 0xD, 0x1680, 0x1680, 0x200B, 0x200F, 0x2028, 0x2029, 0x2581, 0x2581, 0xFEFF, 0xFEFF]
_NMT_SPACES += [0xFFFD, 0xFFFD]
_ESCAPES = {"t": 9, "n": 10, "v": 11, "f": 12, "r": 13}

Part = Mapping[str, Any]


def describe(own: "Tokenizer", truncation_side: str) -> tuple[dict[str, Any], Vocabulary]:
    """The manifest's description of a tokenizer, and its vocabulary.

    Raises ExportError, naming the part, for what an app can't reproduce.
    """
    saved = json.loads(own.to_str())  # as the library spells it today, whatever wrote the file
    charsmaps: list[bytes] = []
    normalizers = [
        part for each in _flat(saved.get("normalizer"), "normalizers") for part in _normalizer(each, charsmaps)
    ]
    if len(charsmaps) > 1:
        raise _lacking("the normalizer Precompiled twice")
    model, vocabulary = _model(saved["model"], b"".join(charsmaps))
    template, trim = layouts(saved.get("post_processor"))
    description = {
        "kind": "pipeline",
        "version": VERSION,
        "normalizer": normalizers,
        "pre_tokenizer": [_pre_tokenizer(each) for each in _flat(saved.get("pre_tokenizer"), "pretokenizers")],
        "model": model,
        "added_tokens": _added_tokens(own),
        "template": template,
        "trim_offsets": trim,
        "truncation_side": truncation_side,
    }
    return description, vocabulary


def rebuild(description: Part, vocabulary: Vocabulary) -> "Tokenizer":
    """The tokenizer that a description means. Raises ExportError for one that means none."""
    from tokenizers import Tokenizer, processors

    try:
        saved = {
            "version": "1.0",
            "added_tokens": [
                {"id": t["id"], "content": t["content"], "special": True}
                | {key: t[key] for key in ("normalized", "single_word", "lstrip", "rstrip")}
                for t in description["added_tokens"]
            ],
            "normalizer": {
                "type": "Sequence",
                "normalizers": [_saved_normalizer(part, vocabulary) for part in description["normalizer"]],
            },
            "pre_tokenizer": {
                "type": "Sequence",
                "pretokenizers": [
                    {**part, "trim_offsets": True} if part["type"] == "ByteLevel" else part
                    for part in description["pre_tokenizer"]
                ],
            },
            "model": _saved_model(description["model"], vocabulary),
        }
        tokenizer = Tokenizer.from_str(json.dumps(saved, ensure_ascii=False))
        tokenizer.post_processor = processors.Sequence(_processors(description))
    except ExportError:
        raise
    except Exception as error:  # tokenizers raises Exception itself
        said = " ".join(str(error).split())[:120]
        raise ExportError(f"the description of the tokenizer is damaged ({said})", remedy="export again") from error
    return tokenizer


def _lacking(what: str) -> ExportError:
    return ExportError(
        f"an app can't tokenize with {what}",
        remedy="use an encoder with another tokenizer; docs/model.md lists what works",
    )


def _flat(part: Any, within: str) -> list[Part]:
    if part is None:
        return []
    if part.get("type") == "Sequence":
        return [each for inner in part[within] for each in _flat(inner, within)]
    return [part]


def _normalizer(part: Part, charsmaps: list[bytes]) -> list[dict[str, Any]]:
    kind = part["type"]
    if kind == "Replace":
        return [_replace(part)]
    if kind == "Nmt":
        return [
            {"type": "Replace", "any_of": ranges, "run": 0, "content": content}
            for ranges, content in ((_NMT_DROPS, ""), (_NMT_SPACES, " "))
        ]
    if kind == "Precompiled":
        charsmaps.append(base64.b64decode(part["precompiled_charsmap"]))
        return [{"type": kind}]
    if kind not in _NORMALIZERS:
        raise _lacking(f"the normalizer {kind[:40]}")
    return [{"type": kind, **{key: part[key] for key in _NORMALIZERS[kind]}}]


def _replace(part: Part) -> dict[str, Any]:
    """A text, or a set of characters, one or a run of them: `[\\t\\x{200B}-\\x{200F}]`, ` {2,}`, `[ab]+`."""
    made = {"type": "Replace", "content": part["content"]}
    if text := part["pattern"].get("String"):
        return made | {"text": text}
    pattern = part["pattern"].get("Regex", "")
    one = r"\\x\{[0-9A-Fa-f]+\}|\\u[0-9A-Fa-f]{4}|\\[^\w]|\\[tnvfr]|[^\\\]\[^&.*+?(){}|$-]"
    found = re.fullmatch(rf"(?:({one})|\[((?:(?:{one})(?:-(?:{one}))?)+)\])(\+|\{{\d+,\}})?", pattern)
    if found is None:
        raise _lacking(f"the normalizer Replace of the pattern {pattern[:40]!r}")
    single, several, times = found.groups()
    ranges = []
    for match in re.finditer(rf"({one})(?:-({one}))?", single or several):
        ranges += [_character(match[1]), _character(match[2] or match[1])]
    return made | {"any_of": ranges, "run": 0 if times is None else 1 if times == "+" else int(times[1:-2])}


def _character(spelled: str) -> int:
    if spelled[0] != "\\" or len(spelled) == 1:
        return ord(spelled)
    if spelled[1] in "xu" and len(spelled) > 2:
        return int(spelled[2:].strip("{}"), 16)
    return _ESCAPES.get(spelled[1], ord(spelled[1]))


def _pre_tokenizer(part: Part) -> dict[str, Any]:
    kind = part["type"]
    if kind == "ByteLevel":
        return {"type": kind, "add_prefix_space": part["add_prefix_space"], "use_regex": part.get("use_regex", True)}
    if kind not in _PRE_TOKENIZERS:
        raise _lacking(f"the pre_tokenizer {kind[:40]}")
    return {"type": kind, **{key: part[key] for key in _PRE_TOKENIZERS[kind]}}


def _model(model: Part, charsmap: bytes) -> tuple[dict[str, Any], Vocabulary]:
    kind, unknown = model["type"], model.get("unk_token")
    if unknown is not None and unknown not in model["vocab"]:
        raise _lacking(f"a vocabulary that lacks its own token {unknown[:40]!r}")
    if kind == "WordPiece":
        keys = ("unk_token", "continuing_subword_prefix", "max_input_chars_per_word")
        return {"type": kind, **{key: model[key] for key in keys}}, Vocabulary(model["vocab"], charsmap=charsmap)
    if kind == "BPE":
        return _bpe(model, charsmap)
    if kind == "Unigram":
        return _unigram(model, charsmap)
    raise _lacking(f"the model {kind[:40]}")


def _bpe(model: Part, charsmap: bytes) -> tuple[dict[str, Any], Vocabulary]:
    if model.get("dropout"):
        raise _lacking("BPE with dropout, which is random")
    vocabulary, prefix = model["vocab"], model.get("continuing_subword_prefix") or ""
    merges = {}
    for rank, pair in enumerate(model["merges"]):
        left, right = pair.split(" ") if isinstance(pair, str) else pair
        merges[vocabulary[left], vocabulary[right]] = (rank, vocabulary[left + right[len(prefix) :]])
    described = {
        "type": "BPE",
        "unk_token": model.get("unk_token"),
        **{key: bool(model.get(key)) for key in ("fuse_unk", "byte_fallback", "ignore_merges")},
        "continuing_subword_prefix": prefix,
        "end_of_word_suffix": model.get("end_of_word_suffix") or "",
    }
    rows = [(left, right, rank, new) for (left, right), (rank, new) in merges.items()]
    return described, Vocabulary(vocabulary, merges=rows, charsmap=charsmap)


def _unigram(model: Part, charsmap: bytes) -> tuple[dict[str, Any], Vocabulary]:
    ids = {piece: number for number, (piece, _) in enumerate(model["vocab"])}
    if len(ids) < len(model["vocab"]):
        raise _lacking("a Unigram vocabulary that has a piece twice")
    if model["unk_id"] is None:
        raise _lacking("the model Unigram without a piece for the unknown")
    described = {"type": "Unigram", "unk_id": model["unk_id"], "byte_fallback": bool(model.get("byte_fallback"))}
    return described, Vocabulary(ids, scores=dict(model["vocab"]), charsmap=charsmap)


def _added_tokens(own: "Tokenizer") -> list[dict[str, Any]]:
    """`text` is what is looked for: of a normalized token its normalized content."""
    found = []
    for number, token in sorted(own.get_added_tokens_decoder().items()):
        normalizer = own.normalizer if token.normalized else None
        text = normalizer.normalize_str(token.content) if normalizer is not None else token.content
        flags = {key: getattr(token, key) for key in ("normalized", "single_word", "lstrip", "rstrip")}
        found.append({"id": number, "content": token.content, "text": text, **flags})
    return found


def layouts(processor: Any) -> tuple[dict[str, list[dict[str, int]]], dict[str, bool] | None]:
    """What a post_processor puts around one text and two, and whether places leave out blanks. Raises ExportError."""
    parts, made, trim = _flat(processor, "processors"), None, None
    for place, part in enumerate(parts):
        kind = part["type"]
        if kind in ("ByteLevel", "RobertaProcessing") and part["trim_offsets"]:
            if place:
                raise _lacking(f"the post_processor {kind} behind another one")
            trim = {"add_prefix_space": part["add_prefix_space"]}
        if kind == "ByteLevel":
            continue
        if made is not None:
            raise _lacking(f"the post_processor {kind[:40]} behind another one")
        made = _layouts(part)
    if made is None:
        made = {"single": [_text(0, 0)], "pair": [_text(0, 0), _text(1, 1)]}
    return made, trim


def _text(number: int, segment: int) -> dict[str, int]:
    return {"text": number, "segment": segment}


def _layouts(part: Part) -> dict[str, list[dict[str, int]]]:
    def special(number: int, segment: int = 0) -> dict[str, int]:
        return {"id": number, "segment": segment}

    kind = part["type"]
    if kind in ("BertProcessing", "RobertaProcessing"):
        cls, sep = part["cls"][1], part["sep"][1]
        single = [special(cls), _text(0, 0), special(sep)]
        if kind == "BertProcessing":
            return {"single": single, "pair": [*single, _text(1, 1), special(sep, 1)]}
        return {"single": single, "pair": [*single, special(sep), _text(1, 0), special(sep)]}
    if kind != "TemplateProcessing":
        raise _lacking(f"the post_processor {kind[:40]}")
    found: dict[str, list[dict[str, int]]] = {}
    for name in ("single", "pair"):
        found[name] = []
        for item in part[name]:
            ((sort, each),) = item.items()
            if sort == "Sequence":
                found[name].append(_text("AB".index(each["id"]), each["type_id"]))
            else:
                ids = part["special_tokens"][each["id"]]["ids"]
                found[name] += [special(number, each["type_id"]) for number in ids]
    return found


def _saved_normalizer(part: Part, vocabulary: Vocabulary) -> Part:
    if part["type"] == "Precompiled":
        return {**part, "precompiled_charsmap": base64.b64encode(vocabulary.charsmap).decode()}
    if part["type"] != "Replace":
        return part
    if "text" in part:
        return {"type": "Replace", "pattern": {"String": part["text"]}, "content": part["content"]}
    bounds = [f"\\x{{{bound:X}}}" for bound in part["any_of"]]
    within = "".join(f"{first}-{last}" for first, last in zip(bounds[::2], bounds[1::2], strict=True))
    times = f"{{{part['run']},}}" if part["run"] else ""
    return {"type": "Replace", "pattern": {"Regex": f"[{within}]{times}"}, "content": part["content"]}


def _saved_model(model: Part, vocabulary: Vocabulary) -> dict[str, Any]:
    if model["type"] == "WordPiece":
        return {**model, "vocab": dict(vocabulary.ids)}
    if model["type"] == "Unigram":
        scores = vocabulary.scores or {}
        in_order = sorted(vocabulary.ids, key=vocabulary.ids.__getitem__)
        return {**model, "vocab": [(piece, scores[piece]) for piece in in_order]}
    pieces = {number: piece for piece, number in vocabulary.ids.items()}
    merges = [(pieces[left], pieces[right]) for left, right, _, _ in sorted(vocabulary.merges, key=lambda row: row[2])]
    ends = {key: model[key] or None for key in ("continuing_subword_prefix", "end_of_word_suffix")}
    return {**model, **ends, "vocab": dict(vocabulary.ids), "merges": merges}


def _processors(description: Part) -> list[Any]:
    from tokenizers import processors

    made: list[Any] = []
    trim = description["trim_offsets"]
    if trim is not None:
        made.append(processors.ByteLevel(trim_offsets=True, add_prefix_space=trim["add_prefix_space"]))
    items = [item for layout in description["template"].values() for item in layout]
    names = {item["id"]: f"t{item['id']}" for item in items if "id" in item}
    spelled = {
        name: [f"{names[i['id']] if 'id' in i else '$' + 'AB'[i['text']]}:{i['segment']}" for i in layout]
        for name, layout in description["template"].items()
    }
    made.append(
        processors.TemplateProcessing(
            single=spelled["single"],
            pair=spelled["pair"],
            special_tokens=[(name, number) for number, name in names.items()],
        )
    )
    return made
