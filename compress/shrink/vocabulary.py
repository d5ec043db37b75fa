"""Vocabulary trimming: half of a small encoder is its word table, and a task needs few of its rows.

Kept are the special tokens, every single character (and its ## form) of the scripts in use (Latin, and those of the
training texts), so that no text in these scripts gets new unknown tokens, then the pieces of the training texts by
frequency, then the vocabulary's own order, which is by frequency in general texts. WordPiece, BPE and Unigram
tokenizers can be trimmed; of BPE each piece is kept with the pieces that it is merged from, so that its words are still
split as before.
"""

import json
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from compress.errors import ModelError
from compress.models.anatomy import embeddings_of
from compress.models.load import load_tokenizer

SCRIPTS = ("LATIN",)  # as Unicode's character names begin; the Latin blocks (ª and µ too) are always in use
_IN_USE = 0.01  # of all letters: a script with fewer is a stray word
_LATIN_BLOCKS_END = "\u0250"


@dataclass(frozen=True)
class Coverage:
    """What a trimmed vocabulary changes on some texts: shares, 0–1."""

    texts_changed: float
    tokens_added: float  # tokens after ÷ tokens before − 1
    unknown_added: float  # share of tokens that are unknown now and were not


def scripts_of(texts: Iterable[str]) -> tuple[str, ...]:
    """The scripts in use in texts, as Unicode's character names begin: Latin, and those of 1 % of the letters."""
    characters = Counter(c for text in texts for c in text)
    letters: Counter[str] = Counter()
    for c, count in characters.items():
        if unicodedata.category(c).startswith("L"):
            letters[unicodedata.name(c, "?").split()[0].split("-")[0]] += count
    enough = _IN_USE * letters.total()
    return (*SCRIPTS, *sorted(name for name, count in letters.items() if count >= enough and name not in SCRIPTS))


def choose(
    tokenizer: PreTrainedTokenizerBase, texts: Iterable[str], size: int, scripts: Sequence[str] = SCRIPTS
) -> tuple[int, ...]:
    """The ids to keep, ascending: `size` of them, or as many as the single characters need.

    Raises ModelError for a tokenizer of another kind than WordPiece, BPE or Unigram.
    """
    model = _model(tokenizer)
    vocabulary, special = tokenizer.get_vocab(), set(tokenizer.all_special_ids)
    parts = _merged_from(model, vocabulary)
    kept = special | {i for piece, i in vocabulary.items() if _is_character(piece, scripts)}
    if parts:
        kept |= {i for i in vocabulary.values() if i not in parts}  # BPE's alphabet: bytes or characters
    if model["type"] == "Unigram":  # the lowest score says what an unknown character costs
        kept.add(min(range(len(model["vocab"])), key=lambda i: model["vocab"][i][1]))
    used = Counter(i for text in texts for i in tokenizer(text, add_special_tokens=False)["input_ids"])
    by_use = sorted(used, key=lambda i: (-used[i], i))
    in_order = sorted(vocabulary.items(), key=lambda item: item[1])
    general = (i for piece, i in in_order if not piece.startswith("[unused"))
    pieces = {i: piece for piece, i in vocabulary.items()}
    for i in (*by_use, *general):
        if len(kept) >= size:
            break
        if i in special or not _foreign(pieces[i], scripts):
            with_parts = kept | _derivation(i, parts)
            if len(with_parts) <= size:
                kept = with_parts
    return tuple(sorted(kept))


def trim_tokenizer(tokenizer: PreTrainedTokenizerBase, kept: Sequence[int]) -> PreTrainedTokenizerBase:
    """A tokenizer that has only the pieces `kept`, numbered from 0 in their order."""
    _model(tokenizer)
    new_id = {old: new for new, old in enumerate(kept)}
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save_pretrained(folder)
        file = Path(folder) / "tokenizer.json"
        content = json.loads(file.read_text(encoding="utf-8"))
        _TRIMS[content["model"]["type"]](content["model"], new_id)
        content["added_tokens"] = [t | {"id": new_id[t["id"]]} for t in content["added_tokens"] if t["id"] in new_id]
        _renumber(content["post_processor"] or {}, new_id)
        file.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        for other in ("vocab.txt", "vocab.json", "merges.txt"):
            (Path(folder) / other).unlink(missing_ok=True)
        return load_tokenizer(folder)


