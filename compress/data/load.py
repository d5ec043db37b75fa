"""From a source (the bundled task, a folder, the Hub) to a checked `Task`."""

import math
import random
from collections import Counter
from pathlib import Path

from compress.data.files import SUFFIXES, Row, read_rows
from compress.data.near_duplicates import normalise
from compress.data.task import SPLITS, Example, Kind, Task
from compress.errors import DataError
from compress.recipe import DataSection
from compress.run_dir import fingerprint

BUNDLED = {"phone_commands": Path(__file__).parent / "phone_commands"}
_SPLIT_NAMES = {"train": ("train",), "dev": ("dev", "validation", "valid", "val"), "test": ("test",)}
_COLUMNS = {  # names by which a column is found when the recipe gives none
    "label": ("label", "labels", "score", "intent", "class"),
    "text_a": ("text", "text_a", "sentence", "sentence1", "premise", "question1", "question", "utterance"),
    "text_b": ("text_b", "sentence2", "hypothesis", "question2"),
}
_METRIC = {
    "classification": "accuracy",
    "pair": "accuracy",
    "regression": "pearson_spearman",
    "pair_regression": "pearson_spearman",
}
Table = list[tuple[str, Row]]


def load_task(settings: DataSection, *, seed: int) -> Task:
    """Read, check and, where a split is missing, divide the data (seeded).

    Raises DataError with the file, line or column at fault.
    """
    if settings.source.startswith("hf:"):
        name, tables = _from_hub(settings.source.removeprefix("hf:"))
    else:
        folder = BUNDLED.get(settings.source, Path(settings.source))
        name, tables = folder.resolve().name, _from_folder(folder)
    columns = _find_columns(settings, tables)
    texts = {split: [_texts(place, row, columns) for place, row in table] for split, table in tables.items()}
    raw = {split: [_label(place, row, columns["label"]) for place, row in table] for split, table in tables.items()}
    kind = _kind(settings, pair=columns["text_b"] is not None, labels=raw["train"])
    if kind.endswith("regression"):
        names: tuple[str, ...] = ()
        values = {s: [_number(tables[s][i][0], v) for i, v in enumerate(column)] for s, column in raw.items()}
    else:
        names, values = _classes(raw, tables, settings.unseen_labels)
    splits = {s: [Example(*t, v) for t, v in zip(texts[s], values[s], strict=True)] for s in tables}
    notes = _complete_splits(splits, seed)
    if settings.train_limit and settings.train_limit < len(splits["train"]):
        notes.append(f"training uses {settings.train_limit:,} of {len(splits['train']):,} examples (data.train_limit)")
        splits["train"] = random.Random(seed).sample(splits["train"], settings.train_limit)
    notes += _leaks(splits)
    metric = settings.metric if settings.metric != "auto" else _METRIC[kind]
    _check_metric(metric, kind, names)
    return Task(
        name=name,
        kind=kind,
        metric=metric,
        labels=names,
        **{s: tuple(splits[s]) for s in SPLITS},
        fingerprint=fingerprint(kind, names, {s: [(e.text_a, e.text_b, e.label) for e in splits[s]] for s in SPLITS}),
        notes=tuple(notes),
    )


def _from_folder(folder: Path) -> dict[str, Table]:
    if not folder.is_dir():
        raise DataError(
            "there is no such folder",
            where=str(folder),
            remedy=f"give a folder with train{{{','.join(SUFFIXES)}}} and dev, hf:NAME, or {', '.join(BUNDLED)}",
        )
    tables = {}
    for split, names in _SPLIT_NAMES.items():
        files = [f for name in names for suffix in SUFFIXES if (f := folder / f"{name}{suffix}").is_file()]
        if len(files) > 1:
            raise DataError(
                f"two files for the {split} split ({files[0].name}, {files[1].name})",
                where=str(folder),
                remedy="keep one",
            )
        if files:
            tables[split] = read_rows(files[0])
    if "train" not in tables:
        raise DataError(
            "there is no training file", where=str(folder), remedy=f"name it train with one of {', '.join(SUFFIXES)}"
        )
    return tables


def _from_hub(name: str) -> tuple[str, dict[str, Table]]:
    import datasets

    path, _, config = name.partition(":")
    try:
        loaded = datasets.load_dataset(path, config or None)
    except Exception as error:  # the Hub client raises many unrelated types
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(
            f"the Hub data set can't be loaded ({first})", where=f"hf:{name}", remedy="check the name and the network"
        ) from error
    tables = {}
    for split, names in _SPLIT_NAMES.items():
        found = next((n for n in names if n in loaded), None)
        if found:
            tables[split] = [
                (f"hf:{name} {found} row {i}", row) for i, row in enumerate(_named_labels(loaded[found]), 1)
            ]
    if "train" not in tables:
        raise DataError(
            f"there is no train split (it has {', '.join(loaded)})", where=f"hf:{name}", remedy="use another data set"
        )
    if all(row.get("label") == -1 for _, row in tables.get("test", [])):
        tables.pop("test", None)  # GLUE hides its test labels
    return path.rsplit("/", 1)[-1] + (f"_{config}" if config else ""), tables


