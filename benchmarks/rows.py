"""Finished runs as rows of a Markdown table, for docs/notebook.md: `python -m benchmarks.rows RUN_DIR ...`.

Metrics are on test, the program's from the file itself; ratios are dense ÷ ticket; latency is the median.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from compress.report.sentences import metric_format

HEADINGS = ("data", "metric", "bag of words", "dense", "model before export", "its program", "drop (95 %)", "MB")
HEADINGS += ("download", "12 tokens", "64 tokens", "same answer as PyTorch")


def row(report: dict[str, Any]) -> list[str]:
    """The cells of one run's report.json, in the order of HEADINGS."""
    metric, verdict = metric_format(report), report["verdict"]
    dense, ticket = (report["programs"][name] for name in ("dense", "ticket"))
    stages = [stage for stage in report["stages"] if stage["name"] not in ("program",)]
    latency = [f"{ticket['latency_ms'][n]['median']:.2f} ms ({verdict['speed_ratio'][n]:.1f} ×)" for n in ("12", "64")]
    return [
        report["task"]["name"],
        metric.name,
        metric.bare(report["task"]["baseline"]["metric"]["test"]),
        metric.bare(dense["metric"]["test"]),
        ", ".join(f"{stage['name']} {metric.bare(stage['metric']['test'])}" for stage in stages[1:]),
        metric.bare(ticket["metric"]["test"]),
        f"{metric.points(verdict['drop_points'])} ({metric.between(verdict['ci95'])})",
        f"{ticket['bytes'] / 1e6:.2f} ({verdict['size_ratio']:.1f} ×)",
        f"{ticket['download_bytes'] / 1e6:.2f} ({verdict['download_ratio']:.1f} ×)",
        *latency,
        f"{100 * ticket['agreement_with_eager']:.1f} %",
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rows", description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN_DIR")
    lines = [HEADINGS, ["---"] * len(HEADINGS)]
    lines += [row(json.loads((run / "report.json").read_text(encoding="utf-8"))) for run in parser.parse_args().runs]
    for cells in lines:
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
