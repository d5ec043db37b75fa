"""Several labels a text, from the task to a verified bundle whose thresholds give the reported decisions."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from compress.console import Console
from compress.data.load import load_task
from compress.data.task import Example, Task
from compress.pipeline import overview, run
from compress.pipeline.order import Pipeline
from compress.recipe.load import load_recipe
from compress.recipe.sections import DataSection
from compress.report.schema import validate
from mobile_export.bundle.verification import verify_bundle

NAMES = ("happy", "sad", "loud", "rare")
WORDS = ("glad", "gloomy", "shouting", "purple")
FLAGS = {
    "model.max_tokens": 64,
    "training.epochs": 12,
    "training.batch_size": 16,
    "training.learning_rate": 0.003,
    "distill.epochs": 6,
    "measure.rounds": 3,
}
KINDS = {
    "weights": {"ticket.round_epochs": 1, "ticket.sparsity": 0.3},
    "structure": {"ticket.kind": "structure", "structure.vocabulary": 1500, "distill.augment": 1},
    "budget": {"budget.max_drop": 30.0, "structure.vocabulary": 1500},
}


def examples(count: int, seed: int) -> tuple[Example, ...]:
    """Each label has its word; one text in twelve has the rare one, and some have none."""
    chance = np.random.default_rng(seed)
    has = chance.random((count, len(WORDS))) < (0.4, 0.4, 0.4, 0.08)
    texts = (" and ".join(np.array(WORDS)[row]) or "nothing" for row in has)
    return tuple(Example(f"so {text} .", None, tuple(map(int, row))) for text, row in zip(texts, has, strict=True))


FORMS = {
    "joined": (("labels", "text"), lambda has: ["|".join(n for n, flag in zip(NAMES, has, strict=True) if flag)]),
    "columns": ((*NAMES, "text"), list),
}


def write(folder: Path, form: str = "joined") -> Path:
    """CSV files, labels joined in one cell (empty for none) or a column of 0 and 1 for each."""
    header, cells = FORMS[form]
    folder.mkdir()
    for seed, (split, count) in enumerate((("train", 240), ("dev", 80), ("test", 80))):
        with (folder / f"{split}.csv").open("w", newline="") as stream:
            rows = ([*cells(e.label_set), e.text_a] for e in examples(count, seed))
            csv.writer(stream).writerows([header, *rows])
    return folder


@pytest.fixture
def task(tmp_path: Path) -> Task:
    return load_task(DataSection(source=str(write(tmp_path / "moods"))), seed=0)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "form"), [("structure", "joined"), ("weights", "columns"), ("budget", "joined")])
def test_csv_files_become_a_bundle_that_decides_as_reported(
    tiny_encoder: Path, tmp_path: Path, kind: str, form: str
) -> None:
    where = {"model.name": str(tiny_encoder), "data.source": str(write(tmp_path / "moods", form))}
    recipe = load_recipe(None, {**FLAGS, **KINDS[kind], **where})
    pipeline = Pipeline(recipe, tmp_path / "run", Console("quiet"), with_app=False)
    report = pipeline.run()
    validate(report)
    assert report["task"]["kind"] == "multilabel" and report["stages"][0]["metric"]["test"] > 0.7
    assert report["programs"]["dense"]["agreement_with_eager"] > 0.95
    assert report["task"]["baseline"]["metric"]["test"] > 0.9
    assert any("rare share one" in note for note in report["task"]["notes"])
    for part in ("macro F1", "mean average precision", "exact match"):
        assert part in report["stages"][0]["note"]
    made = pipeline.inputs.in_folder(tmp_path / "run")
    manifest = json.loads((made.bundle / "manifest.json").read_text())
    found = made.metrics("programs")
    names = manifest["task"]["labels"]
    assert manifest["task"]["thresholds"] == found["thresholds"] and sorted(names) == sorted(NAMES)
    assert found["thresholds"] != made.metrics("dense")["thresholds"]
    rows = {row["name"]: row for row in report["task"]["by_label"]}
    assert [rows[name]["threshold"] for name in names] == found["thresholds"]
    assert {name: row["eval_examples"] for name, row in rows.items()} == {
        name: sum(e.label_set[i] for e in made.task.test) for i, name in enumerate(names)
    }
    macro = [row["f1"]["ticket"] for row in rows.values() if "ticket" in row["f1"]]
    assert sum(macro) / len(macro) == pytest.approx(found["also"]["macro_f1"])
    for page in ("report.html", "report.md"):
        shown = (tmp_path / "run" / page).read_text()
        assert "F1 of each label on test" in shown and f"{rows['rare']['threshold']:.2f}" in shown
    assert verify_bundle(made.bundle).agreement == 1.0


def test_the_check_page_counts_labels_and_texts_without_any(task: Task, tiny_encoder: Path, tmp_path: Path) -> None:
    recipe = load_recipe(None, {**FLAGS, "model.name": str(tiny_encoder), "data.source": str(tmp_path / "moods")})
    facts = overview.facts(run.Inputs.of(recipe, Console("quiet")))
    for split in ("train", "dev", "test"):
        truth = np.array([e.label_set for e in task.split(split)])
        assert facts["labels"][split] == dict(zip(task.labels, truth.sum(axis=0).tolist(), strict=True))
        assert facts["without_label"][split] == int((truth.sum(axis=1) == 0).sum()) > 0
    table = overview.labels_table(task)
    assert table is not None and table.row_count == len(NAMES) + 1


@pytest.mark.slow
def test_a_fine_tuned_checkpoint_with_several_labels_is_kept(tiny_encoder: Path, tmp_path: Path) -> None:
    """Its head and its thresholds serve the data it was made for, with the labels in another order."""
    first, second = write(tmp_path / "first", "columns"), write(tmp_path / "second", "joined")
    flags = {**FLAGS, **KINDS["weights"]}
    for model, data, folder in ((tiny_encoder, first, "a"), (tmp_path / "a" / "dense", second, "b")):
        recipe = load_recipe(None, {**flags, "model.name": str(model), "data.source": str(data)})
        Pipeline(recipe, tmp_path / folder, Console("quiet"), with_app=False).run()
    dense = [json.loads((tmp_path / folder / "dense" / "metrics.json").read_text()) for folder in "ab"]
    assert dense[0]["steps"] > 0 and dense[1]["steps"] == 0
    assert dense[0]["metric"]["test"] == pytest.approx(dense[1]["metric"]["test"])
    assert verify_bundle(tmp_path / "b" / "android").agreement == 1.0
