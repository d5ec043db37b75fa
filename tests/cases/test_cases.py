"""Inputs that real models and data are like, through the real command: it ends well, or with one sentence.

Each kind has a function that writes an instance of it (models.py, data.py); a seed draws which. The tables say what a
check must say: words of the sentence with which it refuses, of a note, or a label; None where there is nothing to say.
"""

import json
import random
import re
from pathlib import Path

import pytest
from cases import data, models

from compress.cli import main

LIMIT = 600  # characters of a sentence
MODELS = {
    models.other_head: (data.tsv, None),
    models.prefixed: (data.tsv, "prefix|weight"),
    models.missing_layer: (data.tsv, "layer|weights"),
    models.words_beyond_the_table: (data.tsv, "table|vocabulary|ids"),
    models.one_segment: (data.pairs, None),
    models.added_tokens: (data.tsv, "token"),
    models.cut_on_the_left: (data.long_texts, None),
    models.own_pieces: (data.tsv, None),
    models.names_of_classes: (data.numbered, "GLOOMY"),
    models.no_padding_token: (data.tsv, None),
    models.not_finite: (data.tsv, "not finite"),
    models.quantized: (data.tsv, "is quantized"),
    models.damaged: (data.tsv, "damaged or incomplete|git lfs pull"),
    models.another_folder: (data.tsv, "give one of its folders|merge this adapter"),
    models.broken_vocabulary: (data.tsv, "tokenizer can't read a text|token"),
    models.foreign_words: (data.tsv, "training tokens are \\[UNK\\]"),
}
DATA = {
    data.half_a_character: "surrogate|character|U\\+FFFD",
    data.huge_cell: None,
    data.several_labels: "several labels|list|multi",
    data.array: None,
    data.named_classes: "happy",
    data.saved_to_disk: None,
    data.plain_text: "masked words need every word",
    data.few_texts: "set aside",
    data.other_columns: "kind: pair|sentence|passage|body",
    data.a_third_column: "remarks",
    data.without_answers: "27 of 80 train, 10 of 30 dev and 10 of 30 test questions have no answer",
    data.other_tags: "BIO",
    data.no_number: "not a number|finite",
    data.two_spellings: None,
    data.from_a_spreadsheet: None,
    data.other_header: None,
    data.one_file: None,
}


def kinds(table: dict) -> list:
    return [pytest.param(kind, id=kind.__name__) for kind in table]


def check(encoder: Path, source: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """(exit code, what was said): the sentence of a refusal, or the notes."""
    code = main(["check", "--json", "--max-tokens", "48", "--model", str(encoder), "--data", str(source)])
    shown = capsys.readouterr()
    if code:
        assert code == 2
        sentences = [line for line in shown.err.splitlines() if line.startswith("pocket-ticket: ")]
        assert len(sentences) == 1 and len(sentences[0]) <= LIMIT, shown.err
        return code, sentences[0]
    events = [json.loads(line) for line in shown.out.splitlines()]
    notes = [e["text"] for e in events if e["event"] == "note"]
    labels = [label for e in events if e["event"] == "result" for label in e.get("labels", {}).get("train", ())]
    return code, "\n".join([*notes, *labels])


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("change", kinds(MODELS))
def test_a_model_is_used_or_refused_in_a_sentence(
    change, seed: int, tiny_encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng, (write, expected) = random.Random(seed), MODELS[change]
    (tmp_path / "data").mkdir()
    write(tmp_path / "data", rng)
    change(tiny_encoder, tmp_path / "model", rng)
    capsys.readouterr()
    code, said = check(tmp_path / "model", tmp_path / "data", capsys)
    assert code == 0 if expected is None else re.search(expected, said), said


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("write", kinds(DATA))
def test_data_is_read_or_refused_in_a_sentence(
    write, seed: int, tiny_encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = DATA[write]
    write(tmp_path, random.Random(seed))
    capsys.readouterr()
    code, said = check(tiny_encoder, data.source(tmp_path), capsys)
    assert code == 0 if expected is None else re.search(expected, said), said
