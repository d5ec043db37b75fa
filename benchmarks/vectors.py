"""Text vectors measured: encoders cut to 5 and 2.5 MB, distilled on texts, against the encoders as they come.

    python -m benchmarks.vectors train minilm 5MB --output runs/vectors
    python -m benchmarks.vectors measure minilm --output runs/vectors
    python -m benchmarks.vectors page

Other encoders are folders in OUTPUT/encoders. The texts to distil on are training splits of `../shared/data`, capped;
nothing that is measured on is among them (`vector_sets.py`). What is measured is each program file itself. The numbers
go into docs/results/vectors.json, the page beside it is made of them.
"""

import argparse
import gzip
import json
import random
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.vector_sets import VectorSet, sets
from compress.console import Console
from compress.evaluation.statistics import paired_bootstrap
from compress.files import fingerprint, write_atomic, write_json
from compress.kinds.vector_storage import stored
from compress.models.load import load_tokenizer
from compress.models.pooling import Pooling, basis_of
from compress.models.store import load_saved
from compress.pipeline.run import Inputs, Run
from compress.pipeline.stages import training_stages
from compress.recipe.recipe import Recipe
from mobile_export.lowering.lower import lower
from mobile_export.programs.program import Form, Program, SchemeName
from mobile_export.programs.runtime import LoadedProgram

DATA = Path(__file__).parents[2] / "shared" / "data"
RESULTS = Path(__file__).parents[1] / "docs" / "results" / "vectors.json"
STATIC_WORDS, STATIC_SIZE = 8000, 128
_METRICS = {"spearman": "Spearman", "recall_at_10": "recall@10", "accuracy": "accuracy", "average_precision": "AP"}
_PAGE = """# Vectors, measured

What programs of sentence encoders find on sets that no ticket was trained on, in points (100 × the metric):
each program file itself. In brackets: the 95 % interval of the points lost against the encoder as it comes
(paired bootstrap over the same texts). The static table is the mean of fixed word vectors from the same
encoder: no program, a lookup. This page is written by `python -m benchmarks.vectors page`."""
SENTENCE = re.compile(r"(?<=[.!?]) +")
MOST_TEXTS, MOST_PAIRS = 6_000, 2_500  # on a machine with two cores a training takes minutes
# the texts of each source, by its share
SOURCES = {"stsb": 0.1, "qqp_sample": 0.3, "banking77": 0.2, "squad": 0.2, "webtext": 0.1, "masc": 0.1}
POINTS: dict[str, dict[str, Any]] = {
    "5MB": {
        "structure": {"layers": 1.0, "heads": 0.5, "neurons": 0.5, "vocabulary": 16000, "embedding_rank": 192},
        "distill": {"epochs": 5},
    },
    "2.5MB": {
        "structure": {"layers": 0.67, "heads": 0.5, "neurons": 0.34, "vocabulary": 10000, "embedding_rank": 128},
        "distill": {"epochs": 5},
    },
}
PREFIXES = {"e5-small-v2": {"query_prefix": "query: ", "passage_prefix": "passage: "}}
POOLING = {
    "e5-small-v2": {"pooling": "mean"},
    "bge-small-en-v1.5": {
        "pooling": "cls",
        "query_prefix": "Represent this sentence for searching relevant passages: ",
    },
}


def columns(file: Path) -> list[list[str]]:
    """The rows of a table with tabs, without its header."""
    return [line.split("\t") for line in file.read_text(encoding="utf-8").splitlines()[1:]]


def sentences(name: str) -> list[str]:
    """The sentences of a file of plain text, of 4 to 40 words."""
    lines = gzip.decompress((DATA / "mlm" / f"{name}.txt.gz").read_bytes()).decode().splitlines()
    return [s for line in lines for s in SENTENCE.split(line) if 4 <= len(s.split()) <= 40]


