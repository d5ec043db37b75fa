"""Frankle & Carbin (2019) and Zhou et al. (2019) on scikit-learn's digits, from one command.

    python -m benchmarks.digits           # 5 seeds, under 15 minutes on two cores; writes docs/results/digits*

Everything is measured on the test split at the step that the dev split chose. The statements of the papers are checked
one by one, and the page says which of them do not reproduce here.
"""

import argparse
import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from benchmarks.digits.experiments import Settings, run_seed
from benchmarks.digits.page import write_page
from compress.files import read_json, write_json


def main() -> None:
    """Parse the flags, run the seeds side by side, write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes, one thread each")
    parser.add_argument("--output", type=Path, default=Path("docs/results"), help="folder of digits.md and its plots")
    parser.add_argument("--numbers", type=Path, help="keep every number in this JSON file; its seeds are not run again")
    arguments = parser.parse_args()
    print(write_page(measure(arguments.seeds, arguments.workers, arguments.numbers), arguments.output))


def measure(seeds: int, workers: int, numbers: Path | None = None) -> dict:
    """Run the seeds that `numbers` does not hold yet. Returns {"settings", "cpu_minutes", "seeds": one dict a seed}."""
    settings, began = Settings(), time.perf_counter()
    about = {"rounds": settings.rounds, "steps": settings.steps, "levels": settings.levels}
    measured = {"settings": about | {"treated_levels": settings.treated_levels}, "cpu_minutes": 0.0, "seeds": []}
    if numbers and numbers.exists():
        measured = read_json(numbers)
    done = {result["seed"] for result in measured["seeds"]}
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        waiting = [pool.submit(run_seed, seed, settings) for seed in range(seeds) if seed not in done]
        for future in as_completed(waiting):
            result = future.result()
            measured["cpu_minutes"] += result.pop("cpu_minutes")
            measured["seeds"] = sorted([*measured["seeds"], result], key=lambda one: one["seed"])
            if numbers:
                write_json(numbers, measured)
            print(f"seed {result['seed']} done after {(time.perf_counter() - began) / 60:.1f} minutes", flush=True)
    return measured


if __name__ == "__main__":
    main()
