"""Data at the lower end: few texts, none with a word, one in a split."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sample_report import sample

from compress.console import Console
from compress.data.baseline import bag_of_words
from compress.data.load import load_task
from compress.data.task import SPLITS, Example, Task
from compress.pipeline.assemble import without_interval
from compress.pipeline.run import Inputs
from compress.pipeline.stages.scoring import scores
from compress.recipe.load import load_recipe
from compress.recipe.sections import DataSection
from compress.report.render import write_report

WORDLESS = ("", "!", "👍🏽", "a", "? ?", "…")


def write(folder: Path, split: str, rows: list[tuple[str, str]]) -> None:
    folder.mkdir(exist_ok=True)
    text = "\n".join(["label\ttext", *(f"{label}\t{text}" for label, text in rows)])
    (folder / f"{split}.tsv").write_text(text + "\n", encoding="utf-8")


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", ["classification", "pair", "regression", "pair_regression"])
def test_a_bag_without_words_is_a_baseline_too(kind: Any, seed: int) -> None:
    rng = random.Random(seed)
    full = rng.random() < 0.3  # the second text has words, the first none

    def example(i: int) -> Example:
        second = ("some words" if full else rng.choice(WORDLESS)) if kind.startswith("pair") else None
        return Example(rng.choice(WORDLESS), second, float(i) / 3 if kind.endswith("regression") else i % 2)

    splits = {split: tuple(example(i) for i in range(rng.randrange(4, 9))) for split in SPLITS}
    labels = () if kind.endswith("regression") else ("no", "yes")
    found = bag_of_words(Task("t", kind, "accuracy", labels, **splits, fingerprint=""))
    for split in ("dev", "test"):
        assert found[split].shape == (len(splits[split]),) and np.isfinite(found[split]).all()


@pytest.mark.parametrize("seed", range(12))
def test_missing_splits_have_their_share_and_take_no_label_out_of_training(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    sizes = [rng.randrange(1, rng.choice([2, 6, 40])) for _ in range(rng.randrange(3, 40))]
    sizes[0] += 20
    rows = [(f"l{label}", f"text {label} {i}") for label, size in enumerate(sizes) for i in range(size)]
    write(tmp_path, "train", rows)
    task = load_task(DataSection(source=str(tmp_path)), seed=seed)
    assert sum(len(task.split(split)) for split in SPLITS) == len(rows)
    assert {e.class_index for e in task.train} == set(range(len(sizes)))
    assert abs(len(task.dev) - len(task.test)) <= 3  # each part may be one off
    most = sum(size - 1 for size in sizes)  # one of each label stays
    assert len(task.dev) + len(task.test) >= min(round(0.2 * len(rows)), most) - 2


@pytest.mark.parametrize("metric", ["accuracy", "f1", "macro_f1", "matthews", "pearson_spearman"])
@pytest.mark.parametrize("count", [1, 2, 60])
def test_a_small_split_is_named_and_an_interval_of_one_text_is_not_given(
    tiny_encoder: Path, tmp_path: Path, metric: str, count: int
) -> None:
    numbers = metric == "pearson_spearman"
    names = [str(i / 4) for i in range(1, 60)] if numbers else ["no", "yes"]
    for split, size in (("train", 20), ("dev", 60), ("test", count)):
        write(tmp_path / "data", split, [(names[i % len(names)], f"{split} text {i}") for i in range(size)])
    flags = {"model.name": str(tiny_encoder), "data.source": str(tmp_path / "data"), "model.max_tokens": 16}
    kind = {"data.kind": "regression" if numbers else "classification"}
    run = Inputs.of(load_recipe(None, {**flags, **kind, "data.metric": metric}), Console("quiet"))
    assert any(f"test split has {count} text" in note for note in run.notes) == (count < 50)
    found = scores(run, {name: labels for name, labels in run.labels.items() if name != "train"})
    assert found["ci95_dev"] is not None
    assert (found["ci95"] is None) == (count == 1)


def test_a_report_without_intervals_says_why(tmp_path: Path) -> None:
    report = sample()

    def clear(node: Any) -> None:
        for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
            if key in ("ci95", "ci95_dev"):
                node[key] = None
            else:
                clear(value)

    clear(report)
    report["not_measured"] |= without_interval(report)
    write_report(report, tmp_path)
    assert "too few examples for an interval" in (tmp_path / "report.md").read_text()