def _trim_pieces(model: dict[str, Any], new_id: dict[int, int]) -> None:
    model["vocab"] = {piece: new_id[i] for piece, i in model["vocab"].items() if i in new_id}


def _trim_merges(model: dict[str, Any], new_id: dict[int, int]) -> None:
    _trim_pieces(model, new_id)
    known = model["vocab"].keys()
    model["merges"] = [pair for pair in model["merges"] if {*pair, "".join(pair)} <= known]


def _trim_scored(model: dict[str, Any], new_id: dict[int, int]) -> None:
    model["vocab"] = [entry for i, entry in enumerate(model["vocab"]) if i in new_id]
    if model["unk_id"] is not None:
        model["unk_id"] = new_id[model["unk_id"]]


_TRIMS = {"WordPiece": _trim_pieces, "BPE": _trim_merges, "Unigram": _trim_scored}


@torch.no_grad()
def trim_model(model: PreTrainedModel, kept: Sequence[int], tokenizer: PreTrainedTokenizerBase) -> PreTrainedModel:
    """Keep, in place, only the rows `kept` of the word table (V, H), for the trimmed `tokenizer`. Returns the model."""
    word = embeddings_of(model).word
    word.weight = nn.Parameter(word.weight[list(kept)].clone())
    word.num_embeddings = model.config.vocab_size = len(kept)
    word.padding_idx = model.config.pad_token_id = tokenizer.pad_token_id
    return model


def coverage(before: PreTrainedTokenizerBase, after: PreTrainedTokenizerBase, texts: Sequence[str]) -> Coverage:
    """How the tokenization of `texts` changed."""
    old = [before.tokenize(t) for t in texts]
    new = [after.tokenize(t) for t in texts]
    count = max(1, sum(map(len, old)))
    unknown = sum(n.count(after.unk_token) - o.count(before.unk_token) for o, n in zip(old, new, strict=True))
    return Coverage(
        texts_changed=sum(o != n for o, n in zip(old, new, strict=True)) / max(1, len(texts)),
        tokens_added=sum(map(len, new)) / count - 1,
        unknown_added=unknown / count,
    )


def _model(tokenizer: PreTrainedTokenizerBase) -> dict[str, Any]:
    """The tokenizer's model as tokenizer.json holds it. Raises ModelError for a kind that can't be trimmed."""
    model = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    if model["type"] not in _TRIMS:
        raise ModelError(
            f"a vocabulary of kind {model['type']} can't be trimmed",
            where=tokenizer.name_or_path,
            remedy="set structure.vocabulary=0 to keep all of it",
        )
    return model


def _merged_from(model: dict[str, Any], vocabulary: dict[str, int]) -> dict[int, tuple[int, int]]:
    """Of BPE: each merged piece's two parts, by the first merge that gives it; else nothing."""
    parts: dict[int, tuple[int, int]] = {}
    for left, right in model.get("merges", ()):
        parts.setdefault(vocabulary[left + right], (vocabulary[left], vocabulary[right]))
    return parts


def _derivation(piece: int, parts: dict[int, tuple[int, int]]) -> set[int]:
    """A piece with all that it is merged from."""
    found, open_ = set(), [piece]
    while open_:
        found.add(last := open_.pop())
        open_.extend(p for p in parts.get(last, ()) if p not in found)
    return found


def _is_character(piece: str, scripts: Sequence[str]) -> bool:
    bare = piece.removeprefix("##") or piece
    bare = bare.removeprefix("\u2581") or bare  # Unigram's mark of a word's beginning
    return len(bare) == 1 and not _foreign(bare, scripts)


def _foreign(piece: str, scripts: Sequence[str]) -> bool:
    """Whether a piece has a letter of a script that is not in use."""
    letters = (c for c in piece if c >= _LATIN_BLOCKS_END and unicodedata.category(c).startswith("L"))
    return any(not unicodedata.name(c, "").startswith(tuple(scripts)) for c in letters)


def _renumber(processor: dict[str, Any], new_id: dict[int, int]) -> None:
    """Give the post-processor's special tokens their new ids, in place (TemplateProcessing and BertProcessing)."""
    for token in processor.get("special_tokens", {}).values():
        token["ids"] = [new_id[i] for i in token["ids"]]
    for end in ("sep", "cls"):
        if end in processor:
            processor[end][1] = new_id[processor[end][1]]
