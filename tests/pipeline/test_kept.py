"""A fine-tuned checkpoint that fits the data is the dense model as it is: no step of training, unless one is wanted."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from compress.cli import main
from compress.console import Console
from compress.data.task import SPLITS
from compress.errors import RecipeError
from compress.files import read_json
from compress.models.load import load_for
from compress.pipeline import answers_as_labels
from compress.pipeline.order import Pipeline
from compress.pipeline.run import Inputs, Run
from compress.pipeline.stages.baseline import run_baseline
from compress.pipeline.stages.dense import STAGE, run_dense
from compress.pipeline.stages.scoring import finish
from compress.pipeline.stages.stage import Data
from compress.pipeline.stages.ticket import run_ticket
from compress.recipe.load import load_recipe
from compress.report.schema import validate
from compress.training.trainer import TrainingPlan, predict
from mobile_export.bundle.verification import verify_bundle

TRAINING = {"training.learning_rate": 0.003, "training.batch_size": 8, "model.max_tokens": 32}
NAMES = ("SAD", "HAPPY")  # as the checkpoint has them; the data has happy before sad


@pytest.fixture(scope="module")
def tuned(tiny_encoder: Path, tiny_task: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint that was fine-tuned on the tiny task, its classes in another order and case than the data's."""
    flags = {"model.name": str(tiny_encoder), "data.source": str(tiny_task), **TRAINING}
    folder = tmp_path_factory.mktemp("tuned")
    run = Inputs.of(load_recipe(None, {**flags, "training.epochs": 30}), Console("quiet"))
    model = run.pretrained()
    fitted = run.learner().fit(model, TrainingPlan("fine-tuning", epochs=30, seed=0))
    finish(run, model, folder, fitted)
    weights = load_file(folder / "model.safetensors")
    turned = {name: weights[name].flip(0).contiguous() for name in ("classifier.weight", "classifier.bias")}
    save_file(weights | turned, folder / "model.safetensors", metadata={"format": "pt"})
    config = read_json(folder / "config.json")
    config |= {"id2label": dict(enumerate(NAMES)), "label2id": {name: i for i, name in enumerate(NAMES)}}
    (folder / "config.json").write_text(json.dumps({k: v for k, v in config.items() if k != "pocket_ticket"}))
    return folder


def started(model: Path, data: Path, folder: Path, **more: Any) -> Run:
    flags = {"model.name": str(model), "data.source": str(data), **TRAINING, "training.epochs": 1, **more}
    run = Inputs.of(load_recipe(None, flags), Console("quiet")).in_folder(folder)
    for name in ("baseline", "dense"):
        run.dir.stage(name).mkdir(parents=True, exist_ok=True)
    run_baseline(run, run.dir.stage("baseline"))
    return run


def with_baseline(run: Run, score: float) -> Run:
    file = run.dir.stage("baseline") / "metrics.json"
    file.write_text(json.dumps(read_json(file) | {"dev": score}))
    return run


def trained(run: Run) -> dict[str, Any]:
    run_dense(run, run.dir.stage("dense"))
    return run.metrics("dense")


def own_logits(model: Path, run: Run, split: str) -> np.ndarray:
    """What the checkpoint itself says, its outputs in its own order."""
    from transformers import AutoModelForSequenceClassification

    own = AutoModelForSequenceClassification.from_pretrained(model, use_safetensors=True).eval()
    return predict(own, run.texts.splits[split], run.texts.tokenizer)


def test_a_checkpoint_that_fits_is_the_dense_model_bit_for_bit(tuned: Path, tiny_task: Path, tmp_path: Path) -> None:
    run = started(tuned, tiny_task, tmp_path)
    numbers = trained(run)
    assert run.dense == "try" and (numbers["steps"], numbers["curve"]) == (0, [])
    assert numbers["given_dev"] == numbers["metric"]["dev"] > 0.9
    assert run.task.labels == NAMES[::-1]
    found, given = load_file(run.dir.stage("dense") / "model.safetensors"), load_file(tuned / "model.safetensors")
    for name, tensor in given.items():
        assert torch.equal(found[name], tensor.flip(0) if name.startswith("classifier.") else tensor), name
    for split in ("dev", "test"):
        assert np.array_equal(run.predictions("dense")[split], own_logits(tuned, run, split)[:, ::-1])


