"""Labels as people write them (numbers, names, lists): two spellings of one class, and cells that are no label."""

import ast
import json
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from compress.data.reading import Reading
from compress.errors import DataError

_DECIMAL_COMMA = re.compile(r"[+-]?\d+(,\d+)?")
# what stands between the brackets where NumPy printed an array; Python would join its strings to one
_NUMBERS = re.compile(r"[+-]?[\d.]+(\s+[+-]?[\d.]+)+")
_QUOTED = re.compile(r"(['\"])(.*?)\1")
_STRINGS = re.compile(r"(['\"])[^'\"]*\1(\s+(['\"])[^'\"]*\3)+")
_TRUTH = {"true", "false"}
_NO_NUMBER = {"nan", "inf", "+inf", "-inf", "infinity", "-infinity"}
SET = {"1", "1.0", "true"}
FLAGS = SET | {"0", "0.0", "false"}  # a column of these says whether a label is set
_MANY, _ONCE = 10, 0.8  # different labels; the share of rows that may have a label no other row has
_MOSTLY = 0.9  # of the labels are fractions: the rest is a mistake, not a class
Raw = dict[str, list[tuple[str, str]]]  # split → (place, label) of every row


def label_of(place: str, value: Any, column: str) -> str:
    """A cell as one label. Raises DataError where it is empty, not a number, or several."""
    if value is None or str(value).strip() == "":
        raise DataError(f"the label in column {column} is empty", where=place, remedy="fill it in or remove the row")
    if isinstance(value, dict | list | tuple):
        what = "a list" if isinstance(value, list | tuple) else "an object"
        raise DataError(
            f"the label in column {column} is {what}, and others are not",
            where=place,
            remedy="give every row one label, or every row a list of labels",
        )
    if isinstance(value, float) and not math.isfinite(value):
        raise DataError(
            f"the label in column {column} is not a number ({value})", where=place, remedy="correct or remove the row"
        )
    return str(value).strip()


def number_of(label: str) -> float | None:
    """A label as a finite number, or None."""
    try:
        number = float(label)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def scores_of(raw: Raw, reading: Reading, *, expected: bool) -> bool:
    """Whether the labels are scores: numbers with fractions; whole numbers are far more often classes than ratings.

    A decimal comma becomes a point, in place. Raises DataError for a label that is no number among fractions.
    """
    every = [(place, label) for column in raw.values() for place, label in column]
    if all(_DECIMAL_COMMA.fullmatch(label) for _, label in every) and any("," in label for _, label in every):
        reading.note("the labels have a decimal comma; it is read as a point")
        for split, column in raw.items():
            raw[split] = [(place, label.replace(",", ".")) for place, label in column]
        every = [(place, label.replace(",", ".")) for place, label in every]
    numbers = [number_of(label) for _, label in every]
    fractions = sum(n is not None and n != int(n) for n in numbers)
    strange = [pair for pair, n in zip(every, numbers, strict=True) if n is None]
    if not strange:
        return expected or fractions > 0
    others = len(every) - len(strange)
    no_number = next((pair for pair in strange if pair[1].lower() in _NO_NUMBER), None)
    among_scores = fractions and others >= _MOSTLY * len(every) and fractions >= others / 2
    if expected or among_scores or (no_number and others and all(p[1].lower() in _NO_NUMBER for p in strange)):
        place, label = no_number or strange[0]
        raise DataError(
            f"the label '{label}' is not a number, and {'this is a regression' if expected else 'the others are'}",
            where=place,
            remedy="correct it or remove the row, or set --kind classification"
            if not expected
            else "correct it, or set --kind",
        )
    return False


def one_spelling(raw: Raw, reading: Reading) -> None:
    """Give a class that is spelled in several ways one name, in place: 0 and 0.0, True and true, and é in two forms.

    Other names that differ in capitals alone become one only where training has one of them.
    """
    spellings: dict[object, Counter[str]] = {}
    numeric = all(number_of(label) is not None for column in raw.values() for _, label in column)
    for split in raw:
        for _, label in raw[split]:
            spellings.setdefault(_same(label, numeric), Counter())[label] += 1
    trained = Counter(label for _, label in raw["train"])
    names: dict[str, str] = {}
    for key, found in spellings.items():
        known = [label for label in found if label in trained]
        both = (
            len(known) > 1
            and not numeric
            and key not in _TRUTH
            and len({unicodedata.normalize("NFC", k) for k in known}) > 1
        )
        if len(found) == 1 or both:
            if both:
                reading.note(
                    f"the labels {' and '.join(map(repr, sorted(known)))} differ in capitals alone; they stay two"
                )
            continue
        name = (
            min(found, key=lambda label: (len(label), label))
            if numeric
            else max(known or found, key=lambda label: found[label])
        )
        names |= dict.fromkeys(found, name)
        reading.note(f"the labels {' and '.join(map(repr, sorted(found)))} are read as one: {name!r}")
    if names:
        for split, column in raw.items():
            raw[split] = [(place, names.get(label, label)) for place, label in column]
    if (
        missing := next((label for label in trained if label.lower() in {"nan", "none", "null", "n/a"}), None)
    ) is not None:
        reading.note(f"a class is called {missing!r}: if that stands for a missing label, remove these rows")


