"""Tasks of text vectors (kind `embedding`): plain texts, scored pairs, queries with passages, and a corpus to search.

What dev and test measure follows from the data: the order of scored pairs by similarity, how well queries find their
passages, or, of plain texts, whether each keeps its nearest neighbors.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from compress.data.classes import as_list, number_of
from compress.data.columns import Columns, find_columns
from compress.data.files import LINE
from compress.data.reading import Reading, Row, Table
from compress.data.retrieval import corpus_files, searched_corpus
from compress.data.sources import BUNDLED, tables_of
from compress.data.splits import Splits, complete, limit, repeated
from compress.data.task import SPLITS, Example, Relevant, Task
from compress.errors import DataError
from compress.files import fingerprint
from compress.recipe.sections import DataSection

METRICS = {
    "pairs": ("spearman",),
    "search": ("ndcg_at_10", "recall_at_1", "recall_at_10", "mrr"),
    "neighbors": ("neighbors_kept",),
}
_SCORES = ("score", "similarity", "label", "similarity_score", "relatedness")
_NEGATIVES = ("negatives", "negative", "hard_negatives", "hard_negative")
_MOST_TEXTS = 1000  # dev and test texts of which neighbors are searched: each of three programs runs on all of them


def is_search(source: str) -> bool:
    """Whether a source is a folder with a corpus, queries and their relevant passages."""
    return len(corpus_files(_path(source))) == 3


def load_embedding(settings: DataSection, *, seed: int) -> Task:
    """Read and check the data of a task of text vectors; missing splits are made (seeded).

    Raises DataError with the file, line or column at fault.
    """
    reading, notes = Reading(settings.skip_bad_rows), []
    if is_search(settings.source):
        name = _path(settings.source).resolve().name
        splits, corpus = searched_corpus(_path(settings.source), reading, seed)
        notes = [*reading.all_notes(), *limit(settings, splits, seed)]
    else:
        name, tables = tables_of(settings.source, reading)
        splits = _examples_of(settings, tables, reading)
        notes = [*reading.all_notes(), *complete(splits, seed), *limit(settings, splits, seed)]
        splits, corpus = _with_corpus(splits)
        notes += _limit_neighbors(splits, seed)
    if not all(splits[s] for s in SPLITS):
        raise DataError(
            f"{sum(map(len, splits.values())):,} examples are too few for training, dev and test",
            where=settings.source,
            remedy="add examples, or give the missing splits",
        )
    notes += repeated({s: splits[s] for s in ("dev", "test")}, splits["train"], "in training")
    able = METRICS[form_of(splits["dev"])]
    metric: str = able[0] if settings.metric == "auto" else settings.metric
    if metric not in able:
        raise DataError(
            f"the metric {metric} does not fit these texts", where="data.metric", remedy=f"use {', '.join(able)}"
        )
    content = {s: [(e.text_a, e.text_b, e.label, e.negatives) for e in splits[s]] for s in SPLITS}
    return Task(
        name=name,
        kind="embedding",
        metric=metric,
        labels=(),
        train=tuple(splits["train"]),
        dev=tuple(splits["dev"]),
        test=tuple(splits["test"]),
        fingerprint=fingerprint("embedding", content, corpus),
        notes=tuple(notes),
        corpus=corpus,
    )


def form_of(examples: Sequence[Example]) -> str:
    """What dev or test examples measure: "pairs", "search" or "neighbors"."""
    first = examples[0]
    if first.text_b is not None:
        return "pairs"
    return (
        "search"
        if isinstance(first.label, tuple) and first.label and isinstance(first.label[0], Relevant)
        else ("neighbors")
    )


def with_prefixes(task: Task, query: str, passage: str) -> Task:
    """The task whose texts begin with what their encoder expects: queries and both texts of scored pairs with `query`,
    passages and plain texts with `passage`.
    """
    if not (query or passage):
        return task

    def prefixed(example: Example) -> Example:
        if example.text_b is None:
            asks = bool(example.label) or example.negatives
            return replace(example, text_a=(query if asks else passage) + example.text_a)
        second = (query if example.label is not None else passage) + example.text_b
        others = tuple(passage + text for text in example.negatives)
        return replace(example, text_a=query + example.text_a, text_b=second, negatives=others)

    splits = {s: tuple(map(prefixed, task.split(s))) for s in SPLITS}
    return replace(
        task,
        train=splits["train"],
        dev=splits["dev"],
        test=splits["test"],
        corpus=tuple(passage + text for text in task.corpus),
        prefixes=(query, passage),
    )


def without_prefix(task: Task, text: str) -> str:
    """A text as it was before `with_prefixes`."""
    first = next((p for p in sorted(task.prefixes, key=len, reverse=True) if p and text.startswith(p)), "")
    return text.removeprefix(first)


def texts_in(examples: Iterable[Example]) -> Iterator[str]:
    """Every text of these examples, in order."""
    for example in examples:
        yield example.text_a
        if example.text_b is not None:
            yield example.text_b
        yield from example.negatives


def vector_texts(task: Task, split: str) -> list[str]:
    """The texts of a split that get a vector, with the corpus that dev and test search in."""
    searched = () if split == "train" or form_of(task.dev) != "search" else task.corpus
    return [*texts_in(task.split(split)), *searched]


def training_texts(task: Task) -> tuple[Example, ...]:
    """Each text that vectors can be distilled on, once: of training, of the corpus, and the unlabeled ones.

    Passages of the corpus are used without their relevance: an app has them, too, before anybody searches.
    """
    unlabeled = (task.prefixes[1] + e.text_a for e in task.unlabeled)
    return tuple(Example(text, None, None) for text in dict.fromkeys([*texts_in(task.train), *task.corpus, *unlabeled]))


def _path(source: str) -> Path:
    return BUNDLED.get(source, Path(source))


def _examples_of(settings: DataSection, tables: dict[str, Table], reading: Reading) -> Splits:
    """Plain texts, scored pairs, or queries with passages, by the columns."""
    first = tables["train"][0][1]
    if LINE in first:
        columns, score, negatives = Columns((), LINE, None), None, []
    else:
        names = {column.lower(): column for column in first}
        score = settings.label or next((names[n] for n in _SCORES if n in names), None)
        negatives = [c for c in first if c.lower().rstrip("_0123456789") in _NEGATIVES]
        columns = find_columns(
            settings, tables, reading, labeled=False, others=[*negatives, *([score] if score else [])]
        )
        if columns.text_b is None:
            score = None

    def read(place: str, row: Row) -> Example:
        second = _text(place, row, columns.text_b) if columns.text_b else None
        label = None if score is None else _score(place, row, score)
        wrong = tuple(text for c in negatives for text in _negatives(place, row, c)) if columns.text_b else ()
        part = str(row[columns.part]) if columns.part else None
        return Example(_text(place, row, columns.text_a), second, label, part, wrong)

    found = {split: list(reading.each(table, read)) for split, table in tables.items()}
    if score is not None:
        _check_range(found, score)
    return {split: [example for _, example in rows] for split, rows in found.items()}


def _text(place: str, row: Row, column: str) -> str:
    value = row.get(column)
    if not isinstance(value, str) or not value.strip():
        raise DataError(f"the text in column {column} is empty", where=place, remedy="fill it in or remove the row")
    return value


def _score(place: str, row: Row, column: str) -> float:
    number = number_of(str(row.get(column)).strip())
    if number is None:
        raise DataError(
            f"the score in column {column} is no number ({row.get(column)!r})", where=place, remedy="correct it"
        )
    return number


def _negatives(place: str, row: Row, column: str) -> list[str]:
    """The hard negatives of a cell: a text, or a list of texts; an empty cell has none."""
    value = row.get(column)
    texts = found if (found := as_list(value)) is not None else [value]
    return [text for text in texts if isinstance(text, str) and text.strip()]


def _check_range(found: dict[str, list[tuple[str, Example]]], column: str) -> None:
    """Scores of dev and test lie within those of training. Raises DataError for one that does not."""
    trained = [float(e.label) for _, e in found["train"]]  # type: ignore[arg-type]
    if not trained:
        return
    low, high = min(trained), max(trained)
    for split, rows in found.items():
        for place, example in rows:
            if not low <= float(example.label) <= high:  # type: ignore[arg-type]
                raise DataError(
                    f"the score {example.label:g} in column {column} is outside the range of training, "
                    f"{low:g} to {high:g}",
                    where=f"{place} ({split})",
                    remedy="correct it",
                )


def _with_corpus(splits: Splits) -> tuple[Splits, tuple[str, ...]]:
    """Of queries with passages, dev and test become queries, each with its passages among those of all splits."""
    first = splits["train"][0]
    if first.text_b is None or first.label is not None:
        return splits, ()
    corpus = {text: i for i, text in enumerate(dict.fromkeys(e.second for s in SPLITS for e in splits[s]))}
    found: Splits = {"train": splits["train"]}
    for name in ("dev", "test"):
        queries: dict[str, list[Example]] = {}
        for example in splits[name]:
            queries.setdefault(example.text_a, []).append(example)
        found[name] = [
            Example(
                query, None, tuple(Relevant(i) for i in dict.fromkeys(corpus[e.second] for e in rows)), rows[0].part
            )
            for query, rows in queries.items()
        ]
    return found, tuple(corpus)


def _limit_neighbors(splits: Splits, seed: int) -> list[str]:
    """Keep, in place, so many dev and test texts that their neighbors can be searched with every program."""
    notes = []
    for name in ("dev", "test"):
        count = len(splits[name])
        if count > _MOST_TEXTS and form_of(splits[name]) == "neighbors":
            splits[name] = random.Random(seed).sample(splits[name], _MOST_TEXTS)
            notes.append(f"neighbors are searched among {_MOST_TEXTS:,} of {count:,} {name} texts (seed {seed})")
    return notes
