"""From rows to examples: which kind of task the data has, and what is wrong with a row."""

import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from compress.data.classes import (
    as_list,
    check_classes,
    class_indices,
    label_of,
    label_sets,
    number_of,
    one_spelling,
    scores_of,
)
from compress.data.columns import Columns, find_columns
from compress.data.files import LINE
from compress.data.reading import Reading, Row, Table
from compress.data.splits import Splits
from compress.data.task import OUTSIDE, Answer, Example, Kind
from compress.data.word_labels import WORDS, tagged
from compress.errors import DataError
from compress.recipe.sections import DataSection

_QUESTION, _PASSAGE, _ANSWERS = "question", "context", "answers"
_NO_ANSWER = "is_impossible"  # SQuAD v2.0's mark of a question that its passage does not answer
Found = tuple[Kind, tuple[str, ...], Splits]  # kind, labels, splits
Text = tuple[str, str | None]
_JOINED_BY = ("|", ";", ",")  # between the labels of one cell
_NO_TEXT = {"nan", "none", "null", "n/a", "#n/a"}  # what other programs write into an empty cell


def examples_of(settings: DataSection, tables: dict[str, Table], reading: Reading) -> Found:
    """(kind, labels, examples of each split) of checked rows. Raises DataError with the place at fault."""
    kind = settings.kind if settings.kind != "auto" else _kind_of(tables["train"][0][1])
    readers: dict[str | None, Callable[[DataSection, dict[str, Table], Reading], Found]] = {
        "tokens": _words,
        "qa": _questions,
        "mlm": _plain,
    }
    found = readers.get(kind, _sentences)(settings, tables, reading)
    for split, table in tables.items():
        if not found[2][split]:
            raise DataError(
                f"no row of the {split} split can be used", where=table[0][0].partition(", ")[0], remedy="correct it"
            )
    return found


def _kind_of(row: Row) -> Kind | None:
    """The kind that follows from a row's columns; None: texts with labels, and the labels decide which kind."""
    if any(isinstance(row.get(name), list) for name in WORDS):
        return "tokens"
    if {_QUESTION, _PASSAGE, _ANSWERS} <= row.keys():
        return "qa"
    return "mlm" if LINE in row else None


def _words(settings: DataSection, tables: dict[str, Table], reading: Reading) -> Found:
    """Words with a label each: B-x and I-x for entities, O outside."""
    given = tagged(tables, reading)
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
    return "tokens", names, splits


def _questions(settings: DataSection, tables: dict[str, Table], reading: Reading) -> Found:
    """Questions about passages; a training answer whose place is a guess ("start_unique": false) is left out."""

    def certain(place: str, row: Row) -> tuple[Example, bool]:
        return _question(place, row), all(a.get("start_unique", True) for a in _answers(place, row))

    read = {split: [found for _, found in reading.each(table, certain)] for split, table in tables.items()}
    if unsure := sum(not sure for _, sure in read["train"]):
        reading.note(f"{unsure:,} training questions are left out: the places of their answers are a guess")
    read["train"] = [(example, sure) for example, sure in read["train"] if sure]
    if read["train"] and not any(example.answers for example, _ in read["train"]):
        raise DataError(
            "no training question has an answer",
            where=tables["train"][0][0].partition(", ")[0],
            remedy="give questions with answers, too",
        )
    return "qa", (), {split: [example for example, _ in rows] for split, rows in read.items()}


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
    if (marked := row.get(_NO_ANSWER)) is not None and bool(marked) == bool(answers):
        raise DataError(
            f"{_NO_ANSWER} is {marked}, but the question has {len(answers) or 'no'} answer{'s'[: len(answers) != 1]}",
            where=place,
            remedy=f"correct {_NO_ANSWER} or the answers; a question without an answer has an empty list of them",
        )
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


def _plain(settings: DataSection, tables: dict[str, Table], reading: Reading) -> Found:
    """Lines of plain text, or the text column of a table."""
    first = tables["train"][0][1]
    column = LINE if LINE in first else find_columns(settings, tables, reading, labeled=False).text_a

    def read(place: str, row: Row) -> Example:
        return Example(_text(place, row, column), None, None)

    return "mlm", (), {s: [example for _, example in reading.each(table, read)] for s, table in tables.items()}


def _sentences(settings: DataSection, tables: dict[str, Table], reading: Reading) -> Found:
    """One text, or a pair, with a class, a number, or several labels."""
    columns = find_columns(settings, tables, reading)
    pair = columns.text_b is not None
    if settings.kind not in ("auto", "multilabel") and settings.kind.startswith("pair") != pair:
        raise DataError(
            f"kind is {settings.kind} but the data has {'two text columns' if pair else 'one text column'}",
            where=settings.source,
            remedy="change --kind, or name the second text column with --text-b",
        )
    if settings.kind == "multilabel" or (settings.kind == "auto" and _several(columns, tables["train"])):
        return _with_several_labels(columns, tables, reading)

    def read(place: str, row: Row) -> tuple[Text, str, str | None]:
        label = label_of(place, row.get(columns.labels[0]), columns.labels[0])
        return _texts(place, row, columns), label, str(row[columns.part]) if columns.part else None

    rows = {split: list(reading.each(table, read)) for split, table in tables.items()}
    if none := sum(texts[0].strip().lower() in _NO_TEXT for found in rows.values() for _, (texts, _, _) in found):
        reading.note(f"{none:,} texts say nan, none, null or n/a: if that stands for a missing text, remove these rows")
    raw = {split: [(place, label) for place, (_, label, _) in found] for split, found in rows.items()}
    classes = settings.kind in ("classification", "pair")
    if not classes and scores_of(raw, reading, expected=settings.kind.endswith("regression")):
        kind: Kind = "pair_regression" if pair else "regression"
        names: tuple[str, ...] = ()
        values: dict[str, Any] = {s: [number_of(label) for _, label in column] for s, column in raw.items()}
    else:
        kind = "pair" if pair else "classification"
        one_spelling(raw, reading)
        check_classes(raw, reading, sure=classes)
        names, values = class_indices(raw, settings.unseen_labels)
    splits = {
        split: [Example(*texts, value, part) for (_, (texts, _, part)), value in zip(found, values[split], strict=True)]
        for split, found in rows.items()
    }
    return kind, names, splits


