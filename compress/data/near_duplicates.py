"""When are two texts the same question? The bundled task is divided by it, and a test proves that no split leaks."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

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


def normalise(text: str) -> str:
    """Lower case, no accents, no punctuation, single spaces."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return " ".join(re.findall(r"\w+", "".join(c for c in plain if not unicodedata.combining(c))))


def content_words(text: str) -> frozenset[str]:
    """The normalised words without fillers (all words, when nothing else is left)."""
    words = frozenset(normalise(text).split())
    return words - FILLERS or words


def near_duplicates(a: str, b: str, *, overlap: float = 0.7, edit: float = 0.85) -> bool:
    """Whether two texts nearly repeat each other.

    True when the Jaccard overlap of their content words reaches `overlap`, or the ratio of matching characters
    (2·matches / total length, as of difflib) of the normalised texts reaches `edit`.
    """
    words_a, words_b = content_words(a), content_words(b)
    if len(words_a & words_b) / max(1, len(words_a | words_b)) >= overlap:
        return True
    matcher = SequenceMatcher(None, normalise(a), normalise(b), autojunk=False)
    return matcher.real_quick_ratio() >= edit and matcher.quick_ratio() >= edit and matcher.ratio() >= edit


def near_duplicate_pairs(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Index pairs i < j of near duplicates. Only texts that share a character trigram profile are compared in full."""
    grams = [_trigrams(normalise(t)) for t in texts]
    words = [content_words(t) for t in texts]
    by_word: dict[str, list[int]] = defaultdict(list)
    for j in range(len(texts)):
        shared: dict[int, int] = defaultdict(int)
        for gram in grams[j] | words[j]:
            for i in by_word[gram]:
                shared[i] += 1
            by_word[gram].append(j)
        for i, count in sorted(shared.items()):
            if count >= 0.3 * min(len(grams[i] | words[i]), len(grams[j] | words[j])) and near_duplicates(
                texts[i], texts[j]
            ):
                yield i, j


def _trigrams(text: str) -> set[str]:
    padded = f"  {text} "
    return {padded[k : k + 3] for k in range(len(padded) - 2)}