def _same(label: str, numeric: bool) -> object:
    return Decimal(label) if numeric else unicodedata.normalize("NFC", label).casefold()


def check_classes(raw: Raw, reading: Reading, *, sure: bool) -> None:
    """Raise DataError where most rows have a label of their own: such a column holds texts, scores or numbers of rows.

    Whole numbers that could be scores are named in a note, unless the recipe has set the kind (`sure`).
    """
    counts = Counter(label for column in raw.values() for _, label in column)
    place, example = raw["train"][0]
    numeric = all(number_of(label) is not None for label in counts)
    if len(counts) > _MANY and sum(count == 1 for count in counts.values()) > _ONCE * counts.total():
        scores = "set --kind regression for scores" if numeric else "write numbers as digits with a point"
        raise DataError(
            f"most rows have a label of their own, such as {example[:40]!r} ({len(counts):,} labels): no classes can "
            "be learned from that",
            where=place.partition(", ")[0],
            remedy=f"{scores}, or name the column of the classes with --label",
        )
    if numeric and len(counts) > _MANY and not sure:
        reading.note(f"the labels are {len(counts):,} whole numbers, read as classes; for scores set --kind regression")


def class_indices(raw: Raw, unseen: str) -> tuple[tuple[str, ...], dict[str, list[int]]]:
    """(names, split → class indices); the names are sorted, as numbers where all are, training's first.

    Raises DataError where training has one class, and, with `unseen` "refuse", for a label it never shows.
    """
    known = {label for _, label in raw["train"]}
    if len(known) < 2:
        raise DataError(
            f"training has a single label ({', '.join(known)})",
            where=raw["train"][0][0].partition(", ")[0],
            remedy="a classifier needs two",
        )
    for column in raw.values():
        strange = next(((place, label) for place, label in column if label not in known), None)
        if strange is not None and unseen == "refuse":
            raise DataError(
                f"the label '{strange[1]}' never occurs in training",
                where=strange[0],
                remedy="correct it, or count such rows as wrong with --set data.unseen_labels=count_wrong",
            )
    numeric = all(number_of(label) is not None for label in known)
    names = sorted(known, key=float) if numeric else sorted(known)
    names += sorted({label for column in raw.values() for _, label in column} - known)
    index = {label: i for i, label in enumerate(names)}
    return tuple(names), {split: [index[label] for _, label in column] for split, column in raw.items()}


def as_list(value: Any) -> list[Any] | None:
    """A cell that is a list, or the text of one, such as "[0, 1]" or "['joy', 'anger']"; None for other cells."""
    if isinstance(value, list | tuple):
        return list(value)
    if not isinstance(value, str) or not (value.strip().startswith("[") and value.strip().endswith("]")):
        return None
    if (printed := _of_numpy(value.strip()[1:-1].strip())) is not None:
        return printed
    for parse in (json.loads, ast.literal_eval):
        try:
            found = parse(value.strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        return found if isinstance(found, list) else None
    return None


def _of_numpy(inside: str) -> list[Any] | None:
    """The values of an array as NumPy prints it, without commas: 0 1 1, or 'joy' 'anger'."""
    if _NUMBERS.fullmatch(inside):
        return [int(float(number)) if float(number).is_integer() else float(number) for number in inside.split()]
    return [value for _, value in _QUOTED.findall(inside)] if _STRINGS.fullmatch(inside) else None


def label_sets(rows: Sequence[tuple[str, list[Any]]], names: Sequence[str] | None) -> list[tuple[str, ...]]:
    """Each row's labels by name, from lists of names, of class numbers, or of 0 and 1 for each label.

    With `names` the lists are of 0 and 1 in their order. Raises DataError for lists in lists and for empty values.
    """
    for place, values in rows:
        strange = [v for v in values if v is None or isinstance(v, dict | list) or v != v]
        if strange:
            raise DataError(
                f"the labels have {strange[0]!r} among them", where=place, remedy="give a list of names or numbers"
            )
    widths = {len(values) for _, values in rows}
    flags = {str(v).strip().lower() for _, values in rows for v in values} <= FLAGS
    if names is None and flags and len(widths) == 1 and max(widths) > 1:
        names = [str(i) for i in range(max(widths))]
    if names is None:
        return [tuple(str(v).strip() for v in values if str(v).strip()) for _, values in rows]
    return [tuple(n for n, v in zip(names, values, strict=True) if str(v).strip().lower() in SET) for _, values in rows]
