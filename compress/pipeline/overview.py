"""The page of `check` and of a dry run: the task as it was read, before anything is trained."""

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from rich.table import Table
from rich.text import Text

from compress.data.near_duplicates import normalize
from compress.data.task import OUTSIDE, SPLITS, Example, Task
from compress.pipeline.kept import AGREEMENT
from compress.pipeline.run import Inputs
from compress.report.formats import MetricFormat, percent

_WHY = {
    "classification": "one text and one label a row",
    "pair": "two texts and one label a row",
    "regression": "one text a row; the labels are numbers with fractions",
    "pair_regression": "two texts a row; the labels are numbers with fractions",
    "multilabel": "one text a row, with several labels or none",
    "tokens": "lists of words, with a label for each word",
    "qa": "questions, each with a passage and its answers",
    "embedding": "texts, pairs of texts, or queries with a corpus",
    "mlm": "lines of text without labels, and the checkpoint has no head for classes",
}
_SHOWN = 12  # rows of the table of labels
_FEW = 8  # training texts: a label with fewer is named


def lines(inputs: Inputs, *, on_phone: bool = True) -> list[str]:
    """The task in sentences: what was read, how it is scored, what a phone runs, and what is unusual about the data."""
    task, settings = inputs.task, inputs.recipe.data
    why = "set by data.kind" if settings.kind != "auto" else _WHY.get(task.kind, "found from the columns and labels")
    if task.metric == AGREEMENT:
        why = "lines of text without labels, and the checkpoint has a head for classes; --kind mlm masks words instead"
    outputs = f", {len(task.labels):,} labels" if task.labels else ""
    metric = MetricFormat(task.metric).name
    phone = f"the program on the phone takes one text at a time, of up to {inputs.recipe.model.max_tokens} tokens"
    return [
        f"kind: {task.kind}{outputs} ({why}); metric: {metric}",
        *([phone] if on_phone else []),
        *_strange(task),
    ]


def splits_table(inputs: Inputs) -> Table:
    """A row a split: how many texts, how long they are in tokens, and how many are over the limit."""
    limit = inputs.recipe.model.max_tokens
    table = Table("split", *(_right(name) for name in ("texts", "tokens: median", "95 %", "longest", f"over {limit}")))
    for name, row in _lengths(inputs).items():
        over = f"{row['cut']:,} ({percent(row['cut'] / row['texts'])})" if row["cut"] else "none"
        table.add_row(name, *(f"{row[key]:,}" for key in ("texts", "median", "p95", "longest")), over)
    if inputs.task.unlabeled:
        table.add_row("unlabeled", f"{len(inputs.task.unlabeled):,}", "", "", "", "")
    return table


def labels_table(task: Task) -> Table | None:
    """Counts of the labels in each split, the most frequent first; a regression's range; None where there are none.

    Of a task with several labels a text the last row counts the texts without any.
    """
    if task.regression:
        table = Table("label", *(_right(split) for split in SPLITS))
        values = {split: [float(e.label) for e in task.split(split)] for split in SPLITS}  # type: ignore[arg-type]
        for name, number in (("lowest", min), ("mean", statistics.fmean), ("highest", max)):
            table.add_row(name, *(f"{number(values[split]):.4g}" for split in SPLITS))
        return table
    if not task.labels:
        return None
    counts = {split: label_counts(task, split) for split in SPLITS}
    order = [label for label, _ in counts["train"].most_common()]
    order += [label for label in task.labels if label not in counts["train"]]
    table = Table("label", *(_right(split) for split in SPLITS))
    for label in order[:_SHOWN]:
        table.add_row(Text(_short(label)), *(f"{counts[split][label]:,}" for split in SPLITS))
    if rest := order[_SHOWN:]:
        sums = (f"{sum(counts[split][label] for label in rest):,}" for split in SPLITS)
        table.add_row(f"{len(rest):,} more labels", *sums)
    if task.kind == "multilabel":
        table.add_row("no label", *(f"{without_label(task, split):,}" for split in SPLITS), style="italic")
    return table


def facts(inputs: Inputs) -> dict[str, Any]:
    """The same for machines."""
    task = inputs.task
    return {
        "kind": task.kind,
        "metric": task.metric,
        "splits": _lengths(inputs),
        "labels": {split: dict(label_counts(task, split)) for split in SPLITS} if task.labels else {},
        **({"without_label": {s: without_label(task, s) for s in SPLITS}} if task.kind == "multilabel" else {}),
        "notes": [*inputs.notes, *_strange(task)],
    }


def _right(name: str) -> Any:
    from rich.table import Column

    return Column(name, justify="right")


def _short(text: str, limit: int = 40) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _lengths(inputs: Inputs) -> dict[str, dict[str, int]]:
    """Of each split: its texts, their lengths in tokens before anything is cut, and how many are over the limit."""
    found = {}
    for name, split in inputs.texts.splits.items():
        ids, examples = split.columns()["input_ids"], inputs.task.split(name)
        lengths = [len(ids[rows[0]]) for rows in split.rows_of()]
        for i in split.long if inputs.task.kind != "embedding" else ():
            # transformers would warn of what this table shows
            whole = inputs.texts.tokenizer(examples[i].text_a, examples[i].text_b, truncation=False, verbose=False)
            lengths[i] = len(whole["input_ids"])
        tokens = sorted(lengths)
        at = {"median": len(tokens) // 2, "p95": int(0.95 * (len(tokens) - 1)), "longest": len(tokens) - 1}
        found[name] = {"texts": len(tokens), **{key: tokens[i] for key, i in at.items()}, "cut": len(split.long)}
    return found


def label_counts(task: Task, split: str) -> Counter[str]:
    """How often each label occurs: of texts, or of words where words have labels."""
    counts: Counter[str] = Counter()
    for example in task.split(split):
        label = example.label
        if task.kind == "multilabel":
            indices: Iterable[object] = np.flatnonzero(example.label_set).tolist()
        else:
            indices = label if isinstance(label, tuple) else (label,)
        counts.update(task.labels[i] for i in indices if isinstance(i, int))
    return counts


def without_label(task: Task, split: str) -> int:
    """How many texts of a split have none of the labels, where a text may have several."""
    return sum(not any(example.label_set) for example in task.split(split))


def _strange(task: Task) -> list[str]:
    """Sentences on repeated training texts, on texts with two labels, and on labels with few texts."""
    found = []
    by_text: dict[tuple[str, str], list[Example]] = {}
    for example in task.train:
        by_text.setdefault((normalize(example.text_a), normalize(example.text_b or "")), []).append(example)
    repeated = sum(len(examples) - 1 for examples in by_text.values())
    if repeated:
        found.append(f"{repeated:,} of {len(task.train):,} training texts repeat another one")
    two = [examples for examples in by_text.values() if len({str(e.label) for e in examples}) > 1]
    if two and task.labels and task.of_sentences:
        what = "are labeled in more than one way" if task.kind == "multilabel" else "have more than one label"
        found.append(f"{len(two):,} training texts {what}, such as {_short(two[0][0].text_a)!r}")
    if task.labels:
        found += _few(task.labels, label_counts(task, "train"))
    return found


def _few(labels: Sequence[str], counts: Mapping[str, int]) -> list[str]:
    few = [label for label in labels if counts[label] < _FEW and label != OUTSIDE]
    if not few:
        return []
    named = ", ".join(f"{_short(label)} ({counts[label]})" for label in few[:3])
    more = f" and {len(few) - 3:,} more" if len(few) > 3 else ""
    return [f"few training examples for {named}{more}: results on such labels are uncertain"]
