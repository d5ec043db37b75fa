"""Frankle & Carbin (2019) and Zhou et al. (2019) on scikit-learn's digits, from one command.

    python -m benchmarks.digits           # 5 seeds, under 15 minutes on two cores; writes docs/results/digits*

Everything is measured on the test split at the step that the dev split chose. The statements of the papers are checked
one by one, and the page says which of them do not reproduce here.
"""

import argparse
import json
import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmarks.digits.experiments import Settings, run_seed
from benchmarks.digits.page import write_page


def main() -> None:
    """Parse the flags, run the seeds side by side, write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=min(os.cpu_count() or 1, 5), help="processes, one thread each")
    parser.add_argument("--output", type=Path, default=Path("docs/results"), help="folder of digits.md and its plots")
    parser.add_argument("--numbers", type=Path, help="also write every number as JSON; if the file is there, read it")
    arguments = parser.parse_args()
    if arguments.numbers and arguments.numbers.exists():
        measured = json.loads(arguments.numbers.read_text())
    else:
        measured = measure(arguments.seeds, arguments.workers)
        if arguments.numbers:
            arguments.numbers.write_text(json.dumps(measured))
    print(write_page(measured, arguments.output))


def measure(seeds: int, workers: int, settings: Settings | None = None) -> dict:
    """Run all seeds. Returns {"settings", "minutes", "seeds": [one dict a seed]}."""
    settings, began, results = settings or Settings(), time.perf_counter(), []
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        for future in [pool.submit(run_seed, seed, settings) for seed in range(seeds)]:
            results.append(future.result())
            minutes = (time.perf_counter() - began) / 60
            print(f"seed {results[-1]['seed']} done after {minutes:.1f} minutes", flush=True)
    about = {"rounds": settings.rounds, "steps": settings.steps, "levels": settings.levels}
    about["treated_levels"] = settings.treated_levels
    return {"settings": about, "minutes": (time.perf_counter() - began) / 60, "seeds": results}


if __name__ == "__main__":
    main()
