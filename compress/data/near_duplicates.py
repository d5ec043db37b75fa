"""Whether two texts nearly repeat each other: the rule by which the bundled task is divided (a test proves it)."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from functools import lru_cache

import numpy as np
from scipy.sparse import csr_matrix

_SHARED = 0.3  # of the smaller profile
_BLOCK = 256  # texts that are compared with all at once

FILLERS = frozenset(
    [
        "a",
        "an",
        "the",
        "um",
        "uh",
        "er",
        "hmm",
        "like",
        "please",
        "hey",
        "ok",
        "okay",
        "so",
        "well",
        "just",
        "can",
        "could",
        "would",
        "you",
        "me",
        "my",
        "i",
        "to",
        "of",
    ]
)


@lru_cache(maxsize=1 << 16)
def normalize(text: str) -> str:
    """Lower case, no accents, no punctuation, single spaces."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return " ".join(re.findall(r"\w+", "".join(c for c in plain if not unicodedata.combining(c))))


@lru_cache(maxsize=1 << 16)
def content_words(text: str) -> frozenset[str]:
    """The normalized words without fillers (all words, when nothing else is left)."""
    words = frozenset(normalize(text).split())
    return words - FILLERS or words


def near_duplicates(a: str, b: str, *, overlap: float = 0.7, edit: float = 0.85) -> bool:
    """Whether two texts nearly repeat each other.

    True when the Jaccard overlap of their content words reaches `overlap`, or the ratio of matching characters
    (2·matches / total length, as of difflib) of the normalized texts reaches `edit`.
    """
    words_a, words_b = content_words(a), content_words(b)
    if len(words_a & words_b) / max(1, len(words_a | words_b)) >= overlap:
        return True
    matcher = SequenceMatcher(None, normalize(a), normalize(b), autojunk=False)
    return matcher.real_quick_ratio() >= edit and matcher.quick_ratio() >= edit and matcher.ratio() >= edit


def near_duplicate_pairs(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Index pairs i < j of near duplicates. Only texts that share a character trigram profile are compared in full."""
    features = [_trigrams(normalize(t)) | content_words(t) for t in texts]
    numbers = {feature: i for i, feature in enumerate(sorted(set().union(*features)))}
    ends = np.cumsum([0, *map(len, features)])
    columns = np.array([numbers[feature] for each in features for feature in each], dtype=np.int32)
    has = csr_matrix((np.ones(len(columns), np.int32), columns, ends), shape=(len(texts), len(numbers)))
    sizes = np.diff(ends)
    for start in range(0, len(texts), _BLOCK):
        block = slice(start, start + _BLOCK)
        shared = (has[block] @ has.T).toarray()
        enough = shared >= np.maximum(1, _SHARED * np.minimum.outer(sizes[block], sizes))
        for row, i in np.argwhere(enough).tolist():
            j = start + row
            if i < j and near_duplicates(texts[i], texts[j]):
                yield i, j


def _trigrams(text: str) -> set[str]:
    padded = f"  {text} "
    return {padded[k : k + 3] for k in range(len(padded) - 2)}
