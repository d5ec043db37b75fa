"""From a source (the bundled task, a folder, the Hub) to a checked `Task`."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from compress.data.augment import unlabeled
from compress.data.examples import Table, examples_of
from compress.data.files import SUFFIXES, Row, read_rows
from compress.data.near_duplicates import normalize
from compress.data.task import SPLITS, Example, Kind, Task
from compress.errors import DataError
from compress.files import fingerprint
from compress.recipe.sections import DataSection

BUNDLED = {"phone_commands": Path(__file__).parent / "phone_commands"}
UNLABELED = "unlabeled.txt"
_SPLIT_NAMES = {"train": ("train",), "dev": ("dev", "validation", "valid", "val"), "test": ("test",)}
_METRIC = {
    "classification": "accuracy",
    "pair": "accuracy",
    "regression": "pearson_spearman",
    "pair_regression": "pearson_spearman",
    "tokens": "entity_f1",
    "qa": "answer_f1",
    "mlm": "masked_accuracy",
}
_OF_CLASSES = ("f1", "macro_f1", "matthews")
_OTHER_METRICS = {"classification": _OF_CLASSES, "pair": _OF_CLASSES, "qa": ("exact_match",)}
_IMBALANCED = (
    10  # times as many training examples in the largest class as in the smallest: accuracy hides the small ones
)


def load_task(settings: DataSection, *, seed: int) -> Task:
    """Read, check and, where a split is missing, divide the data (seeded).

    Raises DataError with the file, line or column at fault.
    """
    if settings.source.startswith("hf:"):
        name, tables = _from_hub(settings.source.removeprefix("hf:"))
    else:
        folder = BUNDLED.get(settings.source, Path(settings.source))
        name, tables = folder.resolve().name, _from_folder(folder)
    kind, names, splits, notes = examples_of(settings, tables)
    notes += _complete_splits(splits, seed)
    notes += _limit(settings, splits, seed)
    notes += _repeated({s: splits[s] for s in ("dev", "test")}, splits["train"], "in training")
    metric: str = settings.metric
    if metric == "auto":
        metric, chosen = _usual_metric(kind, names, splits["train"])
        notes += chosen
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


def with_unlabeled(task: Task, settings: DataSection, given: str | None) -> Task:
    """The task with texts for a student to hear its teacher on.

    They are of the file `given`, or of unlabeled.txt in the data's folder where there is one and a text has one answer;
    "none" is without. Raises DataError for an unusable file.
    """
    own = BUNDLED.get(settings.source, Path(settings.source)) / UNLABELED
    if given == "none" or not (given or (task.of_sentences and own.is_file())):
        return task
    texts = unlabeled(Path(given) if given else own, pair=task.pair)
    notes = _repeated({"dev": task.dev, "test": task.test}, texts, "among the unlabeled ones")
    return replace(task, unlabeled=tuple(texts), notes=(*task.notes, *notes))


def _from_folder(folder: Path) -> dict[str, Table]:
    if not folder.is_dir():
        raise DataError(
            "there is no such folder",
            where=str(folder),
            remedy=f"give a folder with train{{{','.join(SUFFIXES)}}} and dev, hf:NAME, or {', '.join(BUNDLED)}",
        )
    tables = {}
    for split, names in _SPLIT_NAMES.items():
        files = list(_files(folder, names))
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


def _files(folder: Path, names: tuple[str, ...]) -> Iterator[Path]:
    """A split's files: train.tsv or train.tsv.gz, and of SQuAD's JSON train-v1.1.json too."""
    for name in names:
        plain = (f"{name}{suffix}{packed}" for suffix in SUFFIXES for packed in ("", ".gz"))
        yield from (file for each in plain if (file := folder / each).is_file())
        yield from sorted(file for packed in ("", ".gz") for file in folder.glob(f"{name}-*.json{packed}"))


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


def _named_labels(split: Any) -> list[Row]:
    """Rows of a `datasets.Dataset` with class indices replaced by their names."""
    rows = list(split)
    for column, feature in split.features.items():
        if hasattr(feature, "int2str"):
            rows = [{**r, column: feature.int2str(r[column]) if r[column] not in (None, -1) else -1} for r in rows]
        elif (each := getattr(feature, "feature", None)) is not None and hasattr(each, "int2str"):
            rows = [{**r, column: each.int2str(r[column])} for r in rows]
    return rows


def _complete_splits(splits: dict[str, list[Example]], seed: int) -> list[str]:
    """Make the splits that are missing, in place. Returns what was done, as sentences for the report."""
    notes = []
    if "dev" not in splits and "test" in splits:
        splits["train"], splits["dev"] = _divide(splits["train"], 0.1, seed, keep=1)
        notes.append(f"there was no dev split: {len(splits['dev']):,} training examples were set aside (seed {seed})")
    elif "dev" not in splits:
        splits["train"], rest = _divide(splits["train"], 0.2, seed, keep=1)
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


def _divide(examples: list[Example], share: float, seed: int, *, keep: int = 0) -> tuple[list[Example], list[Example]]:
    """Two parts in the original order, the second of about `share`, drawn label by label.

    At least `keep` examples of each label stay in the first part.
    """
    rng, chosen = random.Random(seed), set()
    by_label: dict[int | float | None, list[int]] = {}
    for i, example in enumerate(examples):
        by_label.setdefault(example.label if isinstance(example.label, int) else None, []).append(i)
    counts = _apportioned([len(members) for members in by_label.values()], share, keep)
    for members, count in zip(by_label.values(), counts, strict=True):
        rng.shuffle(members)
        chosen.update(members[:count])
    if not chosen and len(examples) > 1:
        chosen = {rng.randrange(len(examples))}
    return [e for i, e in enumerate(examples) if i not in chosen], [e for i, e in enumerate(examples) if i in chosen]


def _apportioned(sizes: Sequence[int], share: float, keep: int) -> list[int]:
    """How many of each label's examples are about `share` of all."""
    wanted, rounded = round(sum(sizes) * share), [round(size * share) for size in sizes]
    if abs(sum(rounded) - wanted) <= 1:  # with few labels; published results were made on such divisions
        return rounded
    counts = [int(size * share) for size in sizes]  # the method of largest remainders
    able = [i for i, size in enumerate(sizes) if size - counts[i] > keep]
    for i in sorted(able, key=lambda i: counts[i] - sizes[i] * share)[: wanted - sum(counts)]:
        counts[i] += 1
    return counts


