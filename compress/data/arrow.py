"""Names for class numbers, as `datasets` stores them with a table: in Parquet, on disk and on the Hub."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from compress.data.reading import Row

HIDDEN = -1  # `datasets` has it where a label is kept secret


def named_labels(rows: Iterable[Row], metadata: Mapping[bytes, bytes] | None) -> Iterator[Row]:
    """The rows of an Arrow table; class numbers are replaced by the names that the schema's metadata has."""
    names = _class_names(metadata or {})
    for row in rows:
        named = {column: _named(row.get(column), known) for column, known in names.items()}
        yield {str(name).strip(): value for name, value in (row | named).items()}


def _named(value: Any, names: list[str]) -> Any:
    if isinstance(value, list):
        return [_named(each, names) for each in value]
    return names[value] if isinstance(value, int) and 0 <= value < len(names) else value


def _class_names(metadata: Mapping[bytes, bytes]) -> dict[str, list[str]]:
    """Column → its classes' names, of the columns that are of `datasets`' type ClassLabel, or lists of it."""
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
        found = {column: _names_of(feature) for column, feature in features.items()}
    except (KeyError, ValueError, TypeError, AttributeError):
        return {}
    return {column: names for column, names in found.items() if names}


def _names_of(feature: Any) -> list[str] | None:
    """A ClassLabel's names; those of the ClassLabel inside a list's type, in either of its spellings."""
    if isinstance(feature, list):
        return _names_of(feature[0]) if feature else None
    if not isinstance(feature, dict):
        return None
    if feature.get("_type") == "ClassLabel":
        return [str(name) for name in feature["names"]]
    return _names_of(feature.get("feature"))
