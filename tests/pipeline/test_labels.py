"""Several labels a text, from the task to a verified bundle whose thresholds give the reported decisions."""

import json
from pathlib import Path

import numpy as np
import pytest

from compress.console import Console
from compress.data.task import Example, Task
from compress.pipeline import overview, run
from compress.pipeline.order import Pipeline
from compress.recipe.load import load_recipe
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


@pytest.fixture
def task(monkeypatch: pytest.MonkeyPatch) -> Task:
    made = Task("moods", "multilabel", "micro_f1", NAMES, examples(240, 0), examples(80, 1), examples(80, 2), "0")
    monkeypatch.setattr(run, "load_task", lambda *_, **__: made)
    return made


@pytest.mark.parametrize(
    "kind", ["structure", *(pytest.param(k, marks=pytest.mark.slow) for k in ("weights", "budget"))]
)
def test_the_whole_path_ends_in_a_bundle_that_decides_as_reported(
    task: Task, tiny_encoder: Path, tmp_path: Path, kind: str
) -> None:
    recipe = load_recipe(None, {**FLAGS, **KINDS[kind], "model.name": str(tiny_encoder)})
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
    assert manifest["task"]["thresholds"] == found["thresholds"] and manifest["task"]["labels"] == list(NAMES)
    assert found["thresholds"] != made.metrics("dense")["thresholds"]
    assert verify_bundle(made.bundle).agreement == 1.0


def test_the_check_page_counts_labels_and_texts_without_any(task: Task, tiny_encoder: Path) -> None:
    recipe = load_recipe(None, {**FLAGS, "model.name": str(tiny_encoder)})
    facts = overview.facts(run.Inputs.of(recipe, Console("quiet")))
    for split in ("train", "dev", "test"):
        truth = np.array([e.label_set for e in task.split(split)])
        assert facts["labels"][split] == dict(zip(NAMES, truth.sum(axis=0).tolist(), strict=True))
        assert facts["without_label"][split] == int((truth.sum(axis=1) == 0).sum()) > 0
    table = overview.labels_table(task)
    assert table is not None and table.row_count == len(NAMES) + 1
