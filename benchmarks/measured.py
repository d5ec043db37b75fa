"""Add a finished run to docs/results/measured.json: `python -m benchmarks.measured RUN_DIR --recipe NAME --data NAME`.

The numbers are those of its report.json, nothing is typed in. A row of the same recipe, data and seed is replaced. The
row names the commit whose code ran: the one that is checked out, or `--commit`. `--flags` are the run's other flags:
such a row is of the table of other tasks, and has no times, so that it may come from a busy machine.
"""

import argparse
import json
import subprocess
from pathlib import Path
from typing import Any

import yaml

from compress.data.sources import BUNDLED
from compress.files import write_atomic
from compress.recipe.load import names
from compress.report.formats import MetricFormat

MEASURED = Path(__file__).parents[1] / "docs" / "results" / "measured.json"


def row(run: Path, recipe: str, data: str, commit: str) -> dict[str, Any]:
    """A run's row: its programs' numbers, in points (100 × the metric), MB and ms."""
    report = json.loads((run / "report.json").read_text(encoding="utf-8"))
    settings, verdict = yaml.safe_load(report["recipe"]["yaml"]), report["verdict"]
    dense, ticket = (report["programs"][name] for name in ("dense", "ticket"))
    scale = MetricFormat(report["task"]["metric"]).scale
    parts = {
        part["name"]: {"baseline": round(scale * part["baseline"], 1)}
        | {name: round(scale * value, 1) for name, value in part["programs"].items()}
        for part in report["task"].get("parts", ())
    }
    int8 = report["programs"].get("dense_int8")
    more = {"parts": parts} if parts else {}
    if int8:
        more["dense_int8"] = {
            "program": round(scale * int8["metric"]["test"], 1),
            "mb": round(int8["bytes"] / 1e6, 2),
            "download_mb": round(int8["download_bytes"] / 1e6, 2),
            "ms": {n: round(int8["latency_ms"][n]["median"], 2) for n in ("12", "64")},
            "size_ratio": round(dense["bytes"] / int8["bytes"], 1),
            "download_ratio": round(dense["download_bytes"] / int8["download_bytes"], 1),
            "speed_ratio": {
                n: round(dense["latency_ms"][n]["median"] / int8["latency_ms"][n]["median"], 1) for n in ("12", "64")
            },
        }
    return more | {
        "recipe": recipe,
        "data": data,
        "seed": settings["seed"],
        "date": report["created"][:10],
        "dense": round(scale * dense["metric"]["test"], 1),
        "program": round(scale * ticket["metric"]["test"], 1),
        "drop": round(verdict["drop_points"], 1),
        "ci95": [round(end, 1) for end in verdict["ci95"]],
        "baseline": round(scale * report["task"]["baseline"]["metric"]["test"], 1),
        "mb": round(ticket["bytes"] / 1e6, 2),
        "dense_mb": round(dense["bytes"] / 1e6, 1),
        "size_ratio": round(verdict["size_ratio"], 1),
        "download_mb": round(ticket["download_bytes"] / 1e6, 2),
        "dense_download_mb": round(dense["download_bytes"] / 1e6, 1),
        "download_ratio": round(verdict["download_ratio"], 1),
        "ms": {n: round(ticket["latency_ms"][n]["median"], 2) for n in ("12", "64")},
        "dense_ms": {n: round(dense["latency_ms"][n]["median"], 2) for n in ("12", "64")},
        "speed_ratio": {n: round(verdict["speed_ratio"][n], 1) for n in ("12", "64")},
        "commit": commit,
        "command": f"pocket-ticket run {f'--recipe {recipe}' if recipe in names() else recipe}{_given(settings)}",
    }


def _given(settings: dict[str, Any]) -> str:
    """The flags of a run's data and seed: data sets are folders in data/, as `benchmarks.datasets` writes them."""
    source, seed = settings["data"]["source"], settings["seed"]
    data = "" if source in BUNDLED else f" --data data/{Path(source).name}"
    return f"{data} --seed {seed}" if data or seed else ""


def _checked_out() -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, cwd=MEASURED.parent, capture_output=True, text=True, check=True).stdout.strip()


def task_row(run: Path, recipe: str, data: str, commit: str, flags: str) -> dict[str, Any]:
    """A run's row in the table of other tasks: quality with intervals, in points of the metric, and bytes."""
    report = json.loads((run / "report.json").read_text(encoding="utf-8"))
    task, verdict, shown = report["task"], report["verdict"], MetricFormat(report["task"]["metric"])
    dense, ticket = (report["programs"][name] for name in ("dense", "ticket"))

    def score(metric: dict[str, Any]) -> list[float]:
        return [round(shown.scale * value, 1) for value in (metric["test"], *metric["ci95"])]

    return {
        "recipe": recipe,
        "data": data,
        "seed": yaml.safe_load(report["recipe"]["yaml"])["seed"],
        "date": report["created"][:10],
        "metric": shown.name,
        "train": task["train_examples"],
        "test": task["eval_examples"],
        "baseline": score(task["baseline"]["metric"]),
        "dense": score(dense["metric"]),
        "program": score(ticket["metric"]),
        "further": report["stages"][-1].get("note", ""),
        "drop": round(verdict["drop_points"], 1),
        "ci95": [round(end, 1) for end in verdict["ci95"]],
        "mb": round(ticket["bytes"] / 1e6, 2),
        "size_ratio": round(verdict["size_ratio"], 1),
        "commit": commit,
        "command": f"pocket-ticket run --recipe {recipe} {flags}",
    }


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.measured", description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, metavar="RUN_DIR")
    parser.add_argument("--recipe", required=True, help="the recipe's name, or the flags that stand for it")
    parser.add_argument("--data", required=True, help="the data set's name in the tables")
    parser.add_argument("--commit", default=_checked_out(), help="the code that ran (default: the one checked out)")
    parser.add_argument("--flags", help="the run's other flags: a row of the table of other tasks, without times")
    given = parser.parse_args()
    measured = json.loads(MEASURED.read_text(encoding="utf-8"))
    of = (given.run, given.recipe, given.data, given.commit)
    place, new = ("tasks", task_row(*of, given.flags)) if given.flags else ("runs", row(*of))
    same = ("recipe", "data", "seed")
    measured[place] = [r for r in measured.get(place, ()) if any(r[key] != new[key] for key in same)] + [new]
    write_atomic(MEASURED, json.dumps(measured, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
