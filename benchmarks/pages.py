"""Fill the measured blocks of README.md and docs/: `python -m benchmarks.pages`; `--check` says if they are filled.

A block stands between `<!-- measured: NAME -->` and `<!-- end -->`. Its numbers come from docs/results/measured.json,
the recipes and the manifest's schema, so no two tables can disagree.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

from benchmarks.datasets.sources import DATASETS
from benchmarks.encoders.sources import ENCODERS
from compress.files import write_atomic
from compress.models.architectures import ARCHITECTURES, Architecture
from compress.recipe.load import load_recipe, names

ROOT = Path(__file__).parents[1]
_BLOCK = re.compile(r"(<!-- measured: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
Table = list[list[str]]


def measured() -> dict[str, Any]:
    """docs/results/measured.json."""
    found: dict[str, Any] = json.loads((ROOT / "docs/results/measured.json").read_text(encoding="utf-8"))
    return found


def runs(recipe: str, data: str | None = None) -> list[dict[str, Any]]:
    """The measured runs of a recipe, by data and seed."""
    found = [r for r in measured()["runs"] if r["recipe"] == recipe and data in (None, r["data"])]
    return sorted(found, key=lambda r: (r["data"], r["seed"]))


def table(head: list[str], rows: Table) -> str:
    """A Markdown table whose columns after the first are set right. No line breaks between a number and its unit."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    lines = "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows)) + "\n"
    return re.sub(r"(?<=\d) (?=(?:MB|ms|%|×|±))|(?<=±) (?=\d)", "\N{NO-BREAK SPACE}", lines)


def _points(value: float) -> str:
    return f"{value:.1f}".replace("-", "−")


def _interval(row: dict[str, Any]) -> str:
    low, high = (_points(end) for end in row["ci95"])
    return f"{_points(row['drop'])} ({low}\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}{high})"


def _commands(rows: list[dict[str, Any]]) -> str:
    """What stands below a table of results: the commit and the command of each row."""
    lines = "\n".join(f"{row['commit']}  {row['command']}" for row in rows)
    return f"\nCommit and command of each row:\n\n```\n{lines}\n```\n"


def first_table() -> str:
    """The three programs of one run on phone_commands, side by side: dense, dense as int8, and the ticket."""
    run = runs("balanced", "phone_commands")[0]
    int8 = run["dense_int8"]
    head = ["phone_commands, test", "dense model, fp32", "dense model, int8", "the ticket"]
    dense = {"mb": run["dense_mb"], "download_mb": run["dense_download_mb"]}
    sizes = (("program", "mb", "size_ratio"), ("download", "download_mb", "download_ratio"))
    rows = [
        [name, f"{dense[key]:.1f} MB", *(f"{p[ratio]:.1f} × smaller ({p[key]:.1f} MB)" for p in (int8, run))]
        for name, key, ratio in sizes
    ]
    for n in ("12", "64"):
        faster = (f"{p['speed_ratio'][n]:.1f} × faster ({p['ms'][n]:.2f} ms)" for p in (int8, run))
        rows.append([f"{n} tokens, 1 thread", f"{run['dense_ms'][n]:.2f} ms", *faster])
    rows.append(["accuracy", *(f"{value:.1f} %" for value in (run["dense"], int8["program"], run["program"]))])
    for part, values in sorted(run["parts"].items()):
        shown = (values[name] for name in ("dense", "dense_int8", "ticket"))
        rows.append([f"… {part} texts (bag of words: {values['baseline']:.1f} %)", *(f"{v:.1f} %" for v in shown)])
    rows.append(["points lost (95 % interval)", "", "", _interval(run)])
    return table(head, rows)


_NEEDS = {
    "quick": "a first look, in minutes",
    "--ticket weights": "the papers' ticket of single weights, int8",
    "faster": "shorter answers at the same size",
    "accurate": "small, and no point to lose",
    "balanced": "much smaller and faster (the default)",
    "tiny": "as small as possible",
}


def recipe_table() -> str:
    """Which recipe for which need, with what was measured on SST-2."""
    rows = []
    for recipe, need in _NEEDS.items():
        found = runs(recipe, "SST-2")
        if not found:
            continue
        size, ratio = found[0]["mb"], found[0]["size_ratio"]
        drops = " and ".join(_points(r["drop"]) for r in found)
        name = f"`--recipe {recipe}`" if recipe in names() else f"`{recipe}`"
        rows.append([need, name, f"{size:.1f} MB", f"{ratio:.0f} ×", drops])
    return table(["you want", "flag", "program", "smaller", "points lost, each seed"], rows)


