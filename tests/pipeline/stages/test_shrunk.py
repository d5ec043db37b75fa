"""The stage that makes a model smaller: what is cut, from where it starts, and that cutting nothing changes nothing."""

import dataclasses
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from compress.console import Console
from compress.data.task import Example
from compress.files import read_json
from compress.kinds.encode import Texts
from compress.models.saved import Saved
from compress.models.store import load_saved
from compress.models.surgery import full_structure
from compress.pipeline.run import Inputs, Run
from compress.pipeline.stages.dense import run_dense
from compress.pipeline.stages.shrunk import _teacher, run_shrunk, stage
from compress.pipeline.stages.stage import Data
from compress.recipe.load import load_recipe
from compress.shrink.vocabulary import choose, trim_tokenizer
from compress.training.trainer import predict


@pytest.fixture(scope="module")
def run(tiny_encoder: Path, tiny_task: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run whose dense model is there."""
    flags = {"model.name": str(tiny_encoder), "data.source": str(tiny_task), "model.max_tokens": 32}
    recipe = load_recipe(None, {**flags, "training.epochs": 2, "training.learning_rate": 0.003})
    run = Inputs.of(recipe, Console("quiet")).in_folder(tmp_path_factory.mktemp("shrunk"))
    run.dir.stage("dense").mkdir()
    run_dense(run, run.dir.stage("dense"))
    return run


def shrunk(run: Run, folder: Path, **structure: object) -> dict[str, torch.Tensor]:
    settings = run.recipe.structure.model_copy(update=structure)
    distill = run.recipe.distill.model_copy(update={"epochs": 1.0})
    run = dataclasses.replace(run, recipe=run.recipe.model_copy(update={"structure": settings, "distill": distill}))
    run_shrunk(run, folder)
    return load_file(folder / "model.safetensors")


def test_cutting_nothing_is_the_dense_model_and_trains_nothing(run: Run, tmp_path: Path) -> None:
    dense = load_file(run.dir.stage("dense") / "model.safetensors")
    found = shrunk(run, tmp_path, layers=1.0, heads=1.0, neurons=1.0, vocabulary=0)
    assert found.keys() == dense.keys() and all(torch.equal(found[name], dense[name]) for name in dense)
    numbers = read_json(tmp_path / "metrics.json")
    assert numbers["steps"] == 0 and numbers["metric"] == run.metrics("dense")["metric"]


@pytest.mark.parametrize("change", [{"rewind": "pretrained"}, {"neurons": 0.5}, {"vocabulary": 2000}])
def test_anything_else_is_trained(run: Run, tmp_path: Path, change: dict) -> None:
    shrunk(run, tmp_path, **{"layers": 1.0, "heads": 1.0, "neurons": 1.0, "vocabulary": 0, **change})
    assert read_json(tmp_path / "metrics.json")["steps"] == 2  # 60 texts, once


@pytest.mark.parametrize(("more", "steps"), [(20, 3), (40, 4), (400, 5)])
def test_a_pass_is_over_unlabeled_texts_too_but_not_over_any_number(
    run: Run, tmp_path: Path, more: int, steps: int
) -> None:
    texts = tuple(Example(f"more words {i}", None, 0) for i in range(more))
    task = dataclasses.replace(run.task, unlabeled=texts)
    shrunk(run.with_task(task), tmp_path, layers=1.0, heads=1.0, neurons=0.5, vocabulary=0)
    numbers = read_json(tmp_path / "metrics.json")
    assert (numbers["steps"], numbers["unlabeled"]) == (steps, more)
    recipe = load_recipe(None, {"ticket.kind": "structure", "training.epochs": 2, "distill.epochs": 1})
    data = Data(len(task.train), more)
    teacher = data.steps(recipe, 1 + more / len(task.train))
    expected = stage(recipe).cost(recipe, data).steps - teacher
    assert abs(expected - steps) <= 1  # a last batch may be a part


@pytest.mark.parametrize(("rank", "kept"), [(8, 8), (10_000, None)])
def test_a_table_that_is_narrow_already_stays(run: Run, tmp_path: Path, rank: int, kept: int | None) -> None:
    """Else the recipes with a rank would fail for MobileBERT and small ELECTRAs, after the dense model was trained."""
    shrunk(run, tmp_path, layers=1.0, heads=1.0, neurons=0.5, vocabulary=0, embedding_rank=rank)
    assert Saved.of(load_saved(tmp_path).config).embedding_rank == kept


def test_the_report_can_say_which_layers_stay(run: Run, tmp_path: Path) -> None:
    shrunk(run, tmp_path, layers=0.5, heads=1.0, neurons=1.0, vocabulary=0, layer_choice="first")
    assert read_json(tmp_path / "metrics.json")["structure"] == {"layers": [0], "heads": [2], "neurons": [64]}


def test_merged_tokens_are_told_and_learn_from_the_teachers_means(run: Run, tmp_path: Path) -> None:
    """Every state of the student's is compared with a teacher's of its own length: else the training would raise."""
    shrunk(run, tmp_path, layers=1.0, heads=1.0, neurons=1.0, vocabulary=0, merge_after=(0.5,))
    numbers = read_json(tmp_path / "metrics.json")
    assert numbers["structure"]["merge_after"] == [1] and numbers["steps"] == 2
    assert Saved.of(load_saved(tmp_path).config).merge_after == (1,)


def test_the_teacher_answers_texts_as_it_reads_them(run: Run) -> None:
    """Its logits are those of the whole vocabulary, its hidden states those of the student's own tokens."""
    full = run.texts.tokenizer
    texts_of_train = [e.text_a for e in run.task.train]
    kept = choose(full, texts_of_train, len(choose(full, texts_of_train, 1)) + 20)  # the characters and some words
    small = trim_tokenizer(full, kept)
    texts, dense = Texts.of(run.task, small, 32), run.saved("dense")
    teacher = _teacher(run, dense, full_structure(dense), texts, kept)
    whole_texts, own = run.texts.splits["train"], texts.splits["train"].rows["input_ids"]
    expected = torch.from_numpy(predict(dense, whole_texts, full))
    torch.testing.assert_close(torch.stack(list(teacher.logits)), expected)
    assert [states.shape[1] for states in teacher.hidden] == [len(ids) for ids in own]
    same = [a == [kept[i] for i in b] for a, b in zip(whole_texts.rows["input_ids"], own, strict=True)]
    assert 0 < sum(same) < len(same), "some texts are read otherwise, and some are not"
