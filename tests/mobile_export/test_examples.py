"""Examples to try: ordinary texts, one for each label."""

from hypothesis import given
from hypothesis import strategies as st

from mobile_export.bundle.examples import LONGEST, MOST, SHORTEST, choose_examples
from mobile_export.bundle.golden import UNUSUAL, Text

TEXTS = st.builds(
    Text,
    st.one_of(st.sampled_from([*UNUSUAL, "play a song", "x " * 90, "x " * 70]), st.text(max_size=30)),
    st.sampled_from([None, "", "and another text"]),
    st.sampled_from([None, *(f"label {i}" for i in range(20))]),
)


@given(st.lists(TEXTS, max_size=30))
def test_each_is_a_given_text_that_fits_and_no_label_comes_twice(texts: list[Text]) -> None:
    chosen = choose_examples(texts)
    assert set(chosen) <= set(texts) and len(chosen) <= MOST
    for text in chosen:
        assert SHORTEST <= len(text.text_a) + len(text.text_b or "") <= LONGEST
        assert text.text_a.isprintable() and text.text_a.strip()
    labels = [text.label for text in chosen if text.label is not None]
    assert len(labels) == len(set(labels)) and len(labels) in (0, len(chosen))


def test_every_label_has_one_and_texts_without_labels_are_spread() -> None:
    texts = [Text(f"play song number {i}" + "!" * (i % 7), None, f"label {i % 5}") for i in range(100)]
    assert {text.label for text in choose_examples(texts)} == {f"label {i}" for i in range(5)}
    lengths = [len(text.text_a) for text in choose_examples([Text("word " * n) for n in range(3, 32)])]
    assert len(lengths) > 6 and lengths == sorted(lengths) and max(lengths) > 3 * min(lengths)
    assert choose_examples([Text("")]) == choose_examples([]) == []
