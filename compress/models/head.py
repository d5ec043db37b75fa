"""The head of a fine-tuned checkpoint: whether its outputs are a task's labels, in which order, and their names.

Labels are matched by name. A name that transformers makes up, `LABEL_3`, counts as the number 3.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import nn

from compress.data.task import OUTSIDE, Task
from compress.models.anatomy import classification_head_of, head_kind_of, token_head_of

_MADE_UP = re.compile(r"^LABEL_(\d+)$", re.IGNORECASE)
_PROBLEMS = {"regression": "regression", "multilabel": "multi_label_classification"}
_MOST = 5  # names that a note shows


def _as_written(name: str) -> str:
    return _MADE_UP.sub(r"\1", name)


def _without_case(name: str) -> str:
    return _as_written(name.strip()).casefold()


_SPELLINGS: tuple[Callable[[str], str], ...] = (_as_written, _without_case)


@dataclass(frozen=True)
class Head:
    """A checkpoint's head, seen from a task.

    `state`: "kept", its outputs are the task's labels; "start", it has the right number of outputs, but which label
    each one means is unknown: training begins with it; "new", it does not fit, or there is none. `rows`: the
    checkpoint's output of each label, where they are known by name.
    """

    state: Literal["kept", "start", "new"]
    rows: tuple[int, ...] | None = None

    @classmethod
    def of(cls, task: Task, config: Any, suffix: str) -> "Head":
        """From the checkpoint's config; `suffix` ends the name of the class of transformers that the task needs."""
        names = names_of(config)
        if not _has_head(config, suffix):
            return cls("new")
        if task.kind in ("qa", "embedding"):  # an encoder without a head has nothing that could not fit
            return cls("kept")
        if task.kind == "mlm":
            return cls("start")  # of the pre-training, not of a fine-tuning
        own, wanted = getattr(config, "problem_type", None), _PROBLEMS.get(task.kind.removeprefix("pair_"))
        if task.regression:
            return cls("kept" if len(names) == 1 and own in (None, wanted) else "new")
        rows = rows_of(task.labels, names)
        if rows is not None and len(rows) == len(names):
            trained_so = own == wanted if wanted else own in (None, "single_label_classification")
            return cls("kept" if trained_so or not task.of_sentences else "start", rows)
        return cls("start" if len(names) == len(task.labels) and _are_made_up(config) else "new")


def names_of(config: Any) -> tuple[str, ...]:
    """The names of a checkpoint's outputs in their order."""
    names = dict(config.id2label or {})
    return tuple(_as_written(str(names[i])) for i in sorted(names))


def rows_of(labels: Sequence[str], names: Sequence[str]) -> tuple[int, ...] | None:
    """The place among `names` of each label, or None where not every label has one of its own.

    They are compared as they are written first, then without regard to case.
    """
    for spelled in _SPELLINGS:
        places = {spelled(name): place for place, name in enumerate(names)}
        wanted = [spelled(label) for label in labels]
        if len(places) == len(names) and len(set(wanted)) == len(wanted) and places.keys() >= set(wanted):
            return tuple(places[label] for label in wanted)
    return None


def with_names_of(task: Task, config: Any, suffix: str) -> tuple[Task, list[str]]:
    """The task with the label names of a fine-tuned checkpoint, where its head fits; and what changed, in sentences.

    Classes that the checkpoint has and the data lacks come after the data's own. Labels 0 to N − 1 get the names of the
    checkpoint's N classes. The examples stay as they are.
    """
    names = names_of(config)
    if not task.labels or not _has_head(config, suffix) or _are_made_up(config):
        return task, []
    rows, notes = rows_of(task.labels, names), []
    if rows is not None and _may_be_labels(task, names):
        own = task.labels if task.kind == "tokens" else tuple(names[row] for row in rows)
        more = tuple(name for row, name in enumerate(names) if row not in rows)
        if own != task.labels:
            notes.append(f"labels are spelled as the checkpoint names its classes: {_some(own)}")
        if more:
            notes.append(f"no text has {_some(more)}, which the checkpoint knows: the head keeps them")
        return replace(task, labels=(*own, *more)), notes
    if task.of_sentences and set(task.labels) == {str(number) for number in range(len(names))}:
        own = tuple(names[int(label)] for label in task.labels)
        notes.append(
            f"the checkpoint names its classes {_some(own)}: report, bundle and app show these names for "
            f"{_some(task.labels)}"
        )
        return replace(task, labels=own), notes
    return task, []


def _may_be_labels(task: Task, names: Sequence[str]) -> bool:
    """Whether the checkpoint's names can be the task's labels, where the data lacks some: F1, say, is of two labels."""
    if task.kind == "tokens":
        return all(name == OUTSIDE or name[:2] in ("B-", "I-") for name in names)
    return len(names) == len(task.labels) or (task.kind != "multilabel" and task.metric != "f1")


def put_(model: nn.Module, head: Head, seed: int) -> None:
    """Bring the last matrix of a loaded head, in place, into the order of the labels, or give it new random values."""
    kind = head_kind_of(model)
    if kind not in ("sequence", "tokens") or (head.rows is None and head.state != "new"):
        return
    out = token_head_of(model) if kind == "tokens" else classification_head_of(model).out
    with torch.no_grad():
        if head.rows is not None:
            rows = list(head.rows)
            out.weight.copy_(out.weight[rows].clone())
            out.bias.copy_(out.bias[rows].clone())
        else:
            torch.manual_seed(seed)
            out.weight.normal_(0.0, model.config.initializer_range)
            out.bias.zero_()


def note_of(head: Head, labels: Sequence[str], names: Sequence[str]) -> str:
    """What becomes of a checkpoint's head with outputs of these `names`, in a sentence."""
    if head.state == "kept":
        return "the checkpoint's own head fits" + (
            f", its outputs are matched by name: {_some(labels)}" if labels else ""
        )
    if head.state == "start":
        return "the training begins with the checkpoint's own head, which has the right number of outputs"
    return f"the checkpoint's head is for other classes ({_some(names)}): a new head begins with random values"


def _has_head(config: Any, suffix: str) -> bool:
    """Whether the checkpoint is of a class with the task's head; where its config names none, it may be."""
    classes = config.architectures or ()
    return not classes or any(name.endswith(suffix) for name in classes)


def _are_made_up(config: Any) -> bool:
    return all(_MADE_UP.match(str(name)) for name in (config.id2label or {}).values())


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_MOST])
    return shown if len(names) <= _MOST else f"{shown} and {len(names) - _MOST:,} more"
