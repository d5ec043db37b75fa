"""study.md: the verdict in words, tables like those of Chen et al. 2020, plots."""

from pathlib import Path
from statistics import fmean, stdev

from compress.files import write_atomic
from compress.pages.markdown import spread, table
from compress.study.plots import draw
from compress.study.results import Results
from compress.study.settings import CONTROLS, SEARCHES

# The highest winning sparsity with BERT-base, Chen et al. 2020, table 2, by the folder of the task's data.
CHEN = dict(mnli=0.7, qqp=0.9, stsb=0.5, wnli=0.9, qnli=0.7, mrpc=0.5, rte=0.6, sst2=0.6, cola=0.5, squad=0.4)
_WORDS = {True: "wins", False: "no", None: "open"}


def write_page(r: Results, folder: Path) -> None:
    """Write study.md and its plots into the folder."""
    plots = [f"![{words}]({name})" for name, words in draw(r, folder).items()]
    parts = [
        _head(r),
        r.sentence(),
        _papers(r),
        "## Tickets and controls",
        _tickets(r),
        _sparsest(r),
        *plots,
        _curves(r),
    ]
    if r.sources("search"):
        parts += ["## Cheaper searches", _SEARCH_NOTE, _searches(r)]
    if r.sources("transfer"):
        parts += ["## Tickets of other tasks", _TRANSFER_NOTE, _transfer(r)]
    write_atomic(folder / "study.md", "\n\n".join(part for part in parts if part) + "\n")


_SEARCH_NOTE = (
    "Test, mean ± standard deviation over seeds, of tickets trained like the dense model. In brackets: the cost of "
    "finding the mask, in dense fine-tunings (without the ticket's own training), and the share of the prunable "
    "weights on which the mask differs from the iterative search's. *: below the iterative search by more than its "
    "standard deviation. Last: the rule against the dense model, on dev / test."
)

_TRANSFER_NOTE = "Test; in brackets the share of the prunable weights on which the mask differs from this task's own."


def _head(r: Results) -> str:
    task, settings, dense = r.study["task"], r.settings, r.of("dense")
    seconds = fmean(row["seconds"] for row in dense)
    name, spoken = task["name"], r.metric.name[0].upper() + r.metric.name[1:]
    sizes = ", ".join(f"{count:,} {split}" for split, count in task["examples"].items())
    sentences = (
        f"Examples: {sizes}. Seeds: {', '.join(str(row['seed']) for row in dense)}.",
        f"Every training has {dense[0]['steps']:,} steps; the dense model's took {seconds:.0f} s{_how(r)}.",
        f"The search's rounds train for {settings['round_epochs']:g} passes, prune to the next sparsity, rewind to θ0.",
        "Dev chooses, test reports; ± is the standard deviation over seeds; sparsity is of the prunable weights.",
        f"{spoken} of the dense model: dev {spread(r.values('dense', split='dev'))}, test {spread(r.values('dense'))}.",
    )
    return f"# Tickets for {name} in {r.study['model']['name']}\n\n{' '.join(sentences)}"


def _how(r: Results) -> str:
    """The optimizer's settings, where the study recorded how it multiplied."""
    if "precision" not in r.study:
        return ""
    training = r.study["recipe"]["training"]
    return f" (AdamW, peak rate {training['learning_rate']:g}, batch {training['batch_size']}, {r.study['precision']})"


def _papers(r: Results) -> str:
    paper = CHEN.get(r.study["task"]["name"])
    return f"Chen et al. (2020) found {paper:.0%} for BERT-base on this task, with its full data." if paper else ""


def _tickets(r: Results) -> str:
    controls = r.sources("control")
    head = ["sparsity", "of all weights", "dev", "test", "ticket − dense on test (95 %)", "rule on dev / test"]
    head += [f"test, {CONTROLS[name]}" for name in controls]
    rows = [["dense", "0 %", spread(r.values("dense", split="dev")), spread(r.values("dense")), "", ""]]
    rows[0] += [""] * len(controls)
    for s in r.sparsities:
        difference = r.difference(s).scaled(r.metric.scale)
        rows.append(
            [
                f"{s:.0%}",
                f"{r.total_sparsity(s):.1%}",
                spread(r.values("ticket", s, split="dev")),
                spread(r.values("ticket", s)),
                f"{r.metric.points(difference.value)} ({r.metric.between(difference.ci)})",
                _rule(r, s),
                *(_cell(r, "control", s, name) for name in controls),
            ]
        )
    return table(head, rows)


def _sparsest(r: Results) -> str:
    """The matrix with the highest sparsity: where one is almost empty, the overall sparsity means little."""
    found = {s: r.of("ticket", s)[0]["sparsest"] for s in r.sparsities}
    cells = [f"at {s:.0%} {name} with {share:.1%}" for s, (name, share) in found.items()]
    return f"The sparsest matrix: {'; '.join(cells)} (seed {r.of('ticket', r.sparsities[0])[0]['seed']})."


def _cell(r: Results, role: str, sparsity: float, source: str) -> str:
    values = r.values(role, sparsity, source)
    return spread(values) if values else ""


def _curves(r: Results) -> str:
    """Dev at the same steps, dense beside tickets: the numbers of the plot."""
    steps = [point["step"] for point in r.of("dense")[0]["curve"]]
    if not steps:
        return ""

    def row(name: str, role: str, sparsity: float) -> list[str]:
        curves = [[point["metric_dev"] for point in one["curve"]] for one in r.of(role, sparsity)]
        return [name, *(spread(column) for column in zip(*curves, strict=True))]

    rows = [row("dense", "dense", 0.0), *(row(f"{s:.0%}", "ticket", s) for s in r.sparsities)]
    return table(["dev after step", *(f"{step:,}" for step in steps)], rows)


def _rule(r: Results, sparsity: float, search: str | None = None) -> str:
    return " / ".join(_WORDS[r.verdict(sparsity, split, search).winning] for split in ("dev", "test"))


def _searches(r: Results) -> str:
    levels = r.settings["at"]
    plain = [f"{spread(r.values('ticket', s))} ({r.cost(None, s):.2f}) {_rule(r, s)}" for s in levels]
    rows = [["iterative", *plain]]
    for name in r.sources("search"):
        cells = []
        for s in levels:
            values, iterative = r.values("search", s, name), r.values("ticket", s)
            lost = len(iterative) > 1 and fmean(values) < fmean(iterative) - stdev(iterative) - 1e-12
            price = f"{r.cost(name, s):.2f}; {r.mask_distance('search', name, s):.1%}"
            cells.append(f"{spread(values)}{'*' if lost else ''} ({price}) {_rule(r, s, name)}")
        rows.append([f"{name}: {SEARCHES[name]}", *cells])
    return table(["search", *(f"{s:.0%}" for s in levels)], rows)


def _transfer(r: Results) -> str:
    levels = r.settings["at"]
    rows = [["this task's", *(spread(r.values("ticket", s)) for s in levels)]]
    for name in r.sources("transfer"):
        own = (f"{spread(r.values('transfer', s, name))} ({r.mask_distance('transfer', name, s):.1%})" for s in levels)
        rows.append([name, *own])
    if "random" in r.sources("control"):
        rows.append(["random", *(spread(r.values("control", s, "random")) for s in levels)])
    return table(["ticket of", *(f"{s:.0%}" for s in levels)], rows)
