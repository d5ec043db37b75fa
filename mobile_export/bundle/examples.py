"""Texts that an app offers to try, each with the label that the data gives it."""

from collections.abc import Sequence

from mobile_export.bundle.golden import Text

MOST = 12  # an app shows them in a row
SHORTEST, LONGEST = 12, 160  # characters of both texts together: they must fit on a phone's screen


def choose_examples(texts: Sequence[Text]) -> list[Text]:
    """At most 12 of the texts: for each label one, the most frequent labels first; without labels a spread by length.

    Each is of middling length among those of its label that fit on a screen; labels without such a text have none.
    """
    fitting = [text for text in dict.fromkeys(texts) if SHORTEST <= _length(text) <= LONGEST and _printable(text)]
    of_label: dict[str | None, list[Text]] = {}
    for text in fitting:
        of_label.setdefault(text.label, []).append(text)
    if set(of_label) <= {None}:
        ranked = sorted(fitting, key=_rank)
        return ranked[:: max(1, -(-len(ranked) // MOST))]
    of_label.pop(None, None)
    by_size = sorted(of_label.items(), key=lambda item: -len(item[1]))  # stable: as the data has them
    return [sorted(group, key=_rank)[len(group) // 2] for _, group in by_size[:MOST]]


def _length(text: Text) -> int:
    return len(text.text_a) + len(text.text_b or "")


def _printable(text: Text) -> bool:
    return all(part.isprintable() and part.strip() for part in (text.text_a, text.text_b) if part is not None)


def _rank(text: Text) -> tuple[int, str, str]:
    return _length(text), text.text_a, text.text_b or ""
