"""A tokenizer described in the manifest, so that an app can tokenize exactly as the model was trained.

The description comes from tokenizer.json, never from a guess; a tokenizer that it can't express is refused. BERT's own
WordPiece is described in a few settings beside vocab.txt, every other tokenizer as pipeline.py has it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compress.errors import ExportError
from mobile_export.bundle import pipeline
from mobile_export.bundle.vocabulary import Vocabulary

if TYPE_CHECKING:
    from tokenizers import Tokenizer


_PARTS = {"model": "WordPiece", "normalizer": "BertNormalizer", "pre_tokenizer": "BertPreTokenizer"}


@dataclass(frozen=True)
class Described:
    """A tokenizer for an app: the manifest's entry without `file` and `sha256`, and the file of its pieces."""

    settings: dict[str, Any]
    file: str
    data: bytes


def describe_tokenizer(model_dir: Path, side: str = "right") -> Described:
    """The description of the tokenizer saved in `model_dir`; `side` is where a text that is too long loses tokens.

    That is the run's, whatever tokenizer_config.json says: a run keeps the beginning of texts.
    Raises ExportError for a tokenizer that an app can't reproduce, naming the part that it lacks.
    """
    path = Path(model_dir) / "tokenizer.json"
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _unreadable(path, type(error).__name__) from error
    if not isinstance(saved, dict):
        raise _unreadable(path, "not a JSON object")
    if all(_kind_of(saved.get(part)) == wanted for part, wanted in _PARTS.items()):
        names = _special_names(path)
        settings = _bert_settings(saved, names, path)
        if side == "right" and _is_plain(saved, settings):
            vocabulary = settings.pop("vocab")
            words = sorted(vocabulary, key=vocabulary.__getitem__)
            return Described(settings, "vocab.txt", "".join(f"{word}\n" for word in words).encode())
    own = _loaded(path)
    try:
        settings, vocabulary = pipeline.describe(own, side)
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        raise _unreadable(path, f"{type(error).__name__}: {error}"[:80]) from error
    return Described(settings, "vocabulary.bin", vocabulary.pack())


def _bert_settings(saved: Mapping[str, Any], names: Mapping[str, str], path: Path) -> dict[str, Any]:
    model, normalizer = saved["model"], saved["normalizer"]
    return {
        "kind": "wordpiece",
        "lowercase": _value(normalizer, "lowercase", bool, path),
        "strip_accents": _value(normalizer, "strip_accents", bool | None, path),
        "chinese_chars": _value(normalizer, "handle_chinese_chars", bool, path),
        "clean_text": _value(normalizer, "clean_text", bool, path),
        "unk": _value(model, "unk_token", str, path),
        **names,
        "continuation": _value(model, "continuing_subword_prefix", str, path),
        "max_word_chars": _value(model, "max_input_chars_per_word", int, path),
        "vocab": _value(model, "vocab", dict, path),
    }


def _is_plain(saved: Mapping[str, Any], settings: Mapping[str, Any]) -> bool:
    """Whether the rest of BERT's tokenizer is BERT's, too: template, added tokens, ids in order."""
    vocabulary = settings["vocab"]
    special = {settings[name] for name in ("unk", "cls", "sep", "pad")}
    try:
        added = [token["content"] for token in saved.get("added_tokens") or ()]
        flags = ("single_word", "lstrip", "rstrip", "normalized")
        flagged = any(token.get(key) for token in saved.get("added_tokens") or () for key in flags)
        in_order = sorted(vocabulary.values()) == list(range(len(vocabulary)))
        lines = not any("\n" in word for word in vocabulary)
        layouts, trim = pipeline.layouts(saved.get("post_processor"))
        ends = vocabulary[settings["cls"]], vocabulary[settings["sep"]]
        plain = {*special, "[MASK]"} >= set(added) and special <= vocabulary.keys() and not flagged
    except (ExportError, KeyError, TypeError, AttributeError, ValueError, IndexError):
        return False
    return plain and in_order and lines and trim is None and layouts == bert_layouts(*ends)


def bert_layouts(cls: int, sep: int) -> dict[str, list[dict[str, int]]]:
    """BERT's template: [CLS] a [SEP], and behind them b [SEP] of segment 1."""
    return pipeline.layouts({"type": "BertProcessing", "cls": ["", cls], "sep": ["", sep]})[0]


def _unreadable(path: Path, why: str) -> ExportError:
    return ExportError(f"the tokenizer can't be read ({why})", where=str(path), remedy="save the tokenizer again")


