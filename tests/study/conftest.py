"""A tiny study through the real trainings, and results made of numbers alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from compress.console import Console
from compress.recipe.load import load_recipe
from compress.recipe.recipe import Recipe
from compress.study.experiments import run_study
from compress.study.settings import Settings


@pytest.fixture(scope="session")
def recipe(tiny_encoder: Path, tiny_task: Path) -> Recipe:
    settings = ["model.max_tokens=64", "training.epochs=1", "training.batch_size=16", "training.learning_rate=0.01"]
    return load_recipe(None, {"model.name": str(tiny_encoder), "data.source": str(tiny_task)}, settings)


@pytest.fixture(scope="session")
def study(recipe: Recipe) -> Callable[..., dict[str, Any]]:
    """study(folder, sparsities, **settings) runs one, quietly."""

    def run(folder: Path, sparsities: tuple[float, ...], **more: Any) -> dict[str, Any]:
        settings = {"seeds": (0,), "controls": (), "at": sparsities, "looks": 1} | more
        return run_study(recipe, Settings(sparsities, **settings), folder, Console("quiet"))

    return run


@pytest.fixture
def numbers() -> Callable[..., dict[str, Any]]:
    """numbers({sparsity: values of the seeds on dev and test}) is a study.json; sparsity 0 is the dense model."""

    def make(columns: dict[float, tuple[list[float], list[float]]], **task: Any) -> dict[str, Any]:
        rows = [
            {"role": "ticket" if level else "dense", "source": None, "sparsity": level, "seed": seed}
            | {"dev": dev, "test": test, "steps": 100, "seconds": 1.0, "sparsity_total": level / 2}
            | {"search_steps": 100.0, "sparsest": ["pooler", level], "curve": [{"step": 100, "metric_dev": dev}]}
            for level, both in columns.items()
            for seed, (dev, test) in enumerate(zip(*both, strict=True))
        ]
        paired = [{"sparsity": s, "value": 0.0, "low": -0.01, "high": 0.01} for s in columns if s]
        return {
            "task": {
                "name": "task",
                "kind": "classification",
                "metric": "accuracy",
                "examples": {"train": 100, "test": 500},
            }
            | task,
            "model": {"name": "encoder"},
            "recipe": {"ticket": {"criterion": "taylor"}},
            "settings": {"at": [s for s in columns if s], "round_epochs": 3.0},
            "trainings": rows,
            "paired": paired,
        }

    return make