def _limit(settings: DataSection, splits: dict[str, list[Example]], seed: int) -> list[str]:
    """Keep, in place, no more examples than the recipe allows. Returns what was done, as sentences for the report."""
    limits = {"train": settings.train_limit, "dev": settings.eval_limit, "test": settings.eval_limit}
    verbs = {"train": "training uses", "dev": "dev is", "test": "test is"}
    notes = []
    for split, limit in limits.items():
        if limit and limit < len(splits[split]):
            key = "train_limit" if split == "train" else "eval_limit"
            notes.append(f"{verbs[split]} {limit:,} of {len(splits[split]):,} examples (data.{key})")
            splits[split] = random.Random(seed).sample(splits[split], limit)
    return notes


def _repeated(splits: dict[str, Sequence[Example]], others: Sequence[Example], where: str) -> list[str]:
    """Sentences on texts of `splits` that are also among `others`, after normalizing."""

    def key(example: Example) -> tuple[str, str]:
        return normalize(example.text_a), normalize(example.text_b or "")

    seen, notes = {key(e) for e in others}, []
    for split, examples in splits.items():
        again = sum(key(e) in seen for e in examples)
        if again:
            notes.append(f"{again:,} of {len(examples):,} {split} texts are also {where}: their scores flatter")
    return notes


def _usual_metric(kind: Kind, names: tuple[str, ...], train: Sequence[Example]) -> tuple[str, list[str]]:
    """The metric of a task that names none, and a note where its classes' sizes decided."""
    if _METRIC[kind] != "accuracy" or not train:
        return _METRIC[kind], []
    sizes = Counter(e.class_index for e in train).most_common()
    (largest, most), (smallest, least) = sizes[0], sizes[-1]
    if most <= _IMBALANCED * least:
        return "accuracy", []
    note = (
        f"the metric is macro F1, the mean over the labels, because their training examples are very unequal: {most:,} "
        f"of {names[largest]} and {least:,} of {names[smallest]}; --metric accuracy counts every text alike"
    )
    return "macro_f1", [note]


def _check_metric(metric: str, kind: Kind, names: tuple[str, ...]) -> None:
    if metric not in (_METRIC[kind], *_OTHER_METRICS.get(kind, ())):
        raise DataError(
            f"the metric {metric} does not fit a task of kind {kind}", where="data.metric", remedy="use --metric auto"
        )
    if metric == "f1" and len(names) != 2:
        raise DataError(
            f"f1 needs two labels and there are {len(names)}", where="data.metric", remedy="use accuracy or matthews"
        )
