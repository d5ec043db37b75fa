"""Metrics of classes and numbers, and which are reported beside a task's own."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sklearn

from compress.data.load import load_task
from compress.errors import DataError
from compress.kinds import TASK_TYPES
from compress.kinds.sentences import macro_f1, mean_absolute_error
from compress.recipe.sections import DataSection

PAIRS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=40)


@given(PAIRS)
def test_macro_f1_and_absolute_error_are_scikit_learns(pairs: list[tuple[int, int]]) -> None:
    predictions, labels = np.array(pairs).T
    assert macro_f1(predictions, labels) == pytest.approx(sklearn.f1_score(labels, predictions, average="macro"))
    error = sklearn.mean_absolute_error(labels, predictions)
    assert mean_absolute_error(predictions, labels) == pytest.approx(error)


def task_of(folder: Path, sizes: list[int], metric: str = "auto", kind: str = "classification"):
    folder.mkdir(exist_ok=True)
    for split in ("train", "dev", "test"):
        rows = [f"{label}.5\t{split} text {label} {i}" for label, size in enumerate(sizes) for i in range(size)]
        (folder / f"{split}.tsv").write_text("\n".join(["label\ttext", *rows]) + "\n", encoding="utf-8")
    return load_task(DataSection(source=str(folder), metric=metric, kind=kind), seed=0)


@pytest.mark.parametrize("sizes", [[20, 2], [21, 2], [3, 40, 5], [2, 30, 7], [9, 9]])
def test_classes_of_very_different_sizes_are_scored_by_macro_f1_and_a_note_says_so(
    tmp_path: Path, sizes: list[int]
) -> None:
    task = task_of(tmp_path / "data", sizes)
    unequal = max(sizes) > 10 * min(sizes)
    assert task.metric == ("macro_f1" if unequal else "accuracy")
    assert any("macro F1" in note and f"{max(sizes)} of" in note for note in task.notes) == unequal
    assert task_of(tmp_path / "data", sizes, "accuracy").metric == "accuracy"


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1", "matthews", "f1"])
def test_accuracy_and_macro_f1_are_always_reported(tmp_path: Path, metric: str) -> None:
    task = task_of(tmp_path / "data", [4, 6], metric)
    assert {metric, *TASK_TYPES[task.kind].further(task)} >= {"accuracy", "macro_f1"}


def test_a_regression_reports_its_absolute_error_and_has_no_macro_f1(tmp_path: Path) -> None:
    task = task_of(tmp_path / "data", [4, 60, 6], kind="regression")
    assert task.metric == "pearson_spearman"
    assert list(TASK_TYPES[task.kind].further(task)) == ["mean_absolute_error"]
    with pytest.raises(DataError, match="macro_f1 does not fit"):
        task_of(tmp_path / "data", [4, 6], "macro_f1", "regression")
