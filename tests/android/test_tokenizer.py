"""The app's tokenizer gives the ids of Hugging Face's: for the data sets' texts and for hostile ones."""

import csv
import gzip
import json
import random
import re
import runpy
from collections.abc import Iterable, Iterator
from itertools import accumulate
from pathlib import Path

import pytest
from tokenizers import Encoding

from benchmarks.encoders.__main__ import prepare
from mobile_export.app.parts import PROJECT
from mobile_export.bundle.tokenization import describe_tokenizer, described_tokenizer, saved_tokenizer
from mobile_export.cache import cache_dir, made_once
from tests.android.hostile_texts import as_utf8_would, hostile_texts
from tests.android.made_tokenizers import MADE, save

DATA = Path(__file__).parents[3] / "shared" / "data"
COMMANDS = Path(__file__).parents[2] / "compress" / "data" / "phone_commands" / "unlabeled.txt"
TEST = "org.pocketticket.textmodel.text.TokenizerEqualityTest"
VOCABULARIES = ("multilingual-e5-small-q4", "bert-base-multilingual-cased", "bert-base-cased", "bge-small-zh-v1.5")
LIMITS = [128, 5, 16, 512, 1_000_000]
PLAIN = {"lowercase": True, "strip_accents": None, "handle_chinese_chars": True, "clean_text": True}
Pair = tuple[str, str | None]


def write_cases(file: Path, folder: Path, pairs: Iterable[Pair], limits: list[int], side: str = "right") -> int:
    """Asks Hugging Face's tokenizer about every text, and writes its answers. Returns how many.

    Python's reading of the bundle must already give them.
    """
    described, pairs = describe_tokenizer(folder, side), list(pairs)
    data = file.with_suffix(".vocabulary")
    data.write_bytes(described.data)
    own = {limit: saved_tokenizer(folder, limit, side) for limit in limits}
    app = {limit: described_tokenizer(described.settings, described.data, limit) for limit in limits}
    with file.open("w") as out:
        out.write(json.dumps({"tokenizer": described.settings, "file": str(data), "count": len(pairs)}) + "\n")
        for number, (a, b) in enumerate(pairs):
            limit = limits[number % len(limits)]
            texts = [as_utf8_would(text) for text in (a, b) if text is not None]
            encoding = own[limit].encode(*texts)
            rebuilt = app[limit].encode(*texts)
            if described.settings["kind"] == "pipeline":
                assert (encoding.ids, encoding.offsets) == (rebuilt.ids, rebuilt.offsets), texts
            content = {"a": a, "b": b, "max": limit, "ids": encoding.ids, "segments": encoding.type_ids}
            out.write(json.dumps({**content, "places": places_of(encoding, a, b)}) + "\n")
    return len(pairs)


def places_of(encoding: Encoding, a: str, b: str | None) -> list[int]:
    """Start and end of every token as Java counts: in UTF-16 units of the text as typed."""
    units = []
    for text in (a, b or ""):
        widths = (1 + (ord(c) > 0xFFFF) for c in as_utf8_would(text))
        units.append(list(accumulate(widths, initial=0)))
    return [
        units[sequence or 0][place] if sequence is not None else 0
        for sequence, offsets in zip(encoding.sequence_ids, encoding.offsets, strict=True)
        for place in offsets
    ]


def data_texts() -> Iterator[str]:
    """Every text of every data set."""
    for file in sorted(DATA.glob("*/*.tsv")):
        with file.open(newline="\n") as stream:
            for row in csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE):
                yield from (text for column, text in row.items() if column != "label")
    yield from texts_of("*")
    for file in sorted(DATA.glob("wnut17/*.conll")):
        for sentence in file.read_text().split("\n\n"):
            yield " ".join(line.split("\t")[0] for line in sentence.splitlines())


def texts_of(folder: str) -> Iterator[str]:
    """The lines of a data set of plain text."""
    for file in sorted(DATA.glob(f"{folder}/*.txt.gz")):
        with gzip.open(file, "rt", newline="\n") as stream:
            yield from (line.rstrip("\n") for line in stream)


def questions() -> Iterator[Pair]:
    """SQuAD's questions with their paragraphs."""
    articles = json.loads(gzip.decompress((DATA / "squad" / "dev-v1.1.json.gz").read_bytes()))["data"]
    for paragraph in (p for article in articles for p in article["paragraphs"]):
        yield from ((question["question"], paragraph["context"]) for question in paragraph["qas"])


