"""From rows to examples: which columns, which kind of task, and what is wrong with a row."""

import math
from collections.abc import Callable
from typing import Any

from compress.data.files import LINE, Row
from compress.data.task import OUTSIDE, Answer, Example, Kind
from compress.errors import DataError
from compress.recipe.sections import DataSection

_COLUMNS = {  # names by which a column is found when the recipe gives none
    "label": ("label", "labels", "score", "intent", "class"),
    "text_a": ("text", "text_a", "sentence", "sentence1", "premise", "question1", "question", "utterance"),
    "text_b": ("text_b", "sentence2", "hypothesis", "question2"),
}
_WORDS, _TAGS = ("tokens", "words"), ("tags", "ner_tags", "labels")
_QUESTION, _PASSAGE, _ANSWERS = "question", "context", "answers"
Table = list[tuple[str, Row]]
Found = tuple[Kind, tuple[str, ...], dict[str, list[Example]], list[str]]  # kind, labels, splits, notes


def examples_of(settings: DataSection, tables: dict[str, Table]) -> Found:
    """(kind, labels, examples of each split, notes) of checked rows. Raises DataError with the place at fault."""
    kind = settings.kind if settings.kind != "auto" else _kind_of(tables["train"][0][1])
    readers: dict[str | None, Callable[[DataSection, dict[str, Table]], Found]] = {
        "tokens": _tagged,
        "qa": _asked,
        "mlm": _plain,
    }
    return readers.get(kind, _sentences)(settings, tables)


def _kind_of(row: Row) -> Kind | None:
    """The kind that a row's columns show; None: sentences, whose labels decide."""
    if any(isinstance(row.get(name), list) for name in _WORDS):
        return "tokens"
    if {_QUESTION, _PASSAGE, _ANSWERS} <= row.keys():
        return "qa"
    return "mlm" if LINE in row else None


def _tagged(settings: DataSection, tables: dict[str, Table]) -> Found:
    """Words with a label each: B-x and I-x for entities, O outside."""
    given = {split: [(place, *_words_and_tags(place, row)) for place, row in table] for split, table in tables.items()}
    known = {tag for _, _, tags in given["train"] for tag in tags}
    for split, rows in given.items():
        for place, _, tags in rows:
            if settings.unseen_labels == "refuse" and (strange := next((t for t in tags if t not in known), None)):
                raise DataError(
                    f"the label '{strange}' never occurs in training",
                    where=f"{place} ({split})",
                    remedy="correct it, or count such words as wrong with --set data.unseen_labels=count_wrong",
                )
            known.update(tags if settings.unseen_labels == "count_wrong" else ())
    names = (OUTSIDE, *sorted(known - {OUTSIDE}, key=lambda tag: (tag.partition("-")[2], tag)))
    index = {tag: i for i, tag in enumerate(names)}
    splits = {
        split: [Example(" ".join(words), None, tuple(index[tag] for tag in tags)) for _, words, tags in rows]
        for split, rows in given.items()
    }
    return "tokens", names, splits, []


def _words_and_tags(place: str, row: Row) -> tuple[list[str], list[str]]:
    words, tags = (next((row[n] for n in names if isinstance(row.get(n), list)), None) for names in (_WORDS, _TAGS))
    if not isinstance(words, list) or not isinstance(tags, list):
        raise DataError(
            f"words and their labels must stand in the columns {' or '.join(_WORDS)} and {' or '.join(_TAGS)}",
            where=place,
            remedy="give two lists of the same length, or a CoNLL file",
        )
    if not words or len(words) != len(tags):
        raise DataError(f"{len(words)} words have {len(tags)} labels", where=place, remedy="give each word its label")
    for word, tag in zip(words, tags, strict=True):
        if not isinstance(word, str) or not word or " " in word:
            raise DataError(f"the word {word!r} is empty or has a blank in it", where=place, remedy="correct it")
        if not isinstance(tag, str) or not (tag == OUTSIDE or (tag[:2] in ("B-", "I-") and tag[2:])):
            raise DataError(
                f"the label {tag!r} is neither O nor B-… nor I-…", where=place, remedy="write the labels in BIO form"
            )
    return words, tags