@pytest.mark.parametrize(("rate", "steps"), [(0.0005, 8), (10.0, 0)])
def test_a_checkpoint_behind_the_baseline_is_trained_if_that_helps(
    tuned: Path, tiny_task: Path, tmp_path: Path, rate: float, steps: int
) -> None:
    run = with_baseline(started(tuned, tiny_task, tmp_path, **{"training.learning_rate": rate}), 1.1)
    numbers = trained(run)
    assert numbers["steps"] == steps and ("trained_dev" in numbers) == (not steps)
    assert numbers["metric"]["dev"] >= numbers["given_dev"]


def test_a_dry_run_counts_the_training_that_may_be_needed(tuned: Path, tiny_task: Path, tmp_path: Path) -> None:
    run = started(tuned, tiny_task, tmp_path)
    steps = {plan: STAGE.cost(run.recipe, Data(len(run.task.train), dense=plan)) for plan in ("train", "try", "keep")}
    assert steps["train"].steps == steps["try"].steps > 0 == steps["keep"].steps
    assert steps["try"].at_most and not steps["train"].at_most


def test_it_is_trained_where_that_is_wanted(tuned: Path, tiny_task: Path, tmp_path: Path) -> None:
    run = started(tuned, tiny_task, tmp_path, **{"training.dense": "train"})
    numbers = trained(run)
    assert run.dense == "train" and numbers["steps"] == 8 and "given_dev" not in numbers


def test_what_needs_a_training_has_one_or_is_refused(
    tuned: Path, tiny_encoder: Path, tiny_task: Path, tmp_path: Path
) -> None:
    criterion = {"ticket.criterion": "weight_change"}
    assert started(tuned, tiny_task, tmp_path / "auto", **criterion).dense == "train"
    assert started(tuned, tiny_task, tmp_path / "step", **criterion, **{"ticket.rewind": "step:2"}).dense == "try"
    for model, more, sentence in ((tuned, criterion, "weight_change"), (tiny_encoder, {}, "no head that fits")):
        flags = {"model.name": str(model), "data.source": str(tiny_task), "training.dense": "keep", **TRAINING, **more}
        with pytest.raises(RecipeError, match=sentence):
            Pipeline(load_recipe(None, flags), tmp_path, Console("quiet"))


@pytest.mark.parametrize("rewind", ["pretrained", "learning_rate", "none"])
def test_tickets_go_back_to_the_checkpoints_weights(tuned: Path, tiny_task: Path, tmp_path: Path, rewind: str) -> None:
    still = {"training.learning_rate": 1e-12, "ticket.rewind": rewind, "ticket.rounds": 2, "ticket.round_epochs": 0.5}
    run = started(tuned, tiny_task, tmp_path, **still)
    trained(run)
    (tmp_path / "ticket").mkdir()
    run_ticket(run, tmp_path / "ticket")
    mask, found = load_file(tmp_path / "ticket" / "mask.safetensors"), run.saved("ticket").state_dict()
    given = load_for(run.task, str(tuned), max_tokens=32, seed=0).state_dict()
    assert run.metrics("ticket")["sparsity_prunable"] == pytest.approx(0.5, abs=1e-3)
    for name, tensor in given.items():
        kept = found[name] != 0 if name in mask else torch.ones_like(tensor, dtype=torch.bool)
        assert torch.allclose(found[name][kept], tensor[kept], rtol=0, atol=1e-6), name


