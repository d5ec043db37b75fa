"""A dense model that is behind the baseline on dev gets a second training, and the better one is kept."""

from pathlib import Path
from typing import Any

import pytest

from compress.console import Console
from compress.files import file_sha256, read_json, write_json
from compress.pipeline.assemble import dense_notes
from compress.pipeline.run import Inputs, Run
from compress.pipeline.stages.baseline import run_baseline
from compress.pipeline.stages.dense import run_dense, with_second_try
from compress.recipe.defaults import for_second_try
from compress.recipe.load import load_recipe

WEIGHTS = "model.safetensors"
A_SHORT_ONE = {"training.epochs": 1, "training.batch_size": 16, "model.max_tokens": 32}


def started(model: Path, data: Path, folder: Path, baseline: float, **more: Any) -> Run:
    """A run that is about to train its dense model, with that score of the baseline on dev."""
    flags = {"model.name": str(model), "data.source": str(data), **A_SHORT_ONE, **more}
    run = Inputs.of(load_recipe(None, flags), Console("quiet")).in_folder(folder)
    for name in ("baseline", "dense"):
        run.dir.stage(name).mkdir(parents=True)
    run_baseline(run, run.dir.stage("baseline"))
    file = run.dir.stage("baseline") / "metrics.json"
    write_json(file, read_json(file) | {"dev": baseline})
    return run


def trained(run: Run) -> dict[str, Any]:
    run_dense(run, run.dir.stage("dense"))
    return run.metrics("dense")


def test_ahead_of_the_baseline_once_is_enough(tiny_encoder: Path, tiny_task: Path, tmp_path: Path) -> None:
    run = started(tiny_encoder, tiny_task, tmp_path, 0.0)
    assert run.recipe.training.second_try
    assert "second_try" not in trained(run) and with_second_try(run) is run


def test_behind_it_the_better_training_counts_and_the_ticket_is_trained_like_it(
    tiny_encoder: Path, tiny_task: Path, tmp_path: Path
) -> None:
    slow = {"training.epochs": 20, "training.batch_size": 8, "training.learning_rate": 1e-6}
    run = started(tiny_encoder, tiny_task, tmp_path / "run", 1.1, **slow, **{"training.second_try": True})
    numbers = trained(run)
    assert numbers["second_try"] and numbers["first_try_dev"] < numbers["second_try_dev"]
    assert numbers["metric"]["dev"] == pytest.approx(numbers["second_try_dev"])
    assert numbers["steps"] == 40 * (-(-len(run.task.train) // 8))
    (note, behind) = dense_notes("accuracy", run.metrics("baseline"), numbers)
    assert "trained a second time, with twice the passes and a rate of 3e-4" in note and "below the baseline" in behind
    later = with_second_try(run).recipe
    assert (later.training.passes, later.training.peak) == (40, 3e-4) and later == for_second_try(run.recipe)
    # it is the model that its recipe alone gives, to the bit
    flags = slow | {"training.epochs": 40, "training.learning_rate": 3e-4, "training.second_try": False}
    alone = started(tiny_encoder, tiny_task, tmp_path / "alone", 1.1, **flags)
    trained(alone)
    assert file_sha256(alone.dir.stage("dense") / WEIGHTS) == file_sha256(run.dir.stage("dense") / WEIGHTS)


def test_a_second_training_that_is_no_better_is_not_kept(
    tiny_encoder: Path, tiny_task: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compress.pipeline.stages.dense._dev", lambda run, model: 0.6)
    run = started(tiny_encoder, tiny_task, tmp_path, 0.7)
    numbers = trained(run)
    assert numbers["second_try"] is False and numbers["steps"] == -(-len(run.task.train) // 16)
    assert with_second_try(run) is run and "is not better" in dense_notes("accuracy", {"dev": 0.0}, numbers)[0]


@pytest.mark.parametrize("more", [{"training.learning_rate": 0.003}, {"training.second_try": False}])
def test_nobody_who_sets_passes_and_rate_gets_another_training(
    more: dict[str, Any], tiny_encoder: Path, tiny_task: Path, tmp_path: Path
) -> None:
    assert "second_try" not in trained(started(tiny_encoder, tiny_task, tmp_path, 1.1, **more))
