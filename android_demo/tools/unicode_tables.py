"""Asks Hugging Face's tokenizers library what it does with every code point, and writes the answers as Kotlin tables.

Java's own tables depend on the Android version and differ from the library's (which themselves come from several
Unicode versions), so the app carries these instead and asks the platform nothing.

    python android_demo/tools/unicode_tables.py      rewrites UnicodeTables.kt; a test compares it with a fresh run
"""

import struct
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


def compositions(decomposed: dict[int, str]) -> dict[int, str]:
    """Code point → the two that compose to it, Hangul left out."""
    nfc = normalizers.NFC()
    return {
        c: nfc.normalize_str(parts[:-1]) + parts[-1]
        for c, parts in decomposed.items()
        if c not in HANGUL and len(parts) > 1 and nfc.normalize_str(parts) == chr(c)
    }


def joined_to(start: str, split: pre_tokenizers.PreTokenizer) -> set[int]:
    """Code points that stay in one word with the character before them."""
    return {c for c in CODE_POINTS if split.pre_tokenize_str(f"{start}{chr(c)}")[0][1] == (0, 2)}


def charsmap(first_bytes: Iterable[int]) -> normalizers.Precompiled:
    """A precompiled map that makes an "A" of every grapheme under 6 bytes that begins with one of these bytes."""
    units = [0] * 768
    units[0] = 256 << 10  # the root's children stand at 256 ^ byte
    for byte in first_bytes:
        units[256 ^ byte] = byte | 1 << 8 | 768 << 10  # has a leaf, at 512 ^ byte
        units[512 ^ byte] = 1 << 31
    trie = struct.pack(f"<{len(units)}I", *units)
    return normalizers.Precompiled(struct.pack("<I", len(trie)) + trie + b"A\0")


def graphemes() -> dict[str, set[int]]:
    """Classes of code points that decide where a grapheme ends, seen in what a map does to the texts around them."""
    a, c2, cc = (charsmap([byte]) for byte in (0x61, 0xC2, 0xCC))
    leads = charsmap(range(0x80, 0x100))
    above = [c for c in CODE_POINTS if c >= 0x80]

    def those(codes: Iterable[int], mapped: normalizers.Precompiled, before: str, behind: str, become: str) -> set[int]:
        return {c for c in codes if mapped.normalize_str(before + chr(c) + behind) == become.replace("?", chr(c))}

    marks = those(above, a, "a", "", "A")
    # क and त are consonants, ् links them: in one grapheme (over 6 bytes) every code point stands for itself
    return {
        "JOINS": marks,
        "PREPENDED": those(above, leads, "", "b", "A"),
        "CONTROL": those(CODE_POINTS, cc, "", "\u0301\u0302", "?A"),
        "PICTOGRAPHS": those(above, c2, "\u00a9\u200d", "", "A\u200d?") - marks | {0xA9, 0xAE},
        "CONSONANTS": linked_by(above, "", "\u094d\u0924\u0301"),
        "LINKERS": linked_by(marks, "\u0915", "\u0924\u0301"),
        "CONJOINS": linked_by(marks, "\u0915", "\u094d\u0924\u0301"),
    }


def linked_by(codes: Iterable[int], before: str, behind: str) -> set[int]:
    """Those that are in one grapheme with the mark behind त: it stays, where it would else go with त."""
    mapped = charsmap([0xE0])
    return {c for c in codes if mapped.normalize_str(before + chr(c) + behind).endswith("\u0301")}


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
    compatible = changed(normalizers.NFKD())
    stripped = changed(bert(strip_accents=True))
    lowered = changed(bert(lowercase=True))
    split = pre_tokenizers.BertPreTokenizer()
    pieces = {c: len(split.pre_tokenize_str(f"a{chr(c)}a")) for c in CODE_POINTS}
    spaces = {c for c, n in pieces.items() if n == 2}
    runs = pre_tokenizers.ByteLevel(add_prefix_space=False)
    letters, numbers, others = (joined_to(start, runs) for start in "a1!")
    assert spaces == set(CODE_POINTS) - letters - numbers - others  # one meaning of white space in all of the library
    assert not letters & numbers and not (letters | numbers) & others
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
        "SEPARATORS": ("white space between words", encode_set(spaces)),
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
        "COMPATIBLE": (
            "full compatibility decompositions that are not the canonical ones",
            encode_texts({c: t for c, t in compatible.items() if t != decomposed.get(c)}),
        ),
        "COMPOSED": ("what two code points compose to canonically", encode_texts(compositions(decomposed))),
        "MARKS": (
            "combining marks of every kind",
            encode_set(c for c, t in changed(normalizers.StripAccents()).items() if t == ""),
        ),
        "LETTERS": ("letters, \\p{L}", encode_set(letters)),
        "NUMBERS": ("numbers, \\p{N}", encode_set(numbers)),
        "NUMERIC": ("numeric characters", encode_set(joined_to("1", pre_tokenizers.Digits()))),
        **{name: (f"graphemes, {name.lower()}", encode_set(codes)) for name, codes in graphemes().items()},
        "WORD": ("characters of words, \\w", encode_set(joined_to("a", pre_tokenizers.Whitespace()))),
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
