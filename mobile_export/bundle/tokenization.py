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


def describe_tokenizer(model_dir: Path) -> tuple[dict[str, Any], list[str]]:
    """The manifest's tokenizer settings (without file and sha256) and the vocabulary in the order of ids.

    Raises ExportError for a tokenizer that is not BERT WordPiece.
    """
    path = Path(model_dir) / "tokenizer.json"
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
        model, normalizer = saved["model"], saved["normalizer"] or {}
        described = (model["type"], normalizer.get("type"), (saved["pre_tokenizer"] or {}).get("type"))
    except (OSError, ValueError, KeyError) as error:
        raise ExportError(
            f"the tokenizer can't be read ({type(error).__name__})", where=str(path), remedy="save the tokenizer again"
        ) from error
    if described != ("WordPiece", "BertNormalizer", "BertPreTokenizer"):
        raise ExportError(
            f"only BERT's WordPiece tokenizer can be described to the app, not {described[0]}",
            where=str(path),
            remedy="use an encoder with a WordPiece vocabulary: BERT, MiniLM, ELECTRA, DistilBERT or MobileBERT",
        )
    vocabulary = _in_order(model["vocab"], path)
    names = special_names(saved, path)
    settings = {
        "kind": "wordpiece",
        "lowercase": normalizer["lowercase"],
        "strip_accents": normalizer["strip_accents"],
        "chinese_chars": normalizer["handle_chinese_chars"],
        "clean_text": normalizer["clean_text"],
        "unk": model["unk_token"],
        **names,
        "continuation": model["continuing_subword_prefix"],
        "max_word_chars": model["max_input_chars_per_word"],
    }
    return settings, vocabulary


def special_names(saved: Mapping[str, Any], path: Path) -> dict[str, str]:
    """How the tokenizer spells [CLS], [SEP] and [PAD]."""
    config_path = path.with_name("tokenizer_config.json")
    try:
        config = json.loads(config_path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        config = {}

    def spelt(key: str, usual: str) -> str:
        value = config.get(key, usual)
        return value["content"] if isinstance(value, dict) else value

    names = {
        "cls": spelt("cls_token", "[CLS]"),
        "sep": spelt("sep_token", "[SEP]"),
        "pad": spelt("pad_token", "[PAD]"),
    }
    if missing := [name for name in names.values() if name not in saved["model"]["vocab"]]:
        raise ExportError(
            f"the vocabulary lacks {', '.join(missing)}", where=str(path), remedy="save the tokenizer again"
        )
    return names


def _in_order(vocabulary: Mapping[str, int], path: Path) -> list[str]:
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
    """The model's own tokenizer, truncating at `max_tokens` and never padding."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(Path(model_dir) / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens, strategy="longest_first")
    return tokenizer