def training_texts() -> list[str]:
    """Texts of training splits, drawn by seed 0, each once."""
    squad = json.loads(gzip.decompress((DATA / "squad" / "train-sample.json.gz").read_bytes()))
    paragraphs = [p for article in squad["data"] for p in article["paragraphs"]]
    found = {
        "stsb": [text for row in columns(DATA / "stsb" / "train.tsv") for text in row[1:3]],
        "qqp_sample": [text for row in columns(DATA / "qqp_sample" / "train.tsv") for text in row[1:3]],
        "banking77": [row[1] for row in columns(DATA / "banking77" / "train.tsv")],
        "squad": [q["question"] for p in paragraphs for q in p["qas"]]
        + [s for p in paragraphs for s in SENTENCE.split(p["context"])[:2]],
        "webtext": sentences("webtext"),
        "masc": sentences("masc"),
    }
    texts: list[str] = []
    for name, share in SOURCES.items():
        each = sorted({" ".join(text.split()) for text in found[name] if text.strip()})
        texts += random.Random(0).sample(each, min(len(each), int(share * MOST_TEXTS)))
    return texts


def recipe_of(encoder: str, point: str, texts: Path, seed: int) -> Recipe:
    """The recipe of one point of an encoder: STS-B's pairs are dev and test, the texts of `texts` are distilled on."""
    settings = POINTS[point]
    name = "minilm" if encoder == "minilm" else str(texts.parent / "encoders" / encoder)
    return Recipe.model_validate(
        {
            "seed": seed,
            "model": {"name": name, "max_tokens": 128},
            "data": {"source": str(DATA / "stsb"), "kind": "embedding", "train_limit": MOST_PAIRS},
            "ticket": {"kind": "structure"},
            "quantize": {"scheme": "int4", "aware_epochs": 1},
            "embedding": {**POOLING.get(encoder, {}), **PREFIXES.get(encoder, {})},
            **settings,
            "distill": {**settings["distill"], "unlabeled": str(texts)},
        }
    )


def train(encoder: str, point: str, output: Path, seed: int) -> Run:
    """The training stages of one point; complete ones are kept."""
    texts = output / "texts.txt"
    if not texts.is_file():
        write_atomic(texts, "\n".join(training_texts()) + "\n")
    run = Inputs.of(recipe_of(encoder, point, texts, seed), Console()).in_folder(output / f"{encoder}-{point}")
    mark = fingerprint(run.recipe.model_dump(mode="json"), run.task.fingerprint)
    for stage in training_stages(run.recipe):
        if not run.dir.is_complete(stage.name, mark):
            with run.dir.writing(stage.name, mark) as folder:
                stage.run(run, folder)
    return run


def measure(encoder: str, output: Path, most: int) -> dict[str, Any]:
    """Every program of an encoder and the static table on every set; of sets, see `vector_sets.sets`."""
    points = {point: output / f"{encoder}-{point}" for point in POINTS}
    trained = {point: folder / "shrunk" for point, folder in points.items() if (folder / "shrunk").is_dir()}
    dense = next(folder for folder in points.values() if (folder / "dense").is_dir()) / "dense"
    pooling = Pooling.of(load_saved(dense).config)
    plans: dict[str, tuple[Path, Form, SchemeName]] = {
        "as it comes, fp32": (dense, "stock", "none"),
        "as it comes, int8": (dense, "phone", "int8"),
        **{f"ticket, {point}": (folder, "phone", "int4") for point, folder in trained.items()},
    }
    found = sets(pooling.query, pooling.passage, most)
    rows: dict[str, dict[str, np.ndarray]] = {}
    bytes_of: dict[str, int] = {}
    for name, (folder, form, scheme) in plans.items():
        program = lower(folder, output / f"{encoder}-{name.replace(' ', '-')}.pte", form=form, scheme=scheme)
        bytes_of[name], vector = program.bytes, _vectors_of(program, folder)
        rows[name] = {each.name: each.rows(np.stack([vector(text) for text in each.texts])) for each in found}
        print(
            name, bytes_of[name], {e.name: round(e.score(rows[name][e.name], e.labels), 3) for e in found}, flush=True
        )
    bytes_of["static table"], vector = static_table(dense)
    rows["static table"] = {each.name: each.rows(np.stack([vector(text) for text in each.texts])) for each in found}
    entries = {}
    for name in rows:
        entries[name] = {"bytes": bytes_of[name], "sets": {e.name: _entry(e, rows, name) for e in found}}
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "most": most,
        "texts": MOST_TEXTS + 2 * MOST_PAIRS,
        "programs": entries,
        "metrics": {e.name: e.metric for e in found},
    }


def _entry(each: VectorSet, rows: dict[str, dict[str, np.ndarray]], name: str) -> dict[str, Any]:
    own, first = rows[name][each.name], rows["as it comes, fp32"][each.name]
    drop = paired_bootstrap(first, own, each.labels, each.score, resamples=1000).scaled(100)
    return {"value": each.score(own, each.labels), "drop": drop.value, "ci95": drop.ci}