def _kind_of(part: Any) -> str:
    """The type of a tokenizer's part, with the types within a sequence."""
    kind = part.get("type") if isinstance(part, dict) else None
    if not isinstance(kind, str):
        return "missing" if part is None else "malformed"
    within = next((part[name] for name in ("normalizers", "pretokenizers") if isinstance(part.get(name), list)), ())
    return f"{kind[:40]}({', '.join(map(_kind_of, within))})" if kind == "Sequence" else kind[:40]


def _value(part: Mapping[str, Any], key: str, kind: Any, path: Path) -> Any:
    value = part.get(key)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise _unreadable(path, f"its {key} is {str(value)[:40] if key in part else 'missing'}")
    return value


def _config(path: Path) -> dict[str, Any]:
    """tokenizer_config.json beside tokenizer.json; empty where there is none."""
    try:
        config = json.loads(path.with_name("tokenizer_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return config if isinstance(config, dict) else {}


def _special_names(path: Path) -> dict[str, str]:
    """How the tokenizer spells [CLS], [SEP] and [PAD]."""
    config = _config(path)

    def token(key: str, usual: str) -> str:
        value = config.get(key)
        value = value.get("content") if isinstance(value, dict) else value
        return value if isinstance(value, str) else usual

    return {
        "cls": token("cls_token", "[CLS]"),
        "sep": token("sep_token", "[SEP]"),
        "pad": token("pad_token", "[PAD]"),
    }


def read_words(data: bytes) -> list[str]:
    """The words of vocab.txt's bytes, one a line, in the order of ids. Raises ExportError."""
    try:
        words = data.decode("utf-8").split("\n")  # text mode would turn \r into a line break
    except ValueError as error:
        raise ExportError("not a readable vocabulary", where="vocab.txt", remedy="export the run again") from error
    return words[:-1] if words[-1] == "" else words


def layouts_of(settings: Mapping[str, Any], data: bytes) -> dict[str, list[dict[str, int]]]:
    """What stands around one text (`single`) and two (`pair`): ids and texts with their segments."""
    if settings["kind"] == "pipeline":
        found: dict[str, list[dict[str, int]]] = settings["template"]
        return found
    ids = {word: number for number, word in enumerate(read_words(data))}
    return bert_layouts(ids[settings["cls"]], ids[settings["sep"]])


def described_tokenizer(settings: Mapping[str, Any], data: bytes, max_tokens: int) -> "Tokenizer":
    """The tokenizer that an app builds from the manifest's settings and its file, truncating at `max_tokens`.

    Raises ExportError when they describe none.
    """
    if settings["kind"] == "pipeline":
        tokenizer = pipeline.rebuild(settings, Vocabulary.unpack(data))
        tokenizer.enable_truncation(max_tokens, strategy="longest_first", direction=settings["truncation_side"])
        return tokenizer
    tokenizer = _bert_tokenizer(settings, read_words(data))
    tokenizer.enable_truncation(max_tokens, strategy="longest_first")
    return tokenizer


def _bert_tokenizer(settings: Mapping[str, Any], words: Sequence[str]) -> "Tokenizer":
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    vocabulary = {word: number for number, word in enumerate(words)}
    if missing := [settings[name] for name in ("unk", "cls", "sep", "pad") if settings[name] not in vocabulary]:
        shown = ", ".join(f"'{word[:40]}'" for word in missing)
        raise ExportError(f"the vocabulary lacks {shown}", where="vocab.txt", remedy="save the tokenizer again")
    cls, sep = ((settings[name], vocabulary[settings[name]]) for name in ("cls", "sep"))
    tokenizer = Tokenizer(
        models.WordPiece(
            vocabulary,
            unk_token=settings["unk"],
            max_input_chars_per_word=settings["max_word_chars"],
            continuing_subword_prefix=settings["continuation"],
        )
    )
    tokenizer.normalizer = normalizers.BertNormalizer(
        clean_text=settings["clean_text"],
        handle_chinese_chars=settings["chinese_chars"],
        strip_accents=settings["strip_accents"],
        lowercase=settings["lowercase"],
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(sep, cls)
    return tokenizer


def saved_tokenizer(model_dir: Path, max_tokens: int, side: str = "right") -> "Tokenizer":
    """The model's own tokenizer, truncating at `max_tokens` on that side and never padding. Raises ExportError."""
    tokenizer = _loaded(Path(model_dir) / "tokenizer.json")
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens, strategy="longest_first", direction=side)
    return tokenizer


def _loaded(path: Path) -> "Tokenizer":
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises Exception itself
        raise _unreadable(path, " ".join(str(error).split())[:120]) from error
