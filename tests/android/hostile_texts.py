"""Texts on which tokenizers disagree: made by a generator with a fixed seed, so that every run asks the same."""

import random
import sys
import unicodedata
from collections.abc import Iterator

BLOCKS = {  # first and last code point
    "latin with accents": (0xC0, 0x24F),
    "combining marks": (0x300, 0x36F),
    "greek": (0x370, 0x3FF),
    "cyrillic": (0x400, 0x52F),
    "hebrew": (0x590, 0x5FF),
    "arabic": (0x600, 0x6FF),
    "devanagari": (0x900, 0x97F),
    "thai": (0xE00, 0xE7F),
    "hangul jamo": (0x1100, 0x11FF),
    "extended latin": (0x1E00, 0x1FFF),
    "spaces, joiners, directions": (0x2000, 0x206F),
    "symbols": (0x20A0, 0x27BF),
    "cjk marks": (0x2E80, 0x303F),
    "kana": (0x3040, 0x30FF),
    "cjk extension a": (0x3400, 0x34FF),
    "cjk": (0x4E00, 0x9FFF),
    "hangul": (0xAC00, 0xD7FF),
    "private": (0xE000, 0xE0FF),
    "cjk compatibility": (0xF900, 0xFAFF),
    "presentation forms": (0xFB00, 0xFDFF),
    "selectors, half marks, full width": (0xFE00, 0xFFFF),
    "musical marks": (0x1D165, 0x1D1AD),
    "mathematical letters": (0x1D400, 0x1D7FF),
    "emoji": (0x1F1E6, 0x1FAFF),
    "cjk extensions b to f": (0x20000, 0x2FA1F),
    "tags": (0xE0000, 0xE01EF),
    "control": (0, 0x9F),
}
WORDS = [
    "the",
    "playing",
    "Straße",
    "naïve",
    "İstanbul",
    "ΣΊΣΥΦΟΣ",
    "ǅ",
    "ﬁne",
    "don't",
    "e.g.",
    "3.14",
    "#tag",
    "x²",
    "[SEP]",
    "[MASK]",
    "[CLS",
    "##ing",
    "unaffable",
    "日本語",
    "한국어",
    "école",
    "e\u0301cole",
    "👩‍👩‍👧",
    "🏳️‍🌈",
    "½",
]
JOINERS = [
    "\u200b",
    "\u200c",
    "\u200d",
    "\u2060",
    "\ufeff",
    "\u00ad",
    "\u200e",
    "\u200f",
    "\u202e",
    "\ufe0f",
    "\x00",
    "\x7f",
]


def hostile_texts(count: int, seed: int = 0) -> Iterator[str]:
    """Yields `count` texts; the first few are the same for every seed."""
    chance = random.Random(seed)
    fixed = [
        "",
        " ",
        "\t\n\r",
        "x" * 10_000,
        "é" * 10_000,
        "e\u0301" * 5_000,
        "word " * 3_000,
        "中" * 3_000,
        "\ud800",
        "a\udc00b",
        "\ud83d",
        "\ud83d\ude00",
        "\udc00\ud800",
        "[SEP]" * 20,
        "\ufffd",
        "\x00a\x00",
        "a" * 100,
        "a" * 101,
        "\u0301",
        "a\u0345\u0301\u0316",
        "\u302e\u302f\U0001d165\u0301",
        "ẞ ſ K Å",
    ]
    yield from fixed[:count]
    makers = [_one_block, _mixture, _word_salad, _marked, _any_code_points, _surrogates, _emoji]
    for _ in range(count - len(fixed)):
        yield chance.choice(makers)(chance)


def _char(chance: random.Random, block: str) -> str:
    first, last = BLOCKS[block]
    while True:
        code = chance.randint(first, last)
        if not 0xD800 <= code <= 0xDFFF:
            return chr(code)


def _one_block(chance: random.Random) -> str:
    block = chance.choice(sorted(BLOCKS))
    return "".join(_char(chance, block) for _ in range(chance.randint(1, 40)))


def _mixture(chance: random.Random) -> str:
    blocks = chance.choices(sorted(BLOCKS), k=chance.randint(1, 30))
    return "".join(_char(chance, b) + chance.choice(["", "", " ", "a", "."]) for b in blocks)


def _word_salad(chance: random.Random) -> str:
    words = chance.choices(WORDS, k=chance.randint(1, 25))
    changes = [
        str.upper,
        str.lower,
        str.title,
        lambda w: unicodedata.normalize("NFD", w),
        lambda w: unicodedata.normalize("NFC", w),
        lambda w: w + chance.choice(JOINERS),
        lambda w: chance.choice(JOINERS).join(w),
    ]
    return chance.choice([" ", "", "\u3000", "\u00a0", ", ", "\u2028"]).join(chance.choice(changes)(w) for w in words)


def _marked(chance: random.Random) -> str:
    """Letters under heaps of marks in any order: canonical reordering at work."""
    marks = "\u0300\u0301\u0316\u0327\u0334\u0345\u035c\u05b0\u0591\u064b\u0651\u302e\u302f\u093c\u0c3c\U0001d165"
    marks += "\U0001d16d\u0898\u1715"
    return "".join(
        chance.choice("aeioué中가ñ ") + "".join(chance.choices(marks, k=chance.randint(0, 6)))
        for _ in range(chance.randint(1, 12))
    )


def _any_code_points(chance: random.Random) -> str:
    codes = (chance.randrange(sys.maxunicode + 1) for _ in range(chance.randint(1, 30)))
    return "".join(chr(c) for c in codes if not 0xD800 <= c <= 0xDFFF)


def _surrogates(chance: random.Random) -> str:
    return "".join(
        chance.choice([chr(chance.randint(0xD800, 0xDFFF)), "ab", " ", "é"]) for _ in range(chance.randint(1, 12))
    )


def _emoji(chance: random.Random) -> str:
    return "".join(
        _char(chance, "emoji") + chance.choice(["", "\u200d", "\ufe0f", "🏽", " "])
        for _ in range(chance.randint(1, 20))
    )


def as_utf8_would(text: str) -> str:
    """Joins surrogates that make a pair and replaces lone ones, as any conversion from UTF-16 does."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
