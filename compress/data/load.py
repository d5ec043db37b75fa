"""From a source to a checked `Task`: files are read, columns and labels interpreted, missing splits made."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from compress.data.augment import unlabeled
from compress.data.embeddings import is_search, load_embedding
from compress.data.examples import examples_of
from compress.data.reading import Reading
from compress.data.sources import BUNDLED, TEXTS_OF, UNLABELED, tables_of
from compress.data.splits import complete, in_folds, limit, repeated
from compress.data.task import SPLITS, Example, Kind, Task
from compress.errors import DataError
from compress.files import fingerprint
from compress.recipe.sections import DataSection

_METRIC = {
    "classification": "accuracy",
    "pair": "accuracy",
    "regression": "pearson_spearman",
    "pair_regression": "pearson_spearman",
    "multilabel": "micro_f1",
    "tokens": "entity_f1",
    "qa": "answer_f1",
    "mlm": "masked_accuracy",
}
_OF_CLASSES = ("f1", "macro_f1", "matthews")
_OTHER_METRICS = {
    "classification": _OF_CLASSES,
    "pair": _OF_CLASSES,
    "multilabel": ("macro_f1", "mean_average_precision", "exact_match"),
    "qa": ("exact_match",),
}
# times as many training examples in the largest class as in the smallest: accuracy hides the small ones
_IMBALANCED = 10


def load_task(settings: DataSection, *, seed: int) -> Task:
    """Read, check and, where a split is missing, divide the data (seeded).

    Raises DataError with the file, line or column at fault.
    """
    if settings.kind == "embedding" or (settings.kind == "auto" and is_search(settings.source)):
        if settings.fold:
            raise DataError("texts for vectors are not divided into folds", where="data.fold", remedy="leave it out")
        return load_embedding(settings, seed=seed)
    reading = Reading(settings.skip_bad_rows)
    name, tables = tables_of(settings.source, reading)
    kind, names, splits = examples_of(settings, tables, reading)
    given = {name: len(rows) for name, rows in splits.items()}
    folds = [in_folds(splits, *settings.fold_of, seed)] if settings.fold_of else []
    notes = [*reading.all_notes(), *folds, *complete(splits, seed), *limit(settings, splits, seed)]
    if not all(splits[s] for s in SPLITS):
        remedy = "add examples, or give the missing splits"
        raise DataError(_too_few(given, splits), where=settings.source, remedy=remedy)
    notes += repeated({s: splits[s] for s in ("dev", "test")}, splits["train"], "in training")
    notes += repeated({"test": splits["test"]}, splits["dev"], "in dev", "thresholds and choices know them")
    if kind not in _METRIC:
        raise DataError("a text has several labels", where=settings.source, remedy="give every text one label")
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
        train=tuple(splits["train"]),
        dev=tuple(splits["dev"]),
        test=tuple(splits["test"]),
        fingerprint=fingerprint(kind, names, {s: [(e.text_a, e.text_b, e.label) for e in splits[s]] for s in SPLITS}),
        notes=tuple(notes),
    )


def _too_few(given: dict[str, int], splits: dict[str, list[Example]]) -> str:
    """Why a split has nothing, from the sizes of the given splits."""
    divided = next(s for s in ("dev", "train") if s in given) if "test" not in given else "train"
    texts = {(e.text_a, e.text_b) for rows in splits.values() for e in rows}
    if len(texts) == 1:
        return "all examples have the same text, so they can't be divided"
    into = {"dev": "dev and test"}.get(divided, "training, dev and test")
    kind, count = {"train": "training"}.get(divided, divided), given[divided]
    return f"{count:,} {kind} {'example is' if count == 1 else 'examples are'} too few to be divided into {into}"


def with_unlabeled(task: Task, settings: DataSection, given: str | None) -> Task:
    """The task with texts without labels, on which a student learns its teacher's outputs.

    They are of the file `given`, or of unlabeled.txt in the data's folder where there is one and a text has one output;
    "none" means no such texts. The bundled search has those of the bundled commands. Raises DataError for an unusable
    file.
    """
    if given is None and settings.source in TEXTS_OF:
        return _with_texts_of(task, TEXTS_OF[settings.source])
    own = BUNDLED.get(settings.source, Path(settings.source)) / UNLABELED
    if given == "none" or not (given or (task.one_output and own.is_file())):
        return task
    texts = unlabeled(Path(given) if given else own, pair=task.pair)
    notes = repeated({"dev": task.dev, "test": task.test}, texts, "among the unlabeled ones")
    return replace(task, unlabeled=tuple(texts), notes=(*task.notes, *notes))


def _with_texts_of(task: Task, other: str) -> Task:
    """The task with all training texts of another bundled one as its unlabeled texts."""
    commands = load_task(DataSection(source=other), seed=0)
    texts = [Example(e.text_a, None, None) for e in commands.train] + unlabeled(BUNDLED[other] / UNLABELED, pair=False)
    note = f"{len(texts):,} texts of {other} serve for distillation, too (--unlabeled none: without)"
    return replace(task, unlabeled=tuple(texts), notes=(*task.notes, note))


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
