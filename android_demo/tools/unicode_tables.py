"""Asks Hugging Face's tokenizers library what it does with every code point, and writes the answers as Kotlin tables.

Java's own tables depend on the Android version and differ from the library's (which themselves come from several
Unicode versions), so the app carries these instead and asks the platform nothing.

    python android_demo/tools/unicode_tables.py      rewrites UnicodeTables.kt; a test compares it with a fresh run
"""

import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

from tokenizers import normalizers, pre_tokenizers

TARGET = Path(__file__).parents[1] / "textmodel/src/main/kotlin/org/pocketticket/textmodel/text/UnicodeTables.kt"
CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
HANGUL = range(0xAC00, 0xD7A4)  # decomposed by arithmetic, not by table
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def bert(**switches: bool) -> normalizers.BertNormalizer:
    """A BERT normalizer with only the named steps on."""
    steps = {"clean_text": False, "handle_chinese_chars": False, "strip_accents": False, "lowercase": False}
    return normalizers.BertNormalizer(**{**steps, **switches})


def changed(normalizer: normalizers.Normalizer) -> dict[int, str]:
    """Code point → what it becomes, for those that change."""
    results = ((c, normalizer.normalize_str(chr(c))) for c in CODE_POINTS)
    return {c: text for c, text in results if text != chr(c)}


def combining_classes(decomposed: dict[int, str]) -> dict[int, int]:
    """Canonical combining classes as the library's NFD knows them, found by watching which pairs it swaps."""
    nfd = normalizers.NFD()
    known: dict[int, str] = {}
    for c in CODE_POINTS:  # one old character for each class; those of Unicode 3.2 are known to every library
        cls = unicodedata.ucd_3_2_0.combining(chr(c))
        if cls and c not in decomposed:
            known.setdefault(cls, chr(c))
    classes = sorted(known)

    def swaps(first: str, second: str) -> bool:
        return nfd.normalize_str(first + second) == second + first and first != second

    found = {}
    for c in CODE_POINTS:
        char = chr(c)
        if c in decomposed or not (swaps(char, known[classes[0]]) or swaps(known[classes[-1]], char)):
            continue
        found[c] = max((cls for cls in classes if not swaps(known[cls], char)), default=classes[0])
    return found


def base36(number: int) -> str:
    """A number in base 36."""
    digits = ""
    while True:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
        if not number:
            return digits


def signed36(number: int) -> str:
    return ("-" if number < 0 else "") + base36(abs(number))


def ranges(code_points: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Sorted code points → (first, last) of each unbroken stretch."""
    first = last = None
    for c in sorted(code_points):
        if last is not None and c == last + 1:
            last = c
            continue
        if last is not None:
            yield first, last
        first = last = c
    if last is not None:
        yield first, last


def encode_set(code_points: Iterable[int]) -> str:
    """Pairs "distance from the end of the stretch before" "length"."""
    words, end = [], 0
    for first, last in ranges(code_points):
        words += [base36(first - end), base36(last - first + 1)]
        end = last + 1
    return " ".join(words)


def encode_numbers(table: dict[int, int]) -> str:
    """Quadruples "distance from the start before" "count" "step" "value", for stretches that share one value."""
    words, before, waiting = [], 0, sorted(table)
    while waiting:
        start = waiting[0]
        best: list[int] = []
        for step in (1, 2):
            stretch = [start]
            while table.get(stretch[-1] + step) == table[start]:
                stretch.append(stretch[-1] + step)
            best = max(best, stretch, key=len)
        step = best[1] - best[0] if len(best) > 1 else 1
        words += [base36(start - before), base36(len(best)), base36(step), signed36(table[start])]
        before, taken = start, set(best)
        waiting = [c for c in waiting if c not in taken]
    return " ".join(words)


def encode_texts(table: dict[int, str]) -> str:
    """ "distance from the code point before" ":" its text's code points joined by commas."""
    words, before = [], 0
    for c, text in sorted(table.items()):
        words.append(f"{base36(c - before)}:{','.join(base36(ord(t)) for t in text)}")
        before = c
    return " ".join(words)


def tables() -> dict[str, tuple[str, str]]:
    """Kotlin name → (what it says, encoded table)."""
    clean, decomposed = changed(bert(clean_text=True)), changed(normalizers.NFD())
    assert set(clean.values()) == {"", " "}
    stripped = changed(bert(strip_accents=True))
    lowered = changed(bert(lowercase=True))
    split = pre_tokenizers.BertPreTokenizer()
    pieces = {c: len(split.pre_tokenize_str(f"a{chr(c)}a")) for c in CODE_POINTS}
    return {
        "REMOVED": ("what clean_text drops", encode_set(c for c, t in clean.items() if t == "")),
        "SPACES": ("what clean_text makes a space", encode_set(c for c, t in clean.items() if t == " ")),
        "CHINESE": (
            "what handle_chinese_chars puts spaces around",
            encode_set(changed(bert(handle_chinese_chars=True))),
        ),
        "NONSPACING": (
            "marks that strip_accents drops after decomposing",
            encode_set(c for c, t in stripped.items() if t == "" and c not in decomposed),
        ),
        "SEPARATORS": ("white space between words", encode_set(c for c, n in pieces.items() if n == 2)),
        "PUNCTUATION": ("words of one character", encode_set(c for c, n in pieces.items() if n == 3)),
        "COMBINING": ("combining classes, for the order of marks", encode_numbers(combining_classes(decomposed))),
        "LOWER": (
            "distance to the lower-case letter",
            encode_numbers({c: ord(t) - c for c, t in lowered.items() if len(t) == 1}),
        ),
        "LOWER_TEXTS": (
            "lower case of more than one letter",
            encode_texts({c: t for c, t in lowered.items() if len(t) > 1}),
        ),
        "DECOMPOSED": (
            "full canonical decompositions, Hangul syllables left out",
            encode_texts({c: t for c, t in decomposed.items() if c not in HANGUL}),
        ),
    }


def kotlin() -> str:
    """The text of UnicodeTables.kt."""
    lines = [
        "package org.pocketticket.textmodel.text",
        "",
        "// Written by android_demo/tools/unicode_tables.py: do not edit. CodePoints.kt reads the notation.",
        "internal object UnicodeTables {",
    ]
    for name, (meaning, table) in tables().items():
        lines.append(f"    /** {meaning[0].upper() + meaning[1:]}. */")
        chunks, chunk = [], ""
        for word in table.split(" "):
            if len(chunk) + len(word) > 105:
                chunks.append(chunk)
                chunk = ""
            chunk += word + " "
        chunks.append(chunk.rstrip())
        quoted = " +\n        ".join(f'"{c}"' for c in chunks)
        lines.append(f"    const val {name} =\n        {quoted}\n")
    return "\n".join(lines).rstrip() + "\n}\n"


if __name__ == "__main__":
    TARGET.write_text(kotlin())
