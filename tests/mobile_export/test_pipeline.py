"""A bundle alone gives the tokenizer back: ids and places, for every kind of it; a vocabulary file is its bytes."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compress.errors import ExportError
from mobile_export.bundle.tokenization import describe_tokenizer, described_tokenizer, saved_tokenizer
from mobile_export.bundle.vocabulary import Vocabulary
from tests.android.hostile_texts import as_utf8_would, hostile_texts
from tests.android.made_tokenizers import MADE, save

COMMANDS = Path(__file__).parents[2] / "compress" / "data" / "phone_commands" / "unlabeled.txt"
LIMITS = (128, 16)


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("name", MADE)
def test_the_bundle_gives_the_tokenizer_back(tmp_path: Path, name: str, side: str) -> None:
    texts = [text[:99] for text in (*COMMANDS.read_text().splitlines()[:1000], *hostile_texts(200, seed=1))]
    folder = save(MADE[name]([as_utf8_would(text) for text in texts]), tmp_path)
    described = describe_tokenizer(folder, side)
    assert described.settings["kind"] == "pipeline"
    asked = [as_utf8_would(text)[:300] for text in hostile_texts(300)]
    for limit in LIMITS:
        own, app = saved_tokenizer(folder, limit, side), described_tokenizer(described.settings, described.data, limit)
        for first, second in zip(asked, (None, *asked), strict=False):
            parts = [first] if second is None or len(first + second) % 3 else [first, second[:60]]
            a, b = own.encode(*parts), app.encode(*parts)
            assert (a.ids, a.type_ids, a.offsets) == (b.ids, b.type_ids, b.offsets), parts


PIECES = st.dictionaries(
    st.text(st.characters(exclude_categories=("Cs",)), min_size=1), st.integers(0, 2**31 - 1), min_size=1
)


@settings(max_examples=60, deadline=None)
@given(ids=PIECES, data=st.data())
def test_a_vocabulary_is_read_as_it_was_written(ids: dict[str, int], data: st.DataObject) -> None:
    scores = data.draw(st.none() | st.fixed_dictionaries(dict.fromkeys(ids, st.floats(-30, 0))))
    rows = data.draw(st.lists(st.tuples(*[st.integers(0, 2**31 - 1)] * 4), unique_by=lambda row: row[:2]))
    made = Vocabulary(ids, scores, rows, data.draw(st.binary(max_size=9)))
    again = Vocabulary.unpack(made.pack())
    assert (again.ids, again.scores, again.charsmap) == (ids, scores, made.charsmap)
    assert again.merges == sorted(rows)


@settings(max_examples=100, deadline=None)
@given(ids=PIECES, data=st.data())
def test_a_damaged_vocabulary_is_one_sentence(ids: dict[str, int], data: st.DataObject) -> None:
    packed = Vocabulary(ids).pack()
    cut = packed[: data.draw(st.integers(0, len(packed) - 1))]
    with pytest.raises(ExportError, match="not a vocabulary file"):
        Vocabulary.unpack(cut)
