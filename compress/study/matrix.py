"""Sources × targets of several studies with --transfer, as Markdown: `python -m compress.study.matrix STUDY_DIR ...`.

A cell is the test metric of the source's ticket trained on the target's data, mean ± standard deviation over seeds.
"""

import argparse
import sys
from pathlib import Path
from statistics import fmean

from compress.report.markdown import spread, table
from compress.run import exit_code
from compress.study.results import Results
from compress.study.transfer import load_study


def matrix(studies: list[Results], sparsity: float) -> str:
    """A row a source, a column a target, and the mean over the targets that are not the source's own."""
    names = [r.study["task"]["name"] for r in studies]
    sources = list(dict.fromkeys([*names, *(name for r in studies for name in r.sources("transfer"))]))

    def values(source: str, name: str, r: Results) -> list[float]:
        return r.values("ticket", sparsity) if source == name else r.values("transfer", sparsity, source)

    def row(title: str, cells: list[list[float]], others: list[list[float]]) -> list[str]:
        mean = f"{100 * fmean(map(fmean, others)):.1f}" if others and all(others) else ""
        return [title, *(spread(cell) if cell else "" for cell in cells), mean]

    rows = []
    for source in sources:
        cells = {name: values(source, name, r) for name, r in zip(names, studies, strict=True)}
        rows.append(row(source, list(cells.values()), [cell for name, cell in cells.items() if name != source]))
    chance = [r.values("control", sparsity, "random") for r in studies]
    whole = [r.values("dense") for r in studies]
    rows += [row("random mask", chance, chance), row("dense", whole, whole)]
    return table([f"ticket of, at {sparsity:.0%}", *names, "mean of other tasks"], rows)


def main(arguments: list[str] | None = None) -> int:
    """Print a matrix for each sparsity that all the studies have."""
    parser = argparse.ArgumentParser(prog="python -m compress.study.matrix", description=__doc__.splitlines()[0])
    parser.add_argument("studies", nargs="+", type=Path, metavar="STUDY_DIR")
    parsed = parser.parse_args(arguments)

    def work() -> None:
        studies = [Results(load_study(folder)) for folder in parsed.studies]
        for sparsity in sorted(set.intersection(*(set(r.settings["at"]) for r in studies))):
            print(matrix(studies, sparsity), end="\n\n")

    return exit_code(work)


if __name__ == "__main__":
    sys.exit(main())
