"""Recipes on data sets, each with several seeds: `python -m benchmarks.seeds --output DIR --data DATA ...`.

Each run is one `pocket-ticket run` in DIR, in a process of its own. A run that has a report is kept, one that was
interrupted continues. Each finished run becomes a row of docs/results/measured.json, for the tables in docs/; the
means and deviations over seeds are printed. Measure on a quiet machine: the rows have milliseconds.
"""

import argparse
import json
import statistics
import subprocess
import sys
from itertools import groupby
from pathlib import Path
from typing import Any

from benchmarks.measured import MEASURED
from compress.recipe.load import names

NAMES = {"sst2": "SST-2", "trec": "TREC"}  # in the tables, where it is not the folder's


def run(recipe: str, data: str, seed: int, output: Path) -> None:
    """One run, to its report, and its row. Raises CalledProcessError where the run fails."""
    folder = output / f"{Path(data).name}-{recipe}-{seed}"
    if not (folder / "report.json").exists():
        setting = ["--recipe", recipe, "--data", data, "--seed", str(seed), "--output", str(folder)]
        subprocess.run([sys.executable, "-m", "compress.run", "--no-apk", *setting], check=True)
    row = ["--recipe", recipe, "--data", name_of(data)]
    subprocess.run([sys.executable, "-m", "benchmarks.measured", str(folder), *row], check=True)


def name_of(data: str) -> str:
    """A data set's name in the tables."""
    return NAMES.get(Path(data).name, Path(data).name)


def summary(rows: list[dict[str, Any]]) -> list[str]:
    """A line for each recipe and data set: seeds, points of the dense model and of the program, points lost, MB."""
    lines = []
    for (recipe, data), group in groupby(sorted(rows, key=lambda r: (r["data"], r["recipe"])), lambda r: _pair(r)):
        some = list(group)
        shown = [f"{name} {_mean([r[name] for r in some])}" for name in ("dense", "program", "drop", "mb")]
        lines.append(f"{data} {recipe}, {len(some)} seed{'s' * (len(some) > 1)}: {', '.join(shown)}")
    return lines


def _pair(row: dict[str, Any]) -> tuple[str, str]:
    return row["recipe"], row["data"]


def _mean(values: list[float]) -> str:
    return f"{statistics.mean(values):.2f}" + (f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else "")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.seeds", description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True, metavar="DIR")
    parser.add_argument("--data", nargs="+", required=True, metavar="DATA", help="as in pocket-ticket run --data")
    parser.add_argument("--recipes", nargs="+", default=["tiny", "balanced", "accurate"], choices=names())
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    given = parser.parse_args()
    wanted = [(r, d, seed) for seed in given.seeds for d in given.data for r in given.recipes]
    for recipe, data, seed in wanted:
        run(recipe, data, seed, given.output)
    known = {(r, name_of(d)) for r, d, _ in wanted}
    rows = json.loads(MEASURED.read_text(encoding="utf-8"))["runs"]
    print("\n".join(summary([r for r in rows if _pair(r) in known and r["seed"] in given.seeds])))


if __name__ == "__main__":
    main()
