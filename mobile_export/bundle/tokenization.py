"""BERT WordPiece described in a few settings, so that an app can tokenize exactly as the model was trained.

The description comes from tokenizer.json, never from a guess; a tokenizer that it can't express is refused.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compress.errors import ExportError

if TYPE_CHECKING:
    from tokenizers import Tokenizer


_PARTS = {"model": "WordPiece", "normalizer": "BertNormalizer", "pre_tokenizer": "BertPreTokenizer"}


def describe_tokenizer(model_dir: Path) -> tuple[dict[str, Any], list[str]]:
    """The manifest's tokenizer settings (without file and sha256) and the vocabulary in the order of ids.

    Raises ExportError for a tokenizer that is not BERT WordPiece, naming the part that is another.
    """
    path = Path(model_dir) / "tokenizer.json"
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _unreadable(path, type(error).__name__) from error
    if not isinstance(saved, dict):
        raise _unreadable(path, "not a JSON object")
    for part, wanted in _PARTS.items():
        if (found := _kind_of(saved.get(part))) != wanted:
            raise ExportError(
                "only BERT's WordPiece tokenizer can be described to the app, "
                + (f"not {found}" if part == "model" and found != "missing" else f"and its {part} is {found}"),
                where=str(path),
                remedy="use an encoder with a WordPiece vocabulary: BERT, MiniLM, ELECTRA, DistilBERT or MobileBERT",
            )
    model, normalizer = saved["model"], saved["normalizer"]
    vocabulary = _in_order(_value(model, "vocab", dict, path), path)
    names = special_names(saved, path)
    settings = {
        "kind": "wordpiece",
        "lowercase": _value(normalizer, "lowercase", bool, path),
        "strip_accents": _value(normalizer, "strip_accents", bool | None, path),
        "chinese_chars": _value(normalizer, "handle_chinese_chars", bool, path),
        "clean_text": _value(normalizer, "clean_text", bool, path),
        "unk": _value(model, "unk_token", str, path),
        **names,
        "continuation": _value(model, "continuing_subword_prefix", str, path),
        "max_word_chars": _value(model, "max_input_chars_per_word", int, path),
    }
    return settings, vocabulary


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


def special_names(saved: Mapping[str, Any], path: Path) -> dict[str, str]:
    """How the tokenizer spells [CLS], [SEP] and [PAD]."""
    config_path = path.with_name("tokenizer_config.json")
    try:
        config = json.loads(config_path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        config = {}

    def token(key: str, usual: str) -> str:
        value = config.get(key) if isinstance(config, dict) else None
        value = value.get("content") if isinstance(value, dict) else value
        return value if isinstance(value, str) else usual

    names = {
        "cls": token("cls_token", "[CLS]"),
        "sep": token("sep_token", "[SEP]"),
        "pad": token("pad_token", "[PAD]"),
    }
    if missing := [name for name in names.values() if name not in saved["model"]["vocab"]]:
        raise ExportError(
            f"the vocabulary lacks {', '.join(missing)}", where=str(path), remedy="save the tokenizer again"
        )
    return names


def _in_order(vocabulary: Mapping[str, int], path: Path) -> list[str]:
    if not all(isinstance(number, int) for number in vocabulary.values()):
        raise _unreadable(path, "an id of its vocabulary is not a number")
    words = sorted(vocabulary, key=vocabulary.__getitem__)
    if [vocabulary[word] for word in words] != list(range(len(words))) or any("\n" in word for word in words):
        raise ExportError(
            "the vocabulary's ids have gaps, or a word contains a line break",
            where=str(path),
            remedy="renumber its words",
        )
    return words


def read_vocabulary(vocab_file: Path) -> list[str]:
    """The words of vocab.txt, one a line, in the order of ids. Raises ExportError."""
    try:
        words = vocab_file.read_bytes().decode("utf-8").split("\n")  # text mode would turn \r into a line break
    except (OSError, ValueError) as error:
        raise ExportError("not a readable vocabulary", where=str(vocab_file), remedy="export the run again") from error
    return words[:-1] if words[-1] == "" else words


def described_tokenizer(settings: Mapping[str, Any], words: Sequence[str], max_tokens: int) -> "Tokenizer":
    """The tokenizer that an app builds from the manifest's settings and vocabulary, truncating at `max_tokens`.

    Raises ExportError when the vocabulary lacks a special token.
    """
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
    tokenizer.enable_truncation(max_tokens, strategy="longest_first")
    return tokenizer


def saved_tokenizer(model_dir: Path, max_tokens: int) -> "Tokenizer":
    """The model's own tokenizer, truncating at `max_tokens` and never padding. Raises ExportError."""
    from tokenizers import Tokenizer

    path = Path(model_dir) / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises Exception itself
        raise _unreadable(path, " ".join(str(error).split())[:120]) from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens, strategy="longest_first")
    return tokenizer
