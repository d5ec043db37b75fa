"""The ticket of single weights: where its rounds and its own training start, and at which learning rate."""

import dataclasses
from pathlib import Path

import pytest
import torch

from compress.console import Console
from compress.errors import TrainingError
from compress.files import read_json
from compress.lottery import Mask, RoundRecord
from compress.models.anatomy import prunable_parameters
from compress.pipeline.run import Inputs, Run
from compress.pipeline.stages import calibration
from compress.pipeline.stages.calibration import calibration_batches, losses
from compress.pipeline.stages.dense import run_dense
from compress.pipeline.stages.ticket import run_ticket
from compress.recipe.load import load_recipe
from compress.training.trainer import _Loop

STEPS = 16  # two passes over the 60 texts, 8 at a time
RATE = 0.003


@pytest.fixture(scope="module")
def run(tiny_encoder: Path, tiny_task: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run whose dense model is there."""
    flags = {"model.name": str(tiny_encoder), "data.source": str(tiny_task), "model.max_tokens": 32}
    training = {"training.epochs": 2, "training.learning_rate": RATE, "training.batch_size": 8}
    recipe = load_recipe(None, {**flags, **training, "ticket.rounds": 2, "ticket.round_epochs": 1})
    run = Inputs.of(recipe, Console("quiet")).in_folder(tmp_path_factory.mktemp("weights"))
    run.dir.stage("dense").mkdir()
    run_dense(run, run.dir.stage("dense"))
    return run


@pytest.fixture
def rates(monkeypatch: pytest.MonkeyPatch) -> list[list[float]]:
    """The learning rate of every step of every training, as the optimizer used it."""
    found: list[list[float]] = []

    def noted(self: _Loop, *args: object, **kwargs: object) -> torch.Tensor:
        if self.state.global_step == 0:
            found.append([])
        found[-1].append(self.optimizer.param_groups[0]["lr"])
        return super(_Loop, self).training_step(*args, **kwargs)

    monkeypatch.setattr(_Loop, "training_step", noted, raising=False)
    return found


def ticket(run: Run, folder: Path, rewind: str = "pretrained", **more: object) -> dict:
    settings = run.recipe.ticket.model_copy(update={"rewind": rewind, **more})
    run_ticket(dataclasses.replace(run, recipe=run.recipe.model_copy(update={"ticket": settings})), folder)
    return read_json(folder / "metrics.json")


def schedule(steps: int) -> list[float]:
    """Linear warm-up over a tenth of the steps, then linear decay."""
    warm = round(0.1 * steps)
    return [RATE * min(i / max(warm, 1), (steps - i) / (steps - warm)) for i in range(steps)]


@pytest.mark.parametrize("rewind", ["pretrained", "learning_rate"])
def test_the_schedule_starts_again(run: Run, tmp_path: Path, rates: list, rewind: str) -> None:
    """Round 1 is the dense stage's; round 2 has one pass, the ticket two, each from the schedule's beginning."""
    assert ticket(run, tmp_path, rewind)["steps"] == STEPS
    assert [len(one) for one in rates] == [STEPS // 2, STEPS]
    for found in rates:
        assert found == pytest.approx(schedule(len(found)))


def test_one_round_by_taylor_asks_the_dense_model_and_trains_nothing(run: Run, tmp_path: Path, rates: list) -> None:
    """The mask keeps the highest |w|·E|∂L/∂w| of the dense model; the ticket's is the only training."""
    search = ticket(run, tmp_path, criterion="taylor", rounds=1, sparsity=0.4)["search"]
    assert [len(one) for one in rates] == [STEPS]
    assert search[0]["metric_dev"] == run.metrics("dense")["metric"]["dev"]
    dense, seen = run.saved("dense"), []
    for loss in losses(run, dense, calibration_batches(run, dense)):
        dense.zero_grad()
        loss.backward()
        seen.append({name: p.grad.abs() for name, p in prunable_parameters(dense).items()})
    scores = {n: p.detach().abs() * sum(g[n] for g in seen) for n, p in prunable_parameters(dense).items()}
    mask = Mask.load(tmp_path / "mask.safetensors")
    layers = [name for name in mask if "layer." in name]
    kept = min(float(scores[name][mask[name]].min()) for name in layers)
    gone = max(float(scores[name][~mask[name]].max()) for name in layers)
    assert gone <= kept * (1 + 1e-5)
    assert mask.sparsity == pytest.approx(0.4, abs=1e-3)


def test_fine_tuning_stays_at_a_tenth_of_the_peak(run: Run, tmp_path: Path, rates: list) -> None:
    ticket(run, tmp_path, "none")
    assert [len(one) for one in rates] == [STEPS // 2, STEPS]
    assert [rate for one in rates for rate in one] == pytest.approx([RATE / 10] * (STEPS // 2 + STEPS))


def test_rewound_to_step_k_weights_and_schedule_begin_there(run: Run, tmp_path: Path, rates: list) -> None:
    """The first round trains here, as long as the dense model; all others start from its weights after step 5."""
    assert ticket(run, tmp_path, "step:5")["steps"] == STEPS - 5
    dense, second, last = rates
    assert (len(dense), len(second), len(last)) == (STEPS, STEPS // 2 - 5, STEPS - 5)
    assert last == pytest.approx(schedule(STEPS)[5:])
    starts = [RoundRecord.load(file).start for file in sorted((tmp_path / "rounds").iterdir())]
    theta0 = run.pretrained().state_dict()
    assert all(torch.equal(starts[0][name], starts[1][name]) for name in starts[0])
    assert any(not torch.equal(starts[0][name], theta0[name]) for name in starts[0])


def test_a_step_beyond_a_round_is_refused(run: Run, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="8 steps can't begin at step 9"):
        ticket(run, tmp_path, "step:9")


def test_large_encoders_are_scored_on_fewer_texts(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    model = run.pretrained()
    assert calibration_batches(run, model) == 2  # all 60 texts
    monkeypatch.setattr(calibration, "_LARGE_MOST", 1)
    assert calibration_batches(run, model) == 2
    monkeypatch.setattr(calibration, "_LARGE", 1000)
    assert calibration_batches(run, model) == 1
    assert len(list(calibration.batches(run, 1))) == 1