def _asked(settings: DataSection, tables: dict[str, Table]) -> Found:
    """Questions about passages; a training answer whose place is a guess ("start_unique": false) is left out."""
    splits = {split: [_question(place, row) for place, row in table] for split, table in tables.items()}
    sure = [all(a.get("start_unique", True) for a in _answers(place, row)) for place, row in tables["train"]]
    notes = []
    if not all(sure):
        notes.append(f"{sure.count(False):,} training questions are left out: where their answers stand is a guess")
        splits["train"] = [e for e, certain in zip(splits["train"], sure, strict=True) if certain]
    return "qa", (), splits, notes


def _question(place: str, row: Row) -> Example:
    passage, answers = _text(place, row, _PASSAGE), []
    for answer in _answers(place, row):
        text, start = answer.get("text"), answer.get("start")
        if not isinstance(text, str) or not text.strip():
            raise DataError("an answer is empty", where=place, remedy="give each answer its text")
        start = passage.find(text) if start is None else start
        if passage[start : start + len(text)] != text or start < 0:
            raise DataError(
                f"the answer {text[:40]!r} is not in the passage at character {start}",
                where=place,
                remedy="correct the answer or its start",
            )
        answers.append(Answer(text, start))
    if not answers:
        raise DataError("the question has no answer", where=place, remedy="give one, or remove the question")
    return Example(_text(place, row, _QUESTION), passage, tuple(answers))


def _answers(place: str, row: Row) -> list[dict[str, Any]]:
    """A question's answers as dicts; `datasets` has them as a dict of lists. Raises DataError for anything else."""
    given = row.get(_ANSWERS)
    if isinstance(given, dict) and isinstance(texts := given.get("text"), list):
        starts = given.get("answer_start") or [None] * len(texts)
        given = [{"text": text, "answer_start": start} for text, start in zip(texts, starts, strict=False)]
    if not isinstance(given, list) or not all(isinstance(answer, dict) for answer in given):
        raise DataError(
            f"the column {_ANSWERS} is missing or no list of answers",
            where=place,
            remedy='write [{"text": ..., "answer_start": ...}]',
        )
    return [{"start": answer.get("answer_start"), **answer} for answer in given]


def _plain(settings: DataSection, tables: dict[str, Table]) -> Found:
    """Lines of plain text, or the text column of a table."""
    column = settings.text_a or next((n for n in (LINE, *_COLUMNS["text_a"]) if n in tables["train"][0][1]), LINE)
    splits = {
        split: [Example(_text(place, row, column), None, None) for place, row in table]
        for split, table in tables.items()
    }
    return "mlm", (), splits, []


def _sentences(settings: DataSection, tables: dict[str, Table]) -> Found:
    """One text, or a pair, with a class or a number."""
    columns = _find_columns(settings, tables)
    texts = {split: [_texts(place, row, columns) for place, row in table] for split, table in tables.items()}
    raw = {split: [_label(place, row, columns["label"]) for place, row in table] for split, table in tables.items()}
    kind = _kind(settings, pair="text_b" in columns, labels=raw["train"])
    if kind.endswith("regression"):
        names: tuple[str, ...] = ()
        values: dict[str, list[int] | list[float]] = {
            s: [_number(tables[s][i][0], v) for i, v in enumerate(column)] for s, column in raw.items()
        }
    else:
        names, codes = _classes(raw, tables, settings.unseen_labels)
        values = dict(codes)
    splits = {s: [Example(*t, v) for t, v in zip(texts[s], values[s], strict=True)] for s in tables}
    return kind, names, splits, []