def _several(columns: Columns, table: Table) -> bool:
    """Whether a text has several labels: columns of 0 and 1, lists, or names joined by "|" that recur."""
    if len(columns.labels) > 1:
        return True
    values = [row.get(columns.labels[0]) for _, row in table]
    return all(as_list(value) is not None for value in values) or bool(_mark(values))


def _mark(values: Sequence[Any]) -> str | None:
    """The sign that joins labels in some cells: parts recur, and there are fewer of them than different cells."""
    cells = {str(value) for value in values if value is not None and not isinstance(value, list)}
    for mark in _JOINED_BY:
        parts = Counter(part.strip() for cell in cells for part in cell.split(mark))
        joined = [part.strip() for cell in cells if mark in cell for part in cell.split(mark)]
        recur = mark == "|" or all(parts[part] > 1 and not part.isdecimal() for part in joined)  # 3,5 is a number
        if joined and len(parts) < len(cells) and recur:
            return mark
    return None


def _with_several_labels(columns: Columns, tables: dict[str, Table], reading: Reading) -> Found:
    """Texts with any number of labels each, none included."""
    if columns.text_b:
        raise DataError(
            f"a text with several labels can't be a pair ({columns.text_a} and {columns.text_b})",
            where=tables["train"][0][0].partition(", ")[0],
            remedy=f"take one text with --text-a {columns.text_a} --text-b none",
        )
    named = columns.labels if len(columns.labels) > 1 else None
    mark = _JOINED_BY[0] if named else _mark([row.get(columns.labels[0]) for _, row in tables["train"]])
    if mark not in (None, _JOINED_BY[0]):
        joined = f"labels are joined by {mark!r} in column {columns.labels[0]}"
        reading.note(f"{joined}; --kind classification takes each cell as one class")

    def read(place: str, row: Row) -> tuple[Text, list[Any]]:
        texts = _texts(place, row, columns)
        if named:
            return texts, [row.get(name) for name in named]
        value = row.get(columns.labels[0])
        return texts, found if (found := as_list(value)) is not None else str(value or "").split(mark or _JOINED_BY[0])

    rows = {split: list(reading.each(table, read)) for split, table in tables.items()}
    every = [(place, labels) for found in rows.values() for place, (_, labels) in found]
    sets = iter(label_sets(every, named))
    read_sets = {split: [next(sets) for _ in found] for split, found in rows.items()}
    shown = {name for labels in read_sets["train"] for name in labels}
    names = named or tuple(sorted(shown, key=int if all(map(str.isdecimal, shown)) else str))
    if len(names) < 2:
        raise DataError(
            f"training has {len(names)} labels ({', '.join(names) or 'none'})",
            where=tables["train"][0][0].partition(", ")[0],
            remedy="a task with several labels needs two",
        )
    for split, found in rows.items():
        for (place, _), labels in zip(found, read_sets[split], strict=True):
            if strange := next((name for name in labels if name not in names), None):
                raise DataError(f"the label '{strange}' never occurs in training", where=place, remedy="correct it")
    none = sum(not labels for labels in read_sets["train"])
    reading.note(
        f"a text has several labels: {len(names)} labels, "
        f"{sum(map(len, read_sets['train'])) / len(read_sets['train']):.2f} a training text; {none:,} have none"
    )
    splits = {
        split: [
            Example(*texts, tuple(int(name in labels) for name in names))
            for (_, (texts, _)), labels in zip(found, read_sets[split], strict=True)
        ]
        for split, found in rows.items()
    }
    return "multilabel", tuple(names), splits


def _texts(place: str, row: Row, columns: Columns) -> Text:
    return _text(place, row, columns.text_a), _text(place, row, columns.text_b) if columns.text_b else None


def _text(place: str, row: Row, column: str) -> str:
    value = row.get(column)
    if isinstance(value, str) and any(unicodedata.category(c)[0] not in "CZ" for c in value):
        return value
    if column not in row:
        raise DataError(f"this row has no column {column}", where=place, remedy="add it, or remove the row")
    if value is None or isinstance(value, str) or value != value:  # of blanks and signs that nobody sees, too
        raise DataError(f"the text in column {column} is empty", where=place, remedy="fill it in or remove the row")
    kind = "a list" if isinstance(value, list) else "an object" if isinstance(value, dict) else f"{value!r}"[:40]
    raise DataError(f"the text in column {column} is {kind}, not a string", where=place, remedy="write it as a string")
