"""The app's tokenizer gives the ids of Hugging Face's: for the data sets' texts and for hostile ones."""

import csv
import gzip
import json
import random
import runpy
from collections.abc import Iterable, Iterator
from itertools import accumulate
from pathlib import Path

import pytest
from tokenizers import Encoding, Tokenizer, normalizers

from mobile_export.app.parts import PROJECT
from tests.android.hostile_texts import as_utf8_would, hostile_texts

DATA = Path(__file__).parents[3] / "shared" / "data"
TEST = "org.pocketticket.textmodel.text.TokenizerEqualityTest"
PLAIN = {"lowercase": True, "strip_accents": None, "chinese_chars": True, "clean_text": True}
Pair = tuple[str, str | None]


def write_cases(file: Path, folder: Path, pairs: Iterable[Pair], settings: dict, limits: list[int]) -> int:
    """Asks Hugging Face's tokenizer about every text, and writes its answers. Returns how many."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.normalizer = normalizers.BertNormalizer(
        clean_text=settings["clean_text"],
        handle_chinese_chars=settings["chinese_chars"],
        strip_accents=settings["strip_accents"],
        lowercase=settings["lowercase"],
    )
    pairs = list(pairs)
    with file.open("w") as out:
        out.write(json.dumps({**settings, "vocabulary": str(folder / "vocab.txt"), "count": len(pairs)}) + "\n")
        for number, (a, b) in enumerate(pairs):
            tokenizer.enable_truncation(limits[number % len(limits)], strategy="longest_first")
            encoding = tokenizer.encode(as_utf8_would(a), None if b is None else as_utf8_would(b))
            out.write(
                json.dumps(
                    {
                        "a": a,
                        "b": b,
                        "max": limits[number % len(limits)],
                        "ids": encoding.ids,
                        "segments": encoding.type_ids,
                        "places": places_of(encoding, a, b),
                    }
                )
                + "\n"
            )
    return len(pairs)


def places_of(encoding: Encoding, a: str, b: str | None) -> list[int] | None:
    """Start and end of every token as Java counts: in UTF-16 units of the text as typed.

    None where decomposing puts marks into another order: what is highlighted there differs by a mark or two.
    """
    nfd = normalizers.NFD().normalize_str
    if any(nfd(as_utf8_would(text)) != "".join(map(nfd, as_utf8_would(text))) for text in (a, b or "")):
        return None
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
    for file in sorted(DATA.glob("mlm/*.txt.gz")):
        with gzip.open(file, "rt", newline="\n") as stream:
            yield from (line.rstrip("\n") for line in stream)
    for file in sorted(DATA.glob("wnut17/*.conll")):
        for sentence in file.read_text().split("\n\n"):
            yield " ".join(line.split("\t")[0] for line in sentence.splitlines())


def questions() -> Iterator[Pair]:
    """SQuAD's questions with their paragraphs."""
    articles = json.loads(gzip.decompress((DATA / "squad" / "dev-v1.1.json.gz").read_bytes()))["data"]
    for paragraph in (p for article in articles for p in article["paragraphs"]):
        yield from ((question["question"], paragraph["context"]) for question in paragraph["qas"])


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        PLAIN,
        {**PLAIN, "lowercase": False},
        {**PLAIN, "strip_accents": False},
        {**PLAIN, "chinese_chars": False},
        {**PLAIN, "clean_text": False},
        {**PLAIN, "lowercase": False, "strip_accents": True},
    ],
    ids=["uncased", "cased", "accents kept", "chinese joined", "not cleaned", "cased, accents stripped"],
)
def test_hostile_texts_get_hugging_faces_ids(compiled, tokenizer_folder: Path, tmp_path: Path, settings: dict) -> None:
    texts = list(hostile_texts(6_000 if settings is PLAIN else 2_000))
    chance = random.Random(1)
    pairs = [(t, chance.choice(texts) if chance.random() < 0.3 else None) for t in texts]
    count = write_cases(tmp_path / "cases", tokenizer_folder, pairs, settings, [128, 5, 16, 512, 1_000_000])
    assert f"compared {count} texts" in compiled.run(TEST, {"pocketticket.cases": tmp_path / "cases"})


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason="needs ../shared/data, which is not on this machine")
def test_all_texts_of_the_data_sets_get_hugging_faces_ids(compiled, tokenizer_folder: Path, tmp_path: Path) -> None:
    pairs = [(text, None) for text in data_texts()] + list(questions())
    assert len(pairs) > 400_000
    count = write_cases(tmp_path / "cases", tokenizer_folder, pairs, PLAIN, [128, 64, 384])
    assert f"compared {count} texts" in compiled.run(TEST, {"pocketticket.cases": tmp_path / "cases"})


@pytest.mark.slow
def test_unicode_tables_are_those_of_the_tokenizers_library() -> None:
    made = runpy.run_path(str(PROJECT / "tools" / "unicode_tables.py"))
    assert made["TARGET"].read_text() == made["kotlin"](), "run android_demo/tools/unicode_tables.py"
