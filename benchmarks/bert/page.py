"""The page of the paper's experiments on its own model, from the studies that are finished so far."""

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, stdev

from compress.files import write_atomic
from compress.pages.markdown import spread, table
from compress.study.compare import matrix, winners
from compress.study.results import Results, load_study


def write_page(targets: Sequence[Path], words: Path, page: Path) -> None:
    """Write the page from the studies of `targets` that are there, and of masked words."""
    found = [Results(load_study(folder)) for folder in targets if (folder / "study.json").is_file()]
    if not found:
        return
    own = load_study(words)["task"]["name"] if (words / "study.json").is_file() else ""
    model = found[0].study["model"]["name"]
    parts = [
        f"# The paper's experiments on {model}",
        "`python -m benchmarks.bert` runs the studies and writes this page; the same command continues. Test, mean ± "
        "standard deviation over seeds; sparsity is of the prunable weights; bold: wins by the papers' rule on dev and "
        "on test. Settings of each study are below.",
        "## Tickets of each task",
        winners(found),
        _searches(found),
        _controls(found),
    ]
    tried = [r for r in found if own and own in r.sources("transfer")]
    if tried:
        parts.append("## The universal ticket")
        for sparsity in sorted(set.intersection(*(set(r.settings["at"]) for r in tried))):
            parts += [matrix(tried, sparsity), verdict(tried, own, sparsity)]
    parts += ["## Settings", "\n".join(f"- {_settings(r)}" for r in found)]
    write_atomic(page, "\n\n".join(part for part in parts if part) + "\n")


def verdict(studies: Sequence[Results], words: str, sparsity: float) -> str:
    """Whether the ticket of masked words is universal at a sparsity, in sentences.

    It is within one standard deviation of the targets' own tickets on average, and ahead of strangers on each.
    """
    own = [r.values("ticket", sparsity) for r in studies]
    universal = [r.values("transfer", sparsity, words) for r in studies]
    gap = fmean(map(fmean, universal)) - fmean(map(fmean, own))
    text = (
        f"At {sparsity:.0%} the ticket of masked words differs from the targets' own by {100 * gap:+.1f} points on "
        f"average over {len(studies)} tasks"
    ).replace("-", "−")
    if any(len(values) < 2 for values in own):
        text += "; one seed has no standard deviation, so whether that is within it is open. "
    else:
        allowed = fmean(stdev(values) for values in own)
        text += f", {'within' if gap >= -allowed else 'more than'} one standard deviation ({100 * allowed:.1f}). "
    behind = []
    for r, values in zip(studies, universal, strict=True):
        others = {n: r.values("transfer", sparsity, n) for n in r.sources("transfer") if n != words}
        others["a random mask"] = r.values("control", sparsity, "random")
        behind += [f"{r.study['task']['name']} ({n})" for n, v in others.items() if v and fmean(v) >= fmean(values)]
    if behind:
        return text + f"It is not ahead of every stranger: {', '.join(behind)}."
    return text + "It is ahead of every other task's ticket and of a random mask on each of them."


def _searches(studies: Sequence[Results]) -> str:
    """Tickets of other searches beside the iterative one's."""
    rows = []
    for r in studies:
        for s in r.settings["at"]:
            named = {name: r.values("search", s, name) for name in r.sources("search")}
            cells = [spread(named[n]) if named.get(n) else "–" for n in ("taylor", "pretrained")]
            rows.append([r.study["task"]["name"], f"{s:.0%}", spread(r.values("ticket", s)), *cells])
    return table(["task", "sparsity", "iterative magnitude", "Taylor, one shot", "magnitude of θ0, no training"], rows)


def _controls(studies: Sequence[Results]) -> str:
    """What the pre-trained weights are worth: the ticket's mask on θ0, on random weights, on shuffled ones."""
    rows = []
    for r in studies:
        for s in r.settings["at"]:
            cells = [r.values("control", s, name) for name in ("random", "reinit", "shuffled")]
            shown = [spread(values) if values else "–" for values in cells]
            rows.append([r.study["task"]["name"], f"{s:.0%}", spread(r.values("ticket", s)), *shown])
    head = ["task", "sparsity", "rewound to θ0", "random mask", "random re-initialization", "shuffled weights"]
    return table(head, rows)


def _settings(r: Results) -> str:
    task, training, dense = r.study["task"], r.study["recipe"]["training"], r.of("dense")
    seconds = fmean(row["seconds"] for row in dense)
    precision = r.study.get("precision", "precision not recorded")
    return (
        f"{task['name']}: {task['examples']['train']:,} training examples, {len(dense)} seeds, "
        f"{dense[0]['steps']:,} steps ({training['epochs']:g} passes), AdamW, peak rate "
        f"{training['learning_rate']:g}, batch {training['batch_size']}, {precision}; the dense model took "
        f"{seconds:,.0f} s. The paper: 3 passes, 2e-5, batch 32."
    )
