"""More texts on which the student learns its teacher's outputs: altered copies of training texts, unlabeled texts.

Their labels are the teacher's outputs, so no human label is needed (Jiao et al. 2020 augment the data of TinyBERT in a
similar way).
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from compress.data.decoding import read_text
from compress.data.task import Example
from compress.errors import DataError

_ALTERED = 0.15  # of a text's words; at least one


def altered(examples: Sequence[Example], copies: int, seed: int) -> Iterator[Example]:
    """`copies` of each example with some words left out or replaced by others of the corpus, by their frequency."""
    random = np.random.default_rng(seed)
    words = Counter(word for e in examples for text in (e.text_a, e.text_b) if text for word in text.split())
    corpus = list(words)
    weights = np.array(list(words.values())) / max(1, words.total())

    def change(text: str) -> str:
        parts = text.split()
        if not parts:
            return text
        chosen = random.random(len(parts)) < _ALTERED
        chosen[random.integers(len(parts))] = True
        for i in np.flatnonzero(chosen):
            parts[i] = "" if random.random() < 0.5 else corpus[random.choice(len(corpus), p=weights)]
        return " ".join(filter(None, parts)) or text

    for _ in range(copies):
        for example in examples:
            second = None if example.text_b is None else change(example.text_b)
            yield Example(change(example.text_a), second, example.label)


def unlabeled(file: Path, *, pair: bool) -> list[Example]:
    """The texts of a UTF-8 file, one a line; of a pair, its two texts with a tab between.

    Raises DataError for a file that is missing, empty, not UTF-8, or a line that is no pair where pairs are needed.
    """
    try:
        lines = read_text(file).split("\n")  # not splitlines: other Unicode line separators belong to the text
    except OSError as error:
        raise DataError(
            f"the file can't be read ({error.strerror})", where=str(file), remedy="check its path"
        ) from error
    found = []
    for number, line in enumerate((line.rstrip("\r") for line in lines), start=1):
        if not line.strip():
            continue
        first, tab, second = line.partition("\t")
        if pair and not (tab and second.strip()):
            raise DataError(
                "this line is not two texts with a tab between them",
                where=f"{file}:{number}",
                remedy="correct the line",
            )
        found.append(Example(first if pair else line, second if pair else None, 0))
    if not found:
        raise DataError("there is no text in the file", where=str(file), remedy="one text a line")
    return found