def hostile_pairs(count: int) -> list[Pair]:
    """Hostile texts, of which every third has another one behind it.

    Pairs are short: the library makes every pair of what does not fit of the two.
    """
    texts, chance = list(hostile_texts(count)), random.Random(1)
    return [(t[:200], chance.choice(texts)[:100]) if chance.random() < 0.3 else (t, None) for t in texts]


def compare(
    compiled, tmp_path: Path, folder: Path, pairs: Iterable[Pair], limits: list[int], side: str = "right"
) -> int:
    """The kilobytes that the app's tokenizer holds.

    Fails where it, or Python's reading of the bundle, differs from Hugging Face's.
    """
    count = write_cases(tmp_path / "cases", folder, pairs, limits, side)
    said = compiled.run(TEST, {"pocketticket.cases": tmp_path / "cases"})
    assert f"compared {count} texts" in said
    return int(re.search(r"holds (-?\d+) KB", said)[1])


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        PLAIN,
        {**PLAIN, "lowercase": False},
        {**PLAIN, "strip_accents": False},
        {**PLAIN, "handle_chinese_chars": False},
        {**PLAIN, "clean_text": False},
        {**PLAIN, "lowercase": False, "strip_accents": True},
    ],
    ids=["uncased", "cased", "accents kept", "chinese joined", "not cleaned", "cased, accents stripped"],
)
def test_hostile_texts_get_hugging_faces_ids(compiled, tokenizer_folder: Path, tmp_path: Path, settings: dict) -> None:
    content = json.loads((tokenizer_folder / "tokenizer.json").read_text())
    content["normalizer"].update(settings)
    (tmp_path / "tokenizer.json").write_text(json.dumps(content))
    compare(compiled, tmp_path, tmp_path, hostile_pairs(6_000 if settings is PLAIN else 2_000), LIMITS)


@pytest.mark.slow
@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("name", MADE)
def test_every_kind_of_tokenizer_gives_hugging_faces_ids(compiled, tmp_path: Path, name: str, side: str) -> None:
    texts = [text[:99] for text in (*COMMANDS.read_text().splitlines()[:3000], *hostile_texts(1500, seed=1))]
    folder = save(MADE[name](list(map(as_utf8_would, texts))), tmp_path / "m")
    salad = [(f"{a}<mask>{b} the {a}|||ing  E\u0301cole", b) for a, b in hostile_pairs(600) if b is not None]
    pairs = [*hostile_pairs(2_500), *salad, *((t, None) for t in texts[:500])]
    compare(compiled, tmp_path, folder, pairs, LIMITS, side)


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason="needs ../shared/data, which is not on this machine")
@pytest.mark.parametrize("name", VOCABULARIES)
def test_real_vocabularies_give_hugging_faces_ids(compiled, tmp_path: Path, name: str) -> None:
    folder = made_once(cache_dir() / "encoders" / name, lambda made: prepare(name, made))
    languages = [(text, None) for text in texts_of("languages")]
    assert len(languages) > 30_000
    around = [(f"{a}<mask>{b}[MASK] {a}", b) for a, b in hostile_pairs(300) if b is not None]
    pairs = [*languages, *hostile_pairs(3_000), *around]
    held = compare(compiled, tmp_path, folder, pairs, [128, 16, 512, 1_000_000])
    assert held < 12_000 or name.startswith("bert")  # vocab.txt is read into a table of strings


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason="needs ../shared/data, which is not on this machine")
def test_all_texts_of_the_data_sets_get_hugging_faces_ids(compiled, tokenizer_folder: Path, tmp_path: Path) -> None:
    pairs = [(text, None) for text in data_texts()] + list(questions())
    assert len(pairs) > 400_000
    compare(compiled, tmp_path, tokenizer_folder, pairs, [128, 64, 384])


@pytest.mark.slow
def test_unicode_tables_are_those_of_the_tokenizers_library() -> None:
    made = runpy.run_path(str(PROJECT / "tools" / "unicode_tables.py"))
    assert made["TARGET"].read_text() == made["kotlin"](), "run android_demo/tools/unicode_tables.py"