def run_table() -> str:
    """Every measured run."""
    shown = [r for recipe in _NEEDS for r in runs(recipe)]
    rows = [
        [
            r["recipe"],
            r["data"],
            str(r["seed"]),
            f"{r['dense']:.1f}",
            f"{r['program']:.1f}",
            _interval(r),
            f"{r['mb']:.2f} ({r['size_ratio']:.1f} ×)",
        ]
        for r in shown
    ]
    head = ["recipe", "data", "seed", "dense", "program", "points lost (95 %)", "MB (smaller)"]
    return table(head, rows) + _commands(shown)


def task_table() -> str:
    """Other kinds of tasks, one run each, on fewer texts."""
    tasks = measured().get("tasks", [])

    def score(values: list[float]) -> str:
        value, low, high = map(_points, values)
        return f"{value} ({low} to {high})"

    rows = [
        [
            r["data"],
            r["metric"],
            f"{r['train']:,} / {r['test']:,}",
            *(score(r[name]) for name in ("baseline", "dense", "program")),
            _interval(r),
            f"{r['mb']:.2f} ({r['size_ratio']:.1f} ×)",
        ]
        for r in tasks
    ]
    head = ["data", "metric", "texts: train / test", "bag of words", "dense", "program", "points lost", "MB (smaller)"]
    further = "".join(f"- The program on {r['data']}: {r['further']}.\n" for r in tasks if r["further"])
    return f"{table(head, rows)}\n{further}{_commands(tasks)}"


def ticket_table() -> str:
    """Winning tickets over three seeds."""
    tickets = measured()["tickets"]

    def spread(values: list[float] | None) -> str:
        return f"{values[0]:.1f} ± {values[1]:.1f}" if values else "not trained"

    rows = [
        [
            f"[{r['data']}](study-{r['page'].removeprefix('study-')}/study.md)",
            r["metric"],
            spread(r["dense"]),
            f"{r['sparsity']} %",
            spread(r["ticket"]),
            spread(r["random"]),
        ]
        for r in tickets["rows"]
    ]
    return table(["data", "metric", "dense", "removed", "ticket", "random mask"], rows) + _commands(tickets["rows"])


def peer_table() -> str:
    """The time of this project's program divided by the other engine's, one thread."""
    peers = measured()["peers"]
    rows = [[r["program"], r["against"], *(f"{ratio:.2f}" for ratio in r["ratio"])] for r in peers["rows"]]
    shown = table(["program", "against", *(f"{n} tokens" for n in peers["tokens"])], rows)
    return f"{shown}\nMeasured at commit `{peers['commit']}` by `{peers['command']}`.\n"


def recipe_settings() -> str:
    """What the named recipes set."""
    rows = []
    for name in names():
        recipe = load_recipe(name)
        s = recipe.structure
        if recipe.ticket.kind == "structure":
            what = [f"{s.layers:.0%} of the layers", f"{s.heads:.0%} of the heads", f"{s.neurons:.0%} of the neurons"]
            what.append(f"{s.vocabulary:,} words" if s.vocabulary else "all words")
            if s.embedding_rank:
                what.append(f"rank {s.embedding_rank}")
            if s.merge_after:
                what.append("tokens merged in pairs")
        else:
            what = [f"{recipe.ticket.sparsity:.0%} of the prunable weights removed"]
        rows.append([f"`{name}`", recipe.ticket.kind, ", ".join(what), recipe.quantize.scheme])
    return table(["recipe", "ticket", "what stays", "stored as"], rows)


def dataset_table() -> str:
    """The public data sets that `python -m benchmarks.datasets` prepares."""
    rows = [[f"`{name}`", d.what, d.texts, d.source, d.license] for name, d in DATASETS.items()]
    head = ["name", "what", "texts (train / dev / test)", "source", "license"]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)) + "\n"


def encoder_table() -> str:
    """The real encoders that `python -m benchmarks.encoders` builds."""
    rows = [
        [
            f"`{name}`",
            e.what,
            f"{e.layers} × {e.hidden}",
            f"{e.vocabulary:,}",
            "yes" if e.head else "",
            f"`{e.package.name}`",
            e.license,
        ]
        for name, e in ENCODERS.items()
    ]
    head = ["name", "what", "layers × width", "words", "head", "package", "license"]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)) + "\n"