def _named_labels(split: "object") -> list[Row]:
    """Rows of a `datasets.Dataset` with class indices replaced by their names."""
    rows = list(split)
    for column, feature in split.features.items():
        if hasattr(feature, "int2str"):
            rows = [{**r, column: feature.int2str(r[column]) if r[column] not in (None, -1) else -1} for r in rows]
    return rows


def _find_columns(settings: DataSection, tables: dict[str, Table]) -> dict[str, str | None]:
    place, first = tables["train"][0]
    found = {}
    for role, names in _COLUMNS.items():
        given = getattr(settings, role)
        column = given or next((n for n in names if n in first), None)
        if role == "text_a" and not given and column == "text_b":
            column = None
        if column is None and role == "text_b":
            found[role] = None
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
            if column is not None and column not in table[0][1]:
                raise DataError(
                    f"there is no column {column} ({role}) in the {split} split",
                    where=table[0][0].partition(", ")[0],
                    remedy="use the same columns in every split",
                )
    return found


def _texts(place: str, row: Row, columns: dict[str, str | None]) -> tuple[str, str | None]:
    return _text(place, row, columns["text_a"]), _text(place, row, columns["text_b"]) if columns["text_b"] else None


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
    scores = all(n is not None for n in numbers) and any(n != int(n) for n in numbers)
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
            remedy="mend it, or set --kind",
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
                remedy="mend it, or count such rows as wrong with --set data.unseen_labels=count_wrong",
            )
    numeric = all(_as_number(label) is not None for label in known)
    names = sorted(known, key=float) if numeric else sorted(known)
    names += sorted({label for column in raw.values() for label in column} - known)
    index = {label: i for i, label in enumerate(names)}
    return tuple(names), {split: [index[label] for label in column] for split, column in raw.items()}


def _complete_splits(splits: dict[str, list[Example]], seed: int) -> list[str]:
    """Make the splits that are missing, in place. Returns what was done, as sentences for the report."""
    notes = []
    if "dev" not in splits and "test" in splits:
        splits["train"], splits["dev"] = _divide(splits["train"], 0.1, seed)
        notes.append(f"there was no dev split: {len(splits['dev']):,} training examples were set aside (seed {seed})")
    elif "dev" not in splits:
        splits["train"], rest = _divide(splits["train"], 0.2, seed)
        splits["dev"], splits["test"] = _divide(rest, 0.5, seed)
        notes.append(
            f"there was only a training file: {len(splits['dev']):,} dev and {len(splits['test']):,} test examples "
            f"were set aside (seed {seed})"
        )
    elif "test" not in splits:
        splits["dev"], splits["test"] = _divide(splits["dev"], 0.5, seed)
        notes.append(
            f"there was no test split: dev was divided into {len(splits['dev']):,} dev and "
            f"{len(splits['test']):,} test examples (seed {seed})"
        )
    return notes


def _divide(examples: list[Example], share: float, seed: int) -> tuple[list[Example], list[Example]]:
    """Two parts in the original order, the second of about `share`, drawn label by label."""
    rng, chosen = random.Random(seed), set()
    by_label: dict[int | float | None, list[int]] = {}
    for i, example in enumerate(examples):
        by_label.setdefault(example.label if isinstance(example.label, int) else None, []).append(i)
    for members in by_label.values():
        rng.shuffle(members)
        chosen.update(members[: round(len(members) * share)])
    if not chosen and len(examples) > 1:
        chosen = {rng.randrange(len(examples))}
    return [e for i, e in enumerate(examples) if i not in chosen], [e for i, e in enumerate(examples) if i in chosen]


def _leaks(splits: dict[str, list[Example]]) -> list[str]:
    """Sentences on texts that are in training and again in an evaluation split, after normalising."""

    def key(example: Example) -> tuple[str, str]:
        return normalise(example.text_a), normalise(example.text_b or "")

    seen, notes = {key(e) for e in splits["train"]}, []
    for split in ("dev", "test"):
        again = sum(key(e) in seen for e in splits[split])
        if again:
            notes.append(
                f"{again:,} of {len(splits[split]):,} {split} texts are also in training: their scores flatter"
            )
    return notes


def _check_metric(metric: str, kind: Kind, names: tuple[str, ...]) -> None:
    if (metric == "pearson_spearman") != kind.endswith("regression"):
        raise DataError(
            f"the metric {metric} does not fit a task of kind {kind}", where="data.metric", remedy="use --metric auto"
        )
    if metric == "f1" and len(names) != 2:
        raise DataError(
            f"f1 needs two labels and there are {len(names)}", where="data.metric", remedy="use accuracy or matthews"
        )


def label_counts(task: Task) -> dict[str, Counter]:
    """How often each label occurs in each split (empty for regressions)."""
    return {s: Counter(task.labels[e.label] for e in task.split(s)) for s in SPLITS} if task.labels else {}
