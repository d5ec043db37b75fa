"""Texts that are longer than the encoder's limit: cut at the end, cut in the middle, or read in several windows.

An app does the same from the manifest's entry "long" (see Kotlin's LongTexts), so what is reported is what a phone
answers. A *row* is one input of the program; a text has one row, or one for each of its windows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from transformers import BatchEncoding, PreTrainedTokenizerBase

from compress.data.task import Kind
from compress.errors import RecipeError

Strategy = Literal["cut", "head_tail", "windows"]
OVERLAP = 33  # percent of a window that the next one has, too
HEAD = 25  # percent of the tokens that head_tail keeps of the beginning (Sun et al. 2019, section 5.3.1: 128 of 510)
_ABLE: dict[Kind, tuple[Strategy, ...]] = {  # the first one is what "auto" means
    "classification": ("cut", "head_tail", "windows"),
    "regression": ("cut", "head_tail", "windows"),
    "multilabel": ("cut", "head_tail", "windows"),
    "tokens": ("windows", "cut"),
    "qa": ("windows", "cut"),
}


def strategy_of(kind: Kind, wanted: str) -> Strategy:
    """What is done with the long texts of a task of this kind; `wanted` is a strategy or "auto".

    Raises RecipeError where the kind can't have what is wanted.
    """
    able = _ABLE.get(kind, ("cut",))
    if wanted == "auto":
        return able[0]
    if wanted not in able:
        raise RecipeError(
            f"long texts of a task of kind {kind} can't be read with the strategy {wanted}",
            where="data.long",
            remedy=f"use auto or {' or '.join(able)}",
        )
    return wanted


def as_entry(strategy: Strategy) -> dict[str, str | int]:
    """The entry "long" of a bundle's manifest: all that an app needs to do the same."""
    return {"strategy": strategy, "overlap_percent": OVERLAP, "head_percent": HEAD}


def windows(length: int, room: int) -> list[range]:
    """Windows of `room` tokens (at least 1) over `length` tokens; the last one ends at the last token."""
    if length <= room:
        return [range(length)]
    step = room - room * OVERLAP // 100
    return [range(start, start + room) for start in (*range(0, length - room, step), length - room)]


@dataclass(frozen=True)
class Rows:
    """Texts as rows of at most `max_tokens` tokens.

    `inputs` are the model's inputs of each row, by name. `text_of` (R,) is the text of each row, in order;
    `positions` are the places of a row's tokens in its text's encoding of `full`. `long` are the texts over the limit.
    """

    inputs: dict[str, list[list[int]]]
    text_of: np.ndarray
    positions: list[np.ndarray]
    full: BatchEncoding
    long: tuple[int, ...]


def read(
    texts: tuple[list[str], list[str] | None],
    tokenizer: PreTrainedTokenizerBase,
    max_tokens: int,
    strategy: Strategy,
) -> Rows:
    """Tokenize texts, or pairs of texts; what is over `max_tokens` (special tokens included) follows the strategy.

    "cut" shortens the longer text of a pair first. "head_tail" and "windows" work on the last text; a pair's first text
    takes at most half of the limit, or what the second one leaves.
    """
    cut = tokenizer(*texts, truncation="longest_first", max_length=max_tokens, padding=False)
    full = tokenizer(*texts, truncation=False, padding=False, verbose=False, return_offsets_mapping=True)
    text_of: list[int] = []
    positions: list[np.ndarray] = []
    long = []
    for i, ids in enumerate(full["input_ids"]):
        if len(ids) <= max_tokens:
            rows = [np.arange(len(ids))]
        else:
            long.append(i)
            rows = _rows_of(full.sequence_ids(i), cut.sequence_ids(i), max_tokens, strategy)
        text_of += [i] * len(rows)
        positions += rows
    inputs = {
        name: [
            values[i] if len(row) == len(values[i]) else [values[i][p] for p in row]
            for i, row in zip(text_of, positions, strict=True)
        ]
        for name, values in full.data.items()
        if name != "offset_mapping"
    }
    return Rows(inputs, np.array(text_of, dtype=np.int64), positions, full, tuple(long))


def _rows_of(
    full: Sequence[int | None], cut: Sequence[int | None], max_tokens: int, strategy: Strategy
) -> list[np.ndarray]:
    """The places of each row's tokens in a long encoding; `full` and `cut` say which text each token is of."""
    special, first, second = (np.array([p for p, part in enumerate(full) if part == which]) for which in (None, 0, 1))
    if strategy == "cut":
        return [_sorted(special, first[: cut.count(0)], second[: cut.count(1)])]
    limit = max_tokens - len(special)
    kept = max(limit // 2, limit - len(second)) if len(second) else 0
    other, read_in = (first[:kept], second) if kept else (second, first)
    room = limit - len(other)
    if strategy == "head_tail":
        head = room * HEAD // 100
        return [_sorted(special, other, read_in[:head], read_in[len(read_in) - (room - head) :])]
    return [_sorted(special, other, read_in[part.start : part.stop]) for part in windows(len(read_in), room)]


def _sorted(*places: np.ndarray) -> np.ndarray:
    return np.sort(np.concatenate(places)).astype(np.int64)
