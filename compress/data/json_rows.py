"""Rows of JSON: an array of objects, JSON lines, columns as lists, rows by key, or SQuAD's nesting."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from compress.data.columns import is_header
from compress.data.decoding import read_text
from compress.data.reading import Reading, Row
from compress.errors import DataError

_HALF = re.compile("[\ud800-\udfff]")  # half of a UTF-16 pair, which is no character


def read_jsonl(file: Path, reading: Reading) -> Iterator[tuple[str, Row]]:
    yield from _json_lines(read_text(file), file, reading)


def _json_lines(text: str, file: Path, reading: Reading) -> Iterator[tuple[str, Row]]:
    def row_of(place: str, line: str) -> Callable[[], Row]:
        def read() -> Row:
            try:
                return _object(json.loads(line), place, reading)
            except json.JSONDecodeError as error:
                raise DataError(
                    f"this is not JSON ({error.msg})", where=place, remedy="write one JSON object a line"
                ) from error
            except RecursionError as error:
                raise DataError("this JSON is nested too deep", where=place, remedy="write flat rows") from error

        return read

    places = ((f"{file}, line {n}", line) for n, line in enumerate(text.split("\n"), 1) if line.strip())
    yield from reading.usable((place, row_of(place, line)) for place, line in places)


def _object(row: object, place: str, reading: Reading) -> Row:
    if not isinstance(row, dict):
        raise DataError("this is not a JSON object", where=place, remedy='write {"label": ..., "text": ...}')
    whole = _whole_characters(row)
    if whole != row:
        reading.note(f"{place}: half a character (a lone surrogate) was read as U+FFFD; other places may have more")
    return {str(name).strip(): value for name, value in whole.items()}


def _whole_characters(value: Any) -> Any:
    """The same with U+FFFD for halves of UTF-16 pairs, which JSON can escape and no tokenizer can read."""
    if isinstance(value, str):
        return _HALF.sub("\ufffd", value)
    if isinstance(value, list):
        return [_whole_characters(each) for each in value]
    if isinstance(value, dict):
        return {_whole_characters(name): _whole_characters(each) for name, each in value.items()}
    return value


def read_json(file: Path, reading: Reading) -> Iterator[tuple[str, Row]]:
    """An array of objects, alone or under one key; JSON lines; or SQuAD's nesting."""
    text = read_text(file)
    try:
        content = json.loads(text)
    except RecursionError as error:
        raise DataError("this JSON is nested too deep", where=str(file), remedy="write an array of objects") from error
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and error.lineno > 1:  # a whole object before it: one a line
            yield from _json_lines(text, file, reading)
            return
        raise DataError(
            f"this is not JSON ({error.msg})", where=f"{file}, line {error.lineno}", remedy="correct it"
        ) from error
    if isinstance(content, dict) and len(content) == 1 and not _nested(content):
        content = next(iter(content.values()))  # such as {"data": [{...}, ...]}
    if isinstance(content, dict) and not isinstance(content.get("data"), list):
        content = _rows_of(content, file)
    if isinstance(content, list):
        numbered = ((f"{file}, object {number}", row) for number, row in enumerate(content, 1))
        yield from reading.usable((place, lambda p=place, r=row: _object(r, p, reading)) for place, row in numbered)  # type: ignore[misc]
    else:
        yield from _squad(content, file, reading)


def _rows_of(content: dict[str, Any], file: Path) -> Any:
    """The rows of an object: of columns as lists, of columns or rows by key (pandas' forms), or of itself alone.

    Raises DataError where it has splits.
    """
    values = list(content.values())
    lists = len(values) > 1 and all(isinstance(v, list) for v in values) and len({len(v) for v in values}) == 1
    if lists and not any(isinstance(each, dict) for each in values[0]):
        return [dict(zip(content, row, strict=True)) for row in zip(*values, strict=True)]
    if len(values) > 1 and all(isinstance(v, dict) for v in values):
        if is_header(content):
            return [{name: content[name].get(key) for name in content} for key in values[0]]
        return values
    if {"train", "test"} & {name.lower() for name in content}:
        raise DataError(
            f"the file has several splits ({', '.join(content)})",
            where=str(file),
            remedy="write a file for each, such as train.json and test.json, and give their folder",
        )
    return [content] if "label" in content else content


def _nested(content: dict[str, Any]) -> bool:
    """Whether this is SQuAD's nesting."""
    articles = content.get("data")
    return isinstance(articles, list) and any(isinstance(a, dict) and "paragraphs" in a for a in articles)


def _squad(content: Any, file: Path, reading: Reading) -> Iterator[tuple[str, Row]]:
    """The nesting of articles, paragraphs and questions of SQuAD v1.1 and v2.0."""
    try:
        for number, article in enumerate(content["data"], 1):
            for paragraph in article["paragraphs"]:
                for question in paragraph["qas"]:
                    answers = [{"start": a.get("answer_start"), **a} for a in question["answers"]]
                    row = {"question": question["question"], "context": paragraph["context"], "answers": answers}
                    row |= {key: question[key] for key in ("is_impossible",) if key in question}
                    place = f"{file}, article {number}, question {question.get('id', '?')}"
                    yield place, _object(row, place, reading)
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(
            "this is neither an array of objects nor SQuAD's JSON",
            where=str(file),
            remedy='write [{"label": ..., "text": ...}, ...], or {"data": [{"paragraphs": [{"context", "qas": '
            '[{"question", "answers"}]}]}]}',
        ) from error
