"""Several studies side by side, as Markdown: `python -m compress.study.compare STUDY_DIR ...`.

First which sparsities win on each task; then, of studies with --transfer, sources × targets. A cell is a test metric,
mean ± standard deviation over seeds.
"""

import sys
from pathlib import Path
from statistics import fmean

from compress.console import Parser, exit_code
from compress.pages.markdown import spread, table
from compress.study.page import CHEN
from compress.study.results import Results, load_study


def winners(studies: list[Results]) -> str:
    """A row a study, a column a sparsity; bold where the ticket wins on dev and on test."""
    levels = sorted({s for r in studies for s in r.sparsities})

    def cell(r: Results, s: float, won: list[float]) -> str:
        mark = "**" if s in won else ""
        return f"{mark}{spread(r.values('ticket', s))}{mark}" if s in r.sparsities else "–"

    def row(r: Results) -> list[str]:
        task, won = r.study["task"], [s for s in r.winning("dev") if s in r.winning("test")]
        chance = [(s, r.values("control", s, "random")) for s in r.sparsities]
        paper = CHEN.get(task["name"])
        return [
            f"{task['name']} ({task['examples']['train']:,}, {r.of('dense')[0]['steps']:,})",
            r.study["recipe"]["ticket"]["criterion"],
            spread(r.values("dense")),
            *(cell(r, s, won) for s in levels),
            ", ".join(f"{spread(values)} at {s:.0%}" for s, values in chance if values) or "–",
            f"{max(won):.0%}" if won else "none",
            f"{paper:.0%}" if paper else "–",
        ]

    head = ["task (training examples, steps)", "criterion", "dense", *(f"{s:.0%}" for s in levels), "random mask"]
    return table([*head, "highest that wins", "BERT-base (Chen et al.)"], [row(r) for r in studies])


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
    """Print the winners, and a matrix for each sparsity at which all the studies tried others' tickets."""
    parser = Parser(prog="python -m compress.study.compare", description=__doc__.splitlines()[0])
    parser.add_argument("studies", nargs="+", type=Path, metavar="STUDY_DIR")
    parsed = parser.parse_args(arguments)

    def work() -> None:
        studies = [Results(load_study(folder)) for folder in parsed.studies]
        print(winners(studies), end="\n\n")
        targets = [r for r in studies if r.sources("transfer")]
        for sparsity in sorted(set.intersection(*(set(r.settings["at"]) for r in targets)) if targets else ()):
            print(matrix(targets, sparsity), end="\n\n")

    return exit_code(work)


if __name__ == "__main__":
    sys.exit(main())
