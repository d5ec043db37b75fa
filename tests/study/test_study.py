"""Trainings of a study: each once, the same whether interrupted or not; masks, controls, transfer, searches."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from compress.console import Console
from compress.errors import PocketTicketError
from compress.lottery import Mask, find_ticket
from compress.models.anatomy import prunable_parameters
from compress.pipeline.run import Inputs
from compress.recipe.recipe import Recipe
from compress.study.experiments import dry_run
from compress.study.settings import SEARCHES, Settings
from compress.study.trainings import Bench, Spec
from compress.study.transfer import fitted
from compress.training.trainer import TrainingPlan

Study = Callable[..., dict[str, Any]]
Row = dict[str, Any]


@pytest.fixture(scope="module")
def done(study: Study, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("done")
    return folder, study(folder, (0.3, 0.6), controls=("random", "reinit", "shuffled"), at=(0.6,))


def results(found: dict[str, Any]) -> list[Row]:
    """What does not depend on the clock."""
    return [{key: value for key, value in row.items() if key != "seconds"} for row in found["trainings"]]


def mask_of(folder: Path, found: dict[str, Any], sparsity: float, role: str = "ticket") -> Mask:
    row = next(row for row in found["trainings"] if (row["role"], row["sparsity"]) == (role, sparsity))
    return Mask.load(folder / row["folder"] / "mask.safetensors")


def test_an_interrupted_study_ends_like_one_that_was_not(
    study: Study, done: tuple, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train, count = Bench._train, 0

    def stops_at_the_third(bench: Bench, spec: Spec, folder: Path) -> Any:
        nonlocal count
        count += 1
        if count == 3:
            raise KeyboardInterrupt
        return train(bench, spec, folder)

    more = {"controls": ("random", "reinit", "shuffled"), "at": (0.6,)}
    monkeypatch.setattr(Bench, "_train", stops_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        study(tmp_path, (0.3, 0.6), **more)
    resumed = study(tmp_path, (0.3, 0.6), **more)
    assert count == 7, "6 trainings, one of them begun twice"
    assert results(resumed) == results(done[1]) and resumed["paired"] == done[1]["paired"]
    page, plots = (tmp_path / "study.md").read_text(), {f.name for f in tmp_path.glob("*.svg")}
    assert plots == {"study-sparsity.svg", "study-curves.svg"} and all(f"({name})" in page for name in plots)
    assert json.loads((tmp_path / "study.json").read_text()) == resumed


def test_more_sparsities_and_seeds_train_only_what_is_new(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train, trained = Bench._train, []

    def noted(bench: Bench, spec: Spec, folder: Path) -> Any:
        trained.append((spec.seed, spec.label))
        return train(bench, spec, folder)

    monkeypatch.setattr(Bench, "_train", noted)
    first = study(tmp_path, (0.3,))
    assert trained == [(0, "dense"), (0, "ticket-0.3")]
    trained.clear()
    second = study(tmp_path, (0.3, 0.6))
    assert trained == [(0, "ticket-0.6")]
    assert second["trainings"][:2] == first["trainings"]
    trained.clear()
    study(tmp_path, (0.3, 0.6), seeds=(0, 1))
    assert trained == [(1, "dense"), (1, "ticket-0.3"), (1, "ticket-0.6")]
    trained.clear()
    study(tmp_path, (0.3,), searches=("one_shot",))
    assert trained == [], "one-shot to the first sparsity is the search's own first round"
    study(tmp_path, (0.3,), searches=("taylor",))
    assert trained == [(0, "dense"), (0, "taylor-0.3")], "once more for what was not kept"
    trained.clear()
    assert results(study(tmp_path, (0.3, 0.6))) == results(second) and trained == []


def test_masks_come_from_one_path_that_is_the_papers_search(done: tuple, recipe: Recipe) -> None:
    folder, found = done
    masks = {level: mask_of(folder, found, level) for level in (0.3, 0.6)}
    assert all(not (masks[0.6][name] & ~keep).any() for name, keep in masks[0.3].items()), "nothing comes back"
    assert abs(masks[0.6].sparsity - 0.6) < 1e-3
    run = Inputs.of(recipe, Console("quiet"))
    model, learner = run.pretrained(), run.learner()
    searched = find_ticket(
        model,
        lambda module, plan: learner.fit(module, TrainingPlan("round", 1, run.recipe.seed)) and None,
        sparsity=0.6,
        schedule=[0.3, 0.6],
        scope=run.recipe.ticket.scope,
        parameters=prunable_parameters(model),
        train_found=False,
    )
    assert searched.rounds[0].mask == masks[0.3] and searched.mask == masks[0.6]


def test_controls_are_as_sparse_in_each_matrix_and_not_the_ticket(done: tuple) -> None:
    folder, found = done
    ticket, chance = mask_of(folder, found, 0.6), mask_of(folder, found, 0.6, "control")
    assert {n: int(k.sum()) for n, k in ticket.items()} == {n: int(k.sum()) for n, k in chance.items()}
    assert ticket != chance
    controls = [row for row in found["trainings"] if row["role"] == "control"]
    assert [row["source"] for row in controls] == ["random", "reinit", "shuffled"]
    assert {row["sparsity_prunable"] for row in controls} == {ticket.sparsity}


def test_a_transferred_own_mask_trains_to_the_own_ticket(study: Study, done: tuple, tmp_path: Path) -> None:
    folder, found = done
    other = study(tmp_path, (0.5, 0.6), at=(0.6,), transfer=(folder,))
    moved = next(row for row in other["trainings"] if row["role"] == "transfer")
    own = next(row for row in found["trainings"] if (row["role"], row["sparsity"]) == ("ticket", 0.6))
    assert (
        0 < moved["mask_distance"] < 0.5
        and moved["source"] == other["task"]["name"]
        and moved["folder"] != own["folder"]
    )
    assert all(moved[key] == own[key] for key in ("dev", "test", "steps", "curve", "sparsity_prunable"))
    assert "Tickets of other tasks" in (tmp_path / "study.md").read_text()


def test_a_ticket_that_does_not_fit_is_refused_before_anything_is_trained(
    study: Study, done: tuple, tmp_path: Path
) -> None:
    folder, found = done
    with pytest.raises(PocketTicketError, match=r"it has no ticket at a sparsity of 0.5 \(it has 0.3, 0.6\)"):
        study(tmp_path / "a", (0.5,), transfer=(folder,))
    with pytest.raises(PocketTicketError, match="there is no study"):
        study(tmp_path / "b", (0.5,), transfer=(tmp_path,))
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "study.json").write_text(json.dumps(found | {"model": {"name": "other", "fingerprint": "0"}}))
    with pytest.raises(PocketTicketError, match="found in the encoder other, not of this tiny_encoder"):
        study(tmp_path / "c", (0.6,), transfer=(foreign,))
    assert not (tmp_path / "a").exists() and not (tmp_path / "c").exists()


def test_only_the_pooler_may_be_on_one_side_alone() -> None:
    def ones(*names: str) -> dict[str, torch.Tensor]:
        return {name: torch.ones(2, 2, dtype=torch.bool) for name in names}

    half = ones("bert.a") | {"bert.pooler.dense.weight": torch.zeros(2, 2, dtype=torch.bool)}
    assert fitted(Mask(half), ones("bert.a"), "pooler.dense") == Mask(ones("bert.a"))
    whole = ones("bert.a", "bert.pooler.dense.weight")
    assert fitted(Mask(ones("bert.a")), whole, "pooler.dense") == Mask(whole)
    with pytest.raises(PocketTicketError, match=r"the mask says nothing about bert\.b"):
        fitted(Mask(ones("bert.a")), ones("bert.a", "bert.b"), "pooler.dense")


@pytest.mark.slow
def test_every_search_has_its_price_and_its_sparsity(study: Study, tmp_path: Path) -> None:
    found = study(tmp_path, (0.3, 0.6), at=(0.6,), searches=tuple(SEARCHES))
    rows = {row["source"]: row for row in found["trainings"] if row["role"] == "search"}
    assert set(rows) == set(SEARCHES)
    assert len({row["sparsity_prunable"] for row in rows.values()}) == 1
    dense = next(row["steps"] for row in found["trainings"] if row["role"] == "dense")
    prices = {name: row["search_steps"] / dense for name, row in rows.items()}
    assert prices["pretrained"] == 0
    assert prices["one_shot"] == prices["taylor"] == prices["movement_pruning"] == 1
    assert all(0 <= row["mask_distance"] < 0.8 for row in rows.values()) and rows["taylor"]["mask_distance"] > 0
    assert prices["averaged"] == 1.5 and prices["short"] == 2
    assert prices["distilled"] == pytest.approx(2 + 1 / 3) and 0 < prices["early"] <= 2
    folder = tmp_path / next(row["folder"] for row in found["trainings"] if row["role"] == "dense")
    kept = {file.name for file in folder.glob("*.safetensors")}
    assert kept >= {"model.safetensors", *(f"scores-{c}.safetensors" for c in ("magnitude", "taylor"))}
    assert "## Cheaper searches" in (tmp_path / "study.md").read_text()


def test_a_dry_run_trains_and_writes_nothing(recipe: Recipe, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    settings = Settings((0.3, 0.6), (0, 1), ("random",), ("short",), (0.6,))
    dry_run(recipe, settings, tmp_path / "study", Console())
    shown = capsys.readouterr().err
    for part in ("dense model", "tickets", "control: random", "search: short", "all, without dev and test"):
        assert part in shown
    assert list(tmp_path.iterdir()) == []
