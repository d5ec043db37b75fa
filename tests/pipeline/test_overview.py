"""The page of `check`: what it says is what the data holds."""

import json
import random
from pathlib import Path

import pytest
from rich.console import Console as RichConsole

from compress.console import Console
from compress.data.task import SPLITS
from compress.pipeline import overview
from compress.pipeline.run import Inputs
from compress.recipe.load import load_recipe

WORDS = ["kettle", "oven", "spoon", "rake", "hedge", "tulip", "wrench", "piston", "clutch", "ladder"]


def inputs(encoder: Path, folder: Path, **splits: list[dict]) -> Inputs:
    for split, rows in splits.items():
        text = "\n".join(json.dumps(row) for row in rows) + "\n"
        (folder / f"{split}.jsonl").write_text(text, encoding="utf-8")
    flags = {"model.name": str(encoder), "model.max_tokens": 16, "data.source": str(folder)}
    return Inputs.of(load_recipe(None, flags), Console("quiet"))


def rows(rng: random.Random, labels: list[str], count: int, length: int = 5) -> list[dict]:
    """Texts of `length` words that differ; the first rows have every label once."""
    names = [*labels, *rng.choices(labels, k=count - len(labels))]
    return [{"label": name, "text": " ".join([f"n{i}", *rng.choices(WORDS, k=length)])} for i, name in enumerate(names)]


@pytest.mark.parametrize("seed", range(4))
def test_labels_and_lengths_add_up(tiny_encoder: Path, tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    labels = [f"label {i}" for i in range(rng.choice([2, 5, 30]))]
    splits = {split: rows(rng, labels, 60, length=rng.choice([3, 40])) for split in SPLITS}
    page = overview.facts(inputs(tiny_encoder, tmp_path, **splits))
    for split in SPLITS:
        assert sum(page["labels"][split].values()) == page["splits"][split]["texts"] == 60
        lengths = page["splits"][split]
        assert 0 < lengths["median"] <= lengths["p95"] <= lengths["longest"]
        assert (lengths["cut"] > 0) == (lengths["longest"] > 16)  # lengths are those before the cut


@pytest.mark.parametrize("repeated", [0, 1, 7])
@pytest.mark.parametrize("contradicting", [0, 3])
def test_repeated_texts_and_texts_with_two_labels_are_counted(
    tiny_encoder: Path, tmp_path: Path, repeated: int, contradicting: int
) -> None:
    rng = random.Random(0)
    train = rows(rng, ["garden", "kitchen"], 60)
    other = {"garden": "kitchen", "kitchen": "garden"}
    again = [{**row, "text": row["text"].upper()} for row in train[:repeated]]
    against = [{**row, "label": other[row["label"]]} for row in train[20 : 20 + contradicting]]
    page = overview.lines(inputs(tiny_encoder, tmp_path, train=[*train, *again, *against], dev=train, test=train))
    said = "\n".join(page)
    total = repeated + contradicting
    assert (f"{total} of {60 + total} training texts repeat another one" in said) == bool(total)
    assert (f"{contradicting} training texts have more than one label" in said) == bool(contradicting)


def test_labels_with_few_texts_are_named(tiny_encoder: Path, tmp_path: Path) -> None:
    train = [*rows(random.Random(0), ["garden", "kitchen"], 60), {"label": "attic", "text": "where is the attic"}]
    page = overview.lines(inputs(tiny_encoder, tmp_path, train=train, dev=train, test=train))
    assert [line for line in page if "attic (1)" in line]


def test_text_of_the_data_is_never_read_as_markup(tiny_encoder: Path, tmp_path: Path) -> None:
    train = rows(random.Random(0), ["[red]", "[/]", "x" * 200], 60)
    table = overview.labels_table(inputs(tiny_encoder, tmp_path, train=train, dev=train, test=train).task)
    console = RichConsole(width=100)
    with console.capture() as shown:
        console.print(table)
    assert "[red]" in shown.get() and "[/]" in shown.get()