def _vectors_of(program: Program, folder: Path) -> Callable[[str], np.ndarray]:
    loaded, tokenizer = LoadedProgram.of(program), load_tokenizer(str(folder))

    def vector(text: str) -> np.ndarray:
        ids = tokenizer(text, truncation=True, max_length=program.max_tokens)["input_ids"]
        return loaded.answer({"input_ids": ids})[0][0]

    return vector


def static_table(dense: Path, words: int = STATIC_WORDS, size: int = STATIC_SIZE) -> tuple[int, Callable]:
    """(bytes in int8, text → vector): the mean of fixed word vectors, each the encoder's vector of the word alone.

    Weighted by ln(1 + rank) and projected to their principal axes, as model2vec does (van Dongen and Tulkens 2024).
    """
    model, tokenizer = load_saved(dense), load_tokenizer(str(dense))
    special = set(tokenizer.all_special_ids)
    kept = [i for i in range(len(tokenizer)) if i not in special and not _unused(tokenizer, i)][:words]
    rows = []
    with torch.inference_mode():
        for start in range(0, len(kept), 256):
            ids = [[tokenizer.cls_token_id, i, tokenizer.sep_token_id] for i in kept[start : start + 256]]
            rows.append(model(input_ids=torch.tensor(ids), attention_mask=torch.ones(len(ids), 3)).logits)
    vectors = torch.cat(rows)
    table = (vectors - vectors.mean(0)) @ basis_of(vectors - vectors.mean(0), size).T
    table = table * torch.log(1.0 + torch.arange(1, len(kept) + 1))[:, None]
    stored_table = stored(table.numpy(), "int8")
    place = {i: row for row, i in enumerate(kept)}

    def vector(text: str) -> np.ndarray:
        found = [place[i] for i in tokenizer(text, add_special_tokens=False)["input_ids"] if i in place]
        return stored_table[found].mean(axis=0) if found else np.full(size, 1e-6, np.float32)

    return len(kept) * (size + 4), vector


def _unused(tokenizer: Any, number: int) -> bool:
    return str(tokenizer.convert_ids_to_tokens(number)).startswith("[unused")


def page(results: dict[str, Any]) -> str:
    """The page of all measured encoders."""
    parts = [_PAGE]
    for encoder, result in results.items():
        names = list(result["metrics"])
        head = ["program", "MB", *(f"{n}, {_METRICS[m]}" for n, m in result["metrics"].items())]
        lines = [f"| {' | '.join(head)} |", f"| --- |{' ---: |' * (len(names) + 1)}"]
        for name, entry in result["programs"].items():
            cells = [_cell(entry["sets"][each], name) for each in names]
            lines.append(f"| {name} | {entry['bytes'] / 1e6:.2f} | {' | '.join(cells)} |")
        about = (
            f"{result['date']}; at most {result['most']} pairs or queries of each set; tickets were distilled on about "
            f"{result['texts']:,} texts."
        )
        parts += [f"## {encoder}", about, "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def _cell(entry: dict[str, Any], name: str) -> str:
    value = f"{100 * entry['value']:.1f}"
    if name == "as it comes, fp32":
        return value
    low, high = (f"{end:.1f}".replace("-", "\u2212") for end in entry["ci95"])
    return f"{value} (lost {low} to {high})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="what", required=True)
    for name in ("train", "measure"):
        command = commands.add_parser(name)
        command.add_argument("encoder", help="minilm, or a folder in OUTPUT/encoders")
        command.add_argument("--output", type=Path, default=Path("runs/vectors"))
        if name == "train":
            command.add_argument("point", choices=list(POINTS))
            command.add_argument("--seed", type=int, default=0)
        else:
            command.add_argument("--most", type=int, default=300, help="pairs, queries or texts of each set")
    commands.add_parser("page")
    given = parser.parse_args()
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    if given.what == "train":
        train(given.encoder, given.point, given.output, given.seed)
        return
    if given.what == "measure":
        results[given.encoder] = measure(given.encoder, given.output, given.most)
        write_json(RESULTS, results)
    write_atomic(RESULTS.with_suffix(".md"), page(results))


if __name__ == "__main__":
    main()