def test_a_check_says_what_is_kept(
    tuned: Path, tiny_encoder: Path, tiny_task: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(model: Path, *more: str) -> tuple[str, dict[str, Any]]:
        assert (
            main(["check", "--json", "--max-tokens", "32", "--model", str(model), "--data", str(tiny_task), *more]) == 0
        )
        events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return " ".join(e["text"] for e in events if e["event"] == "note"), next(e for e in events if "labels" in e)

    notes, page = said(tuned)
    assert "the dense model is the checkpoint as it is, without training, unless the baseline is better" in notes
    assert "matched by name: HAPPY, SAD" in notes and "labels are spelled as" in notes
    assert any("as it is, without training" in note for note in page["notes"])
    assert set(page["labels"]["train"]) == set(NAMES)
    assert "trained further (--dense train)" in said(tuned, "--dense", "train")[0]
    assert "the checkpoint as it is" not in said(tiny_encoder)[0]


def scores(rng: random.Random, count: int) -> str:
    """Rows of a regression: how many of the words are sunny, over ten."""
    texts = [rng.choices(["sunny", "grim"], k=8) for _ in range(count)]
    return "\n".join(["label\ttext", *(f"{words.count('sunny') / 10}\t{' '.join(words)}" for words in texts)]) + "\n"


@pytest.mark.parametrize("scale", [1, 100])
def test_numbers_on_another_scale_are_not_kept(tiny_encoder: Path, tmp_path: Path, scale: int) -> None:
    rng, data = random.Random(0), tmp_path / "data"
    data.mkdir()
    for split in SPLITS:
        (data / f"{split}.tsv").write_text(scores(rng, 60))
    first = started(tiny_encoder, data, tmp_path / "first", **{"training.epochs": 20})
    trained(first)
    model = first.dir.stage("dense")
    weights = load_file(model / "model.safetensors")
    scaled = {name: scale * weights[name] for name in ("classifier.weight", "classifier.bias")}
    save_file(weights | scaled, model / "model.safetensors", metadata={"format": "pt"})
    run = with_baseline(started(model, data, tmp_path / "second"), -1.0)
    assert (trained(run)["steps"] == 0) == (scale == 1)


@pytest.mark.slow
def test_the_model_one_has_becomes_a_verified_bundle(tuned: Path, tiny_task: Path, tmp_path: Path) -> None:
    quick = "--no-apk --quiet --ticket weights --max-tokens 32 --epochs 2 --batch-size 16 --set measure.rounds=3"
    where = ("--model", str(tuned), "--data", str(tiny_task), "--output", str(tmp_path / "run"))
    assert main(["run", *quick.split(), *where]) == 0
    report = read_json(tmp_path / "run" / "report.json")
    validate(report)
    assert read_json(tmp_path / "run" / "dense" / "metrics.json")["steps"] == 0
    assert "dense" not in report["training_curves"] and report["verdict"]["winning_ticket"] is None
    assert "did not train" in report["not_measured"]["verdict.winning_ticket"]
    assert any("no step of training was taken" in note for note in report["task"]["notes"])
    assert verify_bundle(tmp_path / "run" / "android").agreement == 1
    assert read_json(tmp_path / "run" / "android" / "manifest.json")["task"]["labels"] == list(NAMES[::-1])


def unlabeled(tiny_task: Path, file: Path) -> Path:
    """The tiny task's texts without their labels."""
    lines = [line.split("\t")[1] for s in SPLITS for line in (tiny_task / f"{s}.tsv").read_text().splitlines()[1:]]
    file.write_text("\n".join(lines) + "\n")
    return file


@pytest.mark.parametrize("seed", [0, 1])
def test_without_labels_the_checkpoints_answers_are_the_labels(
    tuned: Path, tiny_task: Path, tmp_path: Path, seed: int
) -> None:
    run = started(tuned, unlabeled(tiny_task, tmp_path / "texts.txt"), tmp_path / "run", seed=seed)
    assert (run.task.kind, run.task.metric, run.task.labels) == ("classification", "agreement", NAMES)
    numbers = trained(run)
    assert numbers["steps"] == 0 and numbers["metric"]["dev"] == numbers["metric"]["test"] == 1.0
    for split in SPLITS:
        assert run.labels[split].tolist() == own_logits(tuned, run, split).argmax(axis=1).tolist()
    assert any("agreement with the given model, not whether answers are right" in note for note in run.notes)


@pytest.mark.parametrize("change", ["nothing", "another limit", "a damaged file"])
def test_the_checkpoints_answers_are_kept_with_the_run(
    tuned: Path, tiny_task: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    file, folder, asked = unlabeled(tiny_task, tmp_path / "texts.txt"), tmp_path / "run", []
    flags = {"model.name": str(tuned), "data.source": str(file), **TRAINING}
    first = Inputs.of(load_recipe(None, flags), Console("quiet"))
    answers_as_labels.keep_answers(first.task, first.source, first.recipe, folder)
    [kept] = folder.glob("answers-*.safetensors")
    if change == "a damaged file":
        kept.write_bytes(kept.read_bytes()[:-3])
    monkeypatch.setattr(answers_as_labels, "predict", lambda *given: asked.append(1) or predict(*given))
    limit = {"model.max_tokens": 16} if change == "another limit" else {}
    again = Inputs.of(load_recipe(None, {**flags, **limit}), Console("quiet"), [tmp_path / "none", folder])
    assert len(asked) == (0 if change == "nothing" else len(SPLITS))
    assert change == "another limit" or [again.labels[s].tolist() for s in SPLITS] == [
        first.labels[s].tolist() for s in SPLITS
    ]


def test_plain_text_is_for_masked_words_where_that_is_wanted_or_nothing_else_fits(
    tuned: Path, tiny_encoder: Path, tiny_task: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = unlabeled(tiny_task, tmp_path / "texts.txt")

    def said(model: Path, *more: str) -> str:
        given = ("--model", str(model), "--data", str(file), "--ticket", "weights", "--max-tokens", "32")
        code = main(["check", "--json", *given, *more])
        shown = capsys.readouterr()
        return shown.err if code else shown.out

    assert "kind: classification" in said(tuned) and "the checkpoint has a head for classes" in said(tuned)
    assert "kind: mlm" in said(tiny_encoder) and "no head for classes" in said(tiny_encoder)
    assert "kind: mlm" in said(tuned, "--kind", "mlm")
    assert "from which it can't be trained" in said(tuned, "--dense", "train")
    assert "there are no labels" in said(tuned, "--criterion", "weight_change")
    where = ("--model", str(tuned), "--data", str(file), "--max-tokens", "32", "--output", str(tmp_path / "study"))
    assert main(["study", "--quiet", *where]) == 2
    assert "the labels are the given model's own answers" in capsys.readouterr().err


@pytest.mark.slow
def test_a_model_is_distilled_without_labels_to_a_verified_bundle(tuned: Path, tiny_task: Path, tmp_path: Path) -> None:
    file = unlabeled(tiny_task, tmp_path / "texts.txt")
    quick = "--no-apk --quiet --ticket weights --max-tokens 32 --epochs 2 --batch-size 16 --set measure.rounds=3"
    where = ("--model", str(tuned), "--data", str(file), "--output", str(tmp_path / "run"))
    assert main(["run", *quick.split(), *where]) == 0
    report = read_json(tmp_path / "run" / "report.json")
    validate(report)
    assert report["task"]["metric"] == "agreement" and report["stages"][0]["metric"]["test"] == 1.0
    assert report["task"]["baseline"]["name"].endswith("trained on the given model's answers")
    assert "agreement with the given model" in (tmp_path / "run" / "report.md").read_text()
    assert verify_bundle(tmp_path / "run" / "android").agreement == 1
