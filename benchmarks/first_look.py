"""Is the dense model of a recipe ahead of its baseline? On every data set in a folder, on dev.

    python -m benchmarks.first_look --data DATA_DIR --output DIR [--recipe quick]

Each data set's first two stages are run, baseline and dense model, and their numbers are added to DIR/first_look.json,
which docs/results/first_look.md is made of. A data set that is in that file is not run again.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from compress.console import Console
from compress.errors import PocketTicketError
from compress.files import write_atomic
from compress.pipeline.run import Inputs
from compress.pipeline.stages.baseline import run_baseline
from compress.pipeline.stages.dense import run_dense
from compress.recipe.load import load_recipe
from compress.report.formats import MetricFormat


def row(data: Path, recipe: str, seed: int, limit: int) -> dict[str, Any]:
    """A data set's baseline and dense model, on dev, in the unit of its metric."""
    flags = {"data.source": str(data), "seed": seed, "data.train_limit": limit}
    with tempfile.TemporaryDirectory() as folder:
        inputs = Inputs.of(load_recipe(recipe, flags), Console("quiet"))
        run = inputs.in_folder(Path(folder))
        for name, stage in (("baseline", run_baseline), ("dense", run_dense)):
            run.dir.stage(name).mkdir(parents=True)
            stage(run, run.dir.stage(name))
        simple, dense = run.metrics("baseline"), run.metrics("dense")
    scale = MetricFormat(run.task.metric).scale
    tries = {key: round(scale * dense[key], 1) for key in ("first_try_dev", "second_try_dev") if key in dense}
    return {
        "data": data.name,
        "recipe": recipe,
        "seed": seed,
        "metric": run.task.metric,
        "train": len(run.task.train),
        "labels": len(run.task.labels),
        "passes": run.recipe.training.passes,
        "learning_rate": run.recipe.training.peak,
        "steps": dense["steps"],
        "baseline": round(scale * simple["dev"], 1),
        "dense": round(scale * dense["metric"]["dev"], 1),
        **tries,
    }


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.first_look", description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="a folder with a folder for each set")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR")
    parser.add_argument("--recipe", default="quick")
    parser.add_argument("--only", nargs="*", metavar="NAME", help="these data sets alone")
    parser.add_argument("--limit", type=int, default=15000, help="training examples at most (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    file = given.output / "first_look.json"
    rows = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    for data in sorted(path for path in given.data.iterdir() if path.is_dir()):
        known = any((r["data"], r["recipe"], r["seed"]) == (data.name, given.recipe, given.seed) for r in rows)
        if known or (given.only and data.name not in given.only):
            continue
        try:
            found = row(data, given.recipe, given.seed, given.limit)
        except PocketTicketError as error:
            print(f"{data.name}: left out: {error}", flush=True)
            continue
        rows.append(found)
        write_atomic(file, json.dumps(rows, indent=1) + "\n")
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
