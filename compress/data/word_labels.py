"""Labels of words, in the schemes that people use, as BIO: B-x at an entity's first word, I-x at its others, O outside.

Schemes: Tjong Kim Sang and Veenstra 1999 (IOB1, IOB2); BIOES, BILOU and BMES mark the last and the single word, too.
"""

from collections.abc import Sequence

from compress.data.reading import Reading, Table
from compress.data.task import OUTSIDE
from compress.errors import DataError

WORDS, TAGS = ("tokens", "words"), ("tags", "ner_tags", "labels")
_AS_BIO = {"B": "B", "I": "I", "E": "I", "L": "I", "M": "I", "S": "B", "U": "B"}
Tagged = list[tuple[str, list[str], list[str]]]  # (place, words, tags)


def tagged(tables: dict[str, Table], reading: Reading) -> dict[str, Tagged]:
    """Words and BIO labels of every row. Raises DataError for labels of no known scheme."""
    given = {
        split: [(place, *pair) for place, pair in reading.each(table, _words_and_tags)]
        for split, table in tables.items()
    }
    every = [tags for rows in given.values() for _, _, tags in rows]
    if given["train"] and not any(tag != OUTSIDE for _, _, tags in given["train"] for tag in tags):
        raise DataError(
            f"no word of training has a label other than {OUTSIDE}",
            where=given["train"][0][0].partition(", ")[0],
            remedy="the last column must hold the labels",
        )
    prefixes = {tag[0] for tags in every for tag in tags if tag != OUTSIDE}
    if prefixes - {"B", "I"}:
        scheme = "BILOU" if prefixes & {"L", "U"} else "BMES" if "M" in prefixes else "BIOES"
        reading.note(f"the words' labels are in {scheme} form; they are read as BIO")
        _rewrite(given, _from_ends)
    elif _first_form(every):
        reading.note("the words' labels are in IOB1 form (B- only between neighbors); they are read as BIO")
        _rewrite(given, _from_first_form)
    elif stray := sum(_begins_inside(tags) for tags in every):
        reading.note(f"{stray:,} entities begin with I- instead of B-; they are read as they are")
    return given


def _words_and_tags(place: str, row: dict[str, object]) -> tuple[list[str], list[str]]:
    words, tags = (next((row[n] for n in names if isinstance(row.get(n), list)), None) for names in (WORDS, TAGS))
    if not isinstance(words, list) or not isinstance(tags, list):
        raise DataError(
            f"words and their labels must stand in the columns {' or '.join(WORDS)} and {' or '.join(TAGS)}",
            where=place,
            remedy="give two lists of the same length, or a CoNLL file",
        )
    if not words or len(words) != len(tags):
        raise DataError(f"{len(words)} words have {len(tags)} labels", where=place, remedy="give each word its label")
    for word, tag in zip(words, tags, strict=True):
        if not isinstance(word, str) or not word or " " in word:
            raise DataError(f"the word {word!r} is empty or has a blank in it", where=place, remedy="correct it")
        if not isinstance(tag, str) or not (
            tag == OUTSIDE or (tag[:1].upper() in _AS_BIO and tag[1:2] == "-" and tag[2:])
        ):
            raise DataError(
                f"the label {tag!r} is neither O nor B-… nor I-…",
                where=place,
                remedy="write the labels in BIO form (BIOES, BILOU, BMES and IOB1 are read, too)",
            )
    return words, [tag if tag == OUTSIDE else tag[0].upper() + tag[1:] for tag in tags]


def _rewrite(given: dict[str, Tagged], form: object) -> None:
    for split, rows in given.items():
        given[split] = [(place, words, form(tags)) for place, words, tags in rows]  # type: ignore[operator]


def _from_ends(tags: Sequence[str]) -> list[str]:
    return [tag if tag == OUTSIDE else _AS_BIO[tag[0]] + tag[1:] for tag in tags]


def _from_first_form(tags: Sequence[str]) -> list[str]:
    """IOB1: an entity begins wherever the type changes; B- is written only after one of the same type."""
    found, before = [], OUTSIDE
    for tag in tags:
        starts = tag != OUTSIDE and (tag[0] == "B" or before == OUTSIDE or before[2:] != tag[2:])
        found.append(f"B-{tag[2:]}" if starts else tag)
        before = tag
    return found


def _first_form(every: Sequence[Sequence[str]]) -> bool:
    """Whether entities begin with I-, and B- stands only where one touches another of its type."""
    begins = sum(_begins_inside(tags) for tags in every)
    return begins > 0 and not any(
        tag[0] == "B" and (before == OUTSIDE or before[2:] != tag[2:])
        for tags in every
        for before, tag in zip([OUTSIDE, *tags], tags, strict=False)
    )


def _begins_inside(tags: Sequence[str]) -> int:
    """How many entities begin with I-."""
    pairs = zip([OUTSIDE, *tags], tags, strict=False)
    return sum(tag[0] == "I" and (before == OUTSIDE or before[2:] != tag[2:]) for before, tag in pairs)