_OWN_PARTS: dict[str, Callable[[Architecture], object]] = {
    "low-rank words": lambda row: row.projection,
    "no segments": lambda row: not row.token_type,
    "bottlenecks": lambda row: row.bottlenecks,
    "bias for each distance": lambda row: row.position_bias,
    "all layers share their weights": lambda row: row.shares_layers,
    "norms first": lambda row: row.norm_first,
    "rotary positions, local and global attention": lambda row: row.rotary,
    "gated feed-forward": lambda row: row.gate,
}


def architecture_table() -> str:
    """Every row of the table of architectures, its own parts, and how it is proven beyond the tests."""
    shapes = {r["architecture"]: r for r in measured().get("architectures", ())}
    weights = {"bert": ["minilm", *ENCODERS]}
    rows = []
    for kind, row in ARCHITECTURES.items():
        real = shapes.get(kind)
        off = f"`{real['shapes']}`: {_off(real['fp32_off'])}, int8 {_off(real['int8_off'])}" if real else "not yet"
        own = ", ".join(name for name, has in _OWN_PARTS.items() if has(row))
        count = len(weights.get(kind, ()))
        rows.append([f"`{kind}`", own, "yes" if row.merges else "refused", off, f"{count} encoders" if count else ""])
    head = ["model_type", "its own parts", "merged tokens", "real shapes, random weights", "real weights"]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)) + "\n"


def _off(share: float) -> str:
    return f"{share:.0e}".replace("e-0", "e-") if share < 1e-3 else f"{share:.3f}"


def long_table() -> str:
    """Memory, and where it was measured latency, of int8 programs that take 512 tokens."""
    lengths, rows = ("128", "256", "512"), []
    for r in measured().get("architectures", ()):
        ms = r["ms"] or {}
        cells = [*(str(r["memory_mb"][n]) for n in lengths), *(f"{ms[n]:.0f}" if n in ms else "–" for n in lengths)]
        rows.append([f"`{r['shapes']}`", f"{r['mb']:.0f}", *cells])
    head = ["shapes of", "MB", *(f"MB of memory, {n}" for n in lengths), *(f"ms, {n}" for n in lengths)]
    return table(head, rows)


def manifest_table() -> str:
    """The manifest's keys, from its schema."""
    text = resources.files("mobile_export.bundle").joinpath("manifest.schema.json").read_text(encoding="utf-8")
    rows: Table = []

    def walk(schema: dict[str, Any], path: str) -> None:
        for key, value in schema.get("properties", {}).items():
            full = f"{path}{key}"
            kind = value.get("type") or ("one of " + ", ".join(map(str, value["enum"])) if "enum" in value else "")
            kind = " or ".join(option["type"] for option in value["oneOf"]) if "oneOf" in value else kind
            kind = f"always {value['const']}" if "const" in value else kind
            kind = value["$ref"].rsplit("/", 1)[-1].replace("_", " ") if "$ref" in value else kind
            shown = " or ".join(kind) if isinstance(kind, list) else str(kind)
            rows.append([f"`{full}`", shown.replace("|", "/"), value.get("description", "").replace("|", "/")])
            walk(value, f"{full}.")

    walk(json.loads(text), "")
    return "\n".join(f"| {' | '.join(c)} |" for c in (["key", "value", "meaning"], ["---"] * 3, *rows)) + "\n"


BLOCKS: dict[str, Callable[[], str]] = {
    "first": first_table,
    "recipes": recipe_table,
    "runs": run_table,
    "tasks": task_table,
    "tickets": ticket_table,
    "peers": peer_table,
    "recipe-settings": recipe_settings,
    "manifest": manifest_table,
    "datasets": dataset_table,
    "encoders": encoder_table,
    "architectures": architecture_table,
    "long": long_table,
}


def filled(text: str) -> str:
    """A page with its blocks filled anew. Raises KeyError for a block that has no writer."""
    return _BLOCK.sub(lambda match: f"{match[1]}{BLOCKS[match[2]]()}{match[3]}", text)


def main(arguments: list[str] | None = None) -> int:
    """The command: 0, or 1 where `--check` finds a page whose blocks are not those of the measured numbers."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages", description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 where a page is stale")
    check, stale = parser.parse_args(arguments).check, []
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        text = page.read_text(encoding="utf-8")
        if (new := filled(text)) != text:
            stale.append(page.relative_to(ROOT))
            if not check:
                write_atomic(page, new)
    if check and stale:
        print(f"stale: {', '.join(map(str, stale))}; run python -m benchmarks.pages", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
