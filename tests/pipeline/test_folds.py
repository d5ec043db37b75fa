"""Cross-validation: every text is tested once, by a model that did not see it; the numbers are those of all folds."""

import json
import random
from pathlib import Path

import numpy as np
import pytest

from compress.cli import main
from compress.data.load import load_task
from compress.data.task import SPLITS
from compress.errors import RecipeError
from compress.recipe.load import load_recipe
from compress.recipe.sections import DataSection


def write(file: Path, rng: random.Random, count: int) -> None:
    """Texts of unequal classes, some repeated."""
    lines = []
    for i in range(count):
        label, word = rng.choice([("sad", "gloomy"), ("happy", "sunny"), ("happy", "merry")])
        lines.append(f"{label},{word} {i if rng.random() < 0.9 else 'again'}")
    file.write_text("\n".join(["label,text", *lines]) + "\n")


@pytest.mark.parametrize("seed", range(4))
def test_every_text_is_tested_once_and_by_a_model_that_did_not_see_it(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    count, folds = rng.randint(40, 120), rng.randint(3, 7)
    write(tmp_path / "few.csv", rng, count)
    tested: list[str] = []
    for number in range(1, folds + 1):
        task = load_task(DataSection(source=str(tmp_path / "few.csv"), fold=f"{number}/{folds}"), seed=seed)
        texts = {split: {e.text_a for e in task.split(split)} for split in SPLITS}
        assert not texts["test"] & texts["train"] and not texts["dev"] & texts["train"]
        assert not texts["test"] & texts["dev"]
        assert sum(len(task.split(split)) for split in SPLITS) == count
        shares = [np.mean([e.class_index for e in task.split(split)]) for split in SPLITS]
        assert max(shares) - min(shares) < 0.35
        tested += [e.text_a for e in task.test]
    assert len(tested) == count


@pytest.mark.parametrize("fold", ["0/5", "6/5", "1/2", "2", "a/b"])
def test_a_fold_is_a_number_of_three_or_more(fold: str) -> None:
    with pytest.raises(RecipeError, match="such as 2/5"):
        load_recipe(None, {"data.fold": fold})


def test_a_search_for_a_budget_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cross-validate", "--max-drop", "1"]) == 2
    assert "name the structure" in capsys.readouterr().err


@pytest.mark.slow
def test_the_command_pools_all_folds(tiny_encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "few.csv", random.Random(0), 60)
    quick = "--folds 3 --json --ticket weights --max-tokens 64 --epochs 6 --batch-size 8 --learning-rate 0.003"
    where = ("--model", str(tiny_encoder), "--data", str(tmp_path / "few.csv"), "--output", str(tmp_path / "folds"))
    assert main(["cross-validate", *quick.split(), *where, "--set", "measure.rounds=3"]) == 0
    found = json.loads((tmp_path / "folds" / "folds.json").read_text())
    counts = [fold["eval_examples"] for fold in found["folds"]]
    assert sum(counts) == found["all"]["eval_examples"] == 60
    for name in ("dense", "ticket"):
        mean = sum(fold[name] * n for fold, n in zip(found["folds"], counts, strict=True)) / 60
        assert found["all"][name]["value"] == pytest.approx(mean)  # accuracy is a mean over texts
        low, high = found["all"][name]["ci95"]
        assert low <= mean <= high
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert events[-1]["folds"] == found
