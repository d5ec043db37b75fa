"""The results as a page of Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.peers.goals import GOALS

NAMES = {
    "eager": "PyTorch eager",
    "compile": "torch.compile",
    "stock": "ExecuTorch, stock",
    "pocket_ticket": "**pocket-ticket**",
    "onnxruntime": "ONNX Runtime",
    "onnxruntime_cls": "ONNX Runtime, [CLS] shortcut",
    "litert": "LiteRT, a file per length",
    "litert_cls": "LiteRT, [CLS] shortcut",
}
NOTES = (
    "Batch 1, one text. Timed is one call through each engine's own Python interface, its inputs made before; all "
    "engines are loaded in one process and take turns, {rounds} rounds of {runs} calls after 3 unmeasured ones. A "
    "ratio is the median over rounds of the ratio of the two medians of that round; in bold where it reaches its goal.",
    "Our programs compute in the last layer only what the [CLS] row needs, and take no mask: one text needs none. The "
    "peers give the same outputs from the unmodified model, masked; in the rows named [CLS] shortcut they run the same "
    "last layer.",
    "Stock ExecuTorch: torchao's int8 (weights per channel, activations per token, tables too) and XNNPACK's "
    "partitioner, as documented. ONNX Runtime: exported by TorchScript with eager attention, so that it fuses; signed "
    "int8 weights, per channel, dynamic activations. torch.compile: compiled for each length anew.",
    "The merged model is the dense one with half as many tokens after one of its layers. It is another function and is "
    "trained separately, so it has its own accuracy; its peers run the unmerged model.",
    "Logits off: the largest difference from eager PyTorch, same model, over 8 texts of each length.",
    "optimum-executorch 1.1.0 is not in the tables: it has no text classification, and needs transformers 5.0.0rc1.",
)
COMMANDS = (  # that make the trained models whose folders the page names
    "python -m benchmarks.datasets sst2 --output data/sst2",
    "pocket-ticket run --recipe balanced --data data/sst2 --output runs/balanced",
    "pocket-ticket run --recipe faster --data data/sst2 --output runs/faster",
    "python -m benchmarks.peers --dense runs/balanced/dense --ticket runs/balanced/shrunk --merged runs/faster/shrunk "
    "--accuracy data/sst2",
)
LITERT = (
    "LiteRT: litert-torch {litert-torch}, quantized by ai-edge-quantizer {ai-edge-quantizer} (dynamic, int8 weights), "
    "its own XNNPACK delegate. Its size is that of one file; an app needs one for each length, and pads."
)

ACCURACY = (
    "Accuracy: the program itself on the {texts:,} texts of {name}'s test, {threads}; LiteRT's texts are padded to the "
    "next of its lengths. As eager: how often it gives the class that eager PyTorch gives. torch.compile would be "
    "compiled for every length anew."
)


def page(results: Mapping[str, Any], left_out: Mapping[str, str]) -> str:
    """The whole page. `left_out`: family → why it is not in the tables."""
    parts = ["# The same model on every engine", *_about(results)]
    for threads in results["threads"]:
        if ratios := ratio_rows(results, threads):
            parts += [f"## pocket-ticket ÷ other engine, {_count(threads)}", table(ratios)]
    for model in results["models"]:
        for threads in results["threads"]:
            parts += [f"## The {model} model, {_count(threads)}", table(engine_rows(results, model, threads))]
    return "\n\n".join([*parts, "## Notes", "\n".join(f"- {note}" for note in notes(results, left_out))]) + "\n"


def ratio_rows(results: Mapping[str, Any], threads: int) -> list[list[str]]:
    """A heading, then a row per goal: the ratio reached, bold where it is as good as the goal beside it."""
    found = {(r["goal"], r["length"]): r["ratio"] for r in results["ratios"] if r["threads"] == threads}
    rows = [["", "against", *(f"{length} tokens" for length in results["lengths"])]]
    for goal in GOALS:
        cells = [_ratio(found.get((goal.name, n)), goal.most.get(n)) for n in results["lengths"]]
        if any(cell != "–" for cell in cells):
            rows.append([f"pocket-ticket, {goal.program.split()[0]} model, int8", goal.name, *cells])
    return rows if len(rows) > 1 else []


def engine_rows(results: Mapping[str, Any], model: str, threads: int) -> list[list[str]]:
    """A heading, then a row per engine and precision: sizes in MB, median (p10–p90) in ms, what it answers."""
    lengths = [f"{length} tokens, ms" for length in results["lengths"]]
    rows = [["engine", "", "MB", "deflated", *lengths, "logits off", *(_quality_headings(results))]]
    for one in (c for c in results["contestants"] if c["model"] == model):
        timed = one["latency_ms"][str(threads)]
        latency = [_latency(timed.get(str(length))) for length in results["lengths"]]
        off = "–" if one["family"] == "eager" else f"{one['logits_off']:.2g}"
        quality = _quality(one["test"]) if results["data"] else []
        sizes = [_megabytes(one["bytes"]), _megabytes(one["deflated"])]
        rows.append([NAMES[one["family"]], one["precision"], *sizes, *latency, off, *quality])
    return rows


def notes(results: Mapping[str, Any], left_out: Mapping[str, str]) -> list[str]:
    """What must be known to read the tables."""
    said = [note.format(**results) for note in NOTES]
    for one in results["contestants"]:
        facts, key = one["facts"], (one["family"], one["precision"])
        if key == ("onnxruntime", "int8"):
            fused = ", ".join(f"{count} × {name}" for name, count in facts["fused"].items())
            said.append(f"ONNX Runtime fused of the {one['model']} model: {fused}.")
        if key == ("pocket_ticket", "int8"):
            over = 100 * (one["bytes"] / facts["int8"]["bytes_of_weights"] - 1)
            said.append(
                f"pocket-ticket's int8 program of the {one['model']} model is {over:.1f} % larger than its weights; "
                f"XNNPACK takes {100 * facts['int8']['delegated']:.0f} % of it in {facts['int8']['pieces']} pieces."
            )
        if key == ("litert", "int8") and one["model"] == "dense":
            said.append(LITERT.format(**facts["versions"]))
    if results["data"]:
        texts, name, threads = results["data"]["texts"], results["data"]["name"], _count(results["quality_threads"])
        said.append(ACCURACY.format(texts=texts, name=name, threads=threads))
    return said + [f"{NAMES[family]} is not in the tables: {why}." for family, why in left_out.items()]


def table(rows: Sequence[Sequence[str]]) -> str:
    """Markdown of rows, the first of which is the heading; from the third column on to the right."""
    head, *body = rows
    line = ["---:" if number > 1 else "---" for number in range(len(head))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, line, *body))


def _about(results: Mapping[str, Any]) -> list[str]:
    machine, models = results["machine"], results["models"]
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    which = "; ".join(f"{name}: `{folder}`" for name, folder in models.items())
    features = ", ".join(machine["features"]) or "none of the usual extensions"
    repeat = ["To repeat it:\n\n```\n" + "\n".join(COMMANDS) + "\n```"] if results["data"] else []
    return [
        f"Written by `python -m benchmarks.peers` on {results['date']}: {machine['processor']}, {machine['cores']} "
        f"cores ({features}), {machine['system']}; load before the run {machine['load_before']}.",
        f"{versions}.",
        f"Models: {which}. A server's processor: on a phone the ratios differ.",
        *repeat,
    ]


def _quality_headings(results: Mapping[str, Any]) -> list[str]:
    return ["accuracy", "as eager"] if results["data"] else []


def _quality(test: Mapping[str, float] | str) -> list[str]:
    if isinstance(test, str):
        return [test, "–"]
    return [f"{100 * test['accuracy']:.2f} %", f"{100 * test['as_eager']:.2f} %"]


def _ratio(ratio: float | None, most: float | None) -> str:
    if ratio is None:
        return "–"
    goal = f" (goal {most:.2f})" if most else ""
    reached = most is not None and round(ratio, 2) <= most
    return f"**{ratio:.2f}**{goal}" if reached else f"{ratio:.2f}{goal}"


def _latency(summary: Mapping[str, float] | None) -> str:
    return "–" if summary is None else "{median:.2f} ({p10:.2f}–{p90:.2f})".format(**summary)


def _megabytes(size: int | None) -> str:
    return "–" if size is None else f"{size / 1e6:.1f}"


def _count(threads: int) -> str:
    return "1 thread" if threads == 1 else f"{threads} threads"