def _find_columns(settings: DataSection, tables: dict[str, Table]) -> dict[str, str]:
    """Role (label, text_a, text_b) → column; without text_b for single texts."""
    place, first = tables["train"][0]
    found: dict[str, str] = {}
    for role, names in _COLUMNS.items():
        given = getattr(settings, role)
        column = given or next((n for n in names if n in first), None)
        if role == "text_a" and not given and column == "text_b":
            column = None
        if column is None and role == "text_b":
            continue
        if column is None or column not in first:
            wanted = given or f"{role} (looked for {', '.join(names)})"
            flag = f"--{role.replace('_', '-')}"
            raise DataError(
                f"there is no column {wanted}; the columns are {', '.join(map(str, first))}",
                where=place.partition(", ")[0],
                remedy=f"name it with {flag}",
            )
        found[role] = column
    for split, table in tables.items():
        for role, column in found.items():
            if column not in table[0][1]:
                raise DataError(
                    f"there is no column {column} ({role}) in the {split} split",
                    where=table[0][0].partition(", ")[0],
                    remedy="use the same columns in every split",
                )
    return found


def _texts(place: str, row: Row, columns: dict[str, str]) -> tuple[str, str | None]:
    second = columns.get("text_b")
    return _text(place, row, columns["text_a"]), _text(place, row, second) if second else None


def _text(place: str, row: Row, column: str) -> str:
    value = row.get(column)
    if not isinstance(value, str) or not value.strip():
        wrong = "not a string" if value is not None and not isinstance(value, str) else "empty"
        raise DataError(f"the text in column {column} is {wrong}", where=place, remedy="fill it in or remove the row")
    return value


def _label(place: str, row: Row, column: str) -> str:
    value = row.get(column)
    if value is None or str(value).strip() == "":
        raise DataError(f"the label in column {column} is empty", where=place, remedy="fill it in or remove the row")
    return str(value).strip()


def _kind(settings: DataSection, *, pair: bool, labels: list[str]) -> Kind:
    if settings.kind != "auto":
        if settings.kind.startswith("pair") != pair:
            raise DataError(
                f"kind is {settings.kind} but the data has {'two text columns' if pair else 'one text column'}",
                where=settings.source,
                remedy="change --kind, or name the second text column with --text-b",
            )
        return settings.kind
    # Fractions are scores; whole numbers are far more often class codes than ratings.
    numbers = [_as_number(label) for label in labels]
    scores = all(n is not None for n in numbers) and any(n != int(n) for n in numbers if n is not None)
    return ("pair_" if pair else "") + "regression" if scores else ("pair" if pair else "classification")  # type: ignore[return-value]


def _as_number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _number(place: str, label: str) -> float:
    number = _as_number(label)
    if number is None:
        raise DataError(
            f"the label '{label}' is not a number, and this is a regression",
            where=place,
            remedy="correct it, or set --kind",
        )
    return number


def _classes(
    raw: dict[str, list[str]], tables: dict[str, Table], unseen: str
) -> tuple[tuple[str, ...], dict[str, list[int]]]:
    known = set(raw["train"])
    if len(known) < 2:
        raise DataError(
            f"training has a single label ({', '.join(known)})",
            where=tables["train"][0][0].partition(", ")[0],
            remedy="a classifier needs two",
        )
    for split, column in raw.items():
        strange = next((i for i, label in enumerate(column) if label not in known), None)
        if strange is not None and unseen == "refuse":
            raise DataError(
                f"the label '{column[strange]}' never occurs in training",
                where=tables[split][strange][0],
                remedy="correct it, or count such rows as wrong with --set data.unseen_labels=count_wrong",
            )
    numeric = all(_as_number(label) is not None for label in known)
    names = sorted(known, key=float) if numeric else sorted(known)
    names += sorted({label for column in raw.values() for label in column} - known)
    index = {label: i for i, label in enumerate(names)}
    return tuple(names), {split: [index[label] for label in column] for split, column in raw.items()}
