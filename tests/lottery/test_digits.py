"""The digits benchmark's parts, and a run of it that is too small to show anything but that all of it is measured."""

import json

import pytest
import torch

from benchmarks.digits.experiments import Settings, run_seed
from benchmarks.digits.page import compared, statements, write_page
from benchmarks.digits.results import Results
from benchmarks.digits.task import Curve, splits


def test_splits_are_apart_and_stratified():
    parts = splits()
    assert {name: len(part.y) for name, part in parts.items()} == {"train": 1000, "dev": 400, "test": 397}
    rows = [tuple(row) for part in parts.values() for row in part.x.tolist()]
    assert len(rows) == 1797
    for part in parts.values():
        assert part.y.bincount().float().div(len(part.y)).sub(0.1).abs().max() < 0.01


def test_dev_chooses_and_test_reports():
    curve = Curve(steps=[5, 10, 15], dev_loss=[0.3, 0.1, 0.2], dev=[0.9, 0.94, 0.96], test=[0.99, 0.92, 0.95])
    assert (curve.stop, curve.accuracy, curve.speed) == (10, 0.92, 15)


@pytest.mark.parametrize(
    ("better", "shown"), [([0.9, 0.91, 0.92], True), ([0.7, 0.71, 0.72], False), ([0.81, 0.79, 0.82], None)]
)
def test_a_statement_is_shown_only_by_a_clear_difference(better, shown):
    assert compared("", better, [0.8, 0.8, 0.805]).shown is shown


@pytest.mark.slow
def test_a_small_run_measures_everything(tmp_path):
    settings = Settings(rounds=6, steps=20)
    seeds = [run_seed(seed, settings) for seed in (0, 1)]
    again = run_seed(1, settings)
    for result in (*seeds, again):
        assert result.pop("cpu_minutes") > 0
    assert json.loads(json.dumps(seeds)) == seeds and again == seeds[1]
    about = {"rounds": 6, "steps": 20, "levels": settings.levels, "treated_levels": settings.treated_levels}
    write_page({"settings": about, "cpu_minutes": 0.1, "seeds": seeds}, tmp_path)
    page = (tmp_path / "digits.md").read_text()
    for plot in tmp_path.glob("*.svg"):
        assert f"({plot.name})" in page
    assert len(list(tmp_path.glob("*.svg"))) == 5
    results = Results({"settings": about, "seeds": seeds})
    assert all(s.claim in page for s in statements(results))
    densities = [results.density(level) for level in range(7)]
    output, others = 1000, 49200
    expected = [(others * 0.8**n + output * 0.9**n) / 50200 for n in range(7)]
    assert densities == pytest.approx(expected, abs=1.5 / 50200)  # half a weight a tensor
    assert torch.get_num_threads() == 1
