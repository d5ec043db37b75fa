"""What an app can do, decided before anything is trained: whether it can tokenize as the model's tokenizer does."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from compress.errors import ExportError
from mobile_export.bundle.golden import Text, typed_by_nobody, unusual
from mobile_export.bundle.tokenization import describe_tokenizer, described_tokenizer, saved_tokenizer

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer


def why_no_bundle(
    model_dir: Path,
    texts: Iterable[tuple[Text, Sequence[int] | None]],
    max_tokens: int,
    *,
    pair: bool,
    segments: bool = True,
) -> str | None:
    """Why no bundle can be made with the tokenizer saved in `model_dir`; None: one can.

    `texts` are the task's, each with the token ids that the model is trained or evaluated on; None: the ids of the
    tokenizer cut at `max_tokens`. An app must get the same ids for them, around every added token, and for unusual
    texts; with `segments`, where the model reads token_type_ids, the same of these. The sentence names the cause.
    """
    try:
        described = describe_tokenizer(model_dir)
        own = saved_tokenizer(model_dir, max_tokens)
        app = described_tokenizer(described.settings, described.data, max_tokens)
    except ExportError as error:
        return f"{error.what}; {error.remedy}" if error.remedy else error.what

    def differs(text: Text, ids: Sequence[int] | None = None) -> bool:
        first, second = (each.encode(text.text_a, text.text_b) for each in (own, app))
        if (first.ids if ids is None else list(ids)) != second.ids:
            return True
        return segments and first.type_ids != second.type_ids

    empty = Text("", "" if pair else None)
    if differs(empty):
        return f"the tokenizer's template (post_processor) is not supported: {_layouts(own, app, empty)}"
    special = set(typed_by_nobody(described.settings))
    for token in sorted({token.content for token in own.get_added_tokens_decoder().values()} - special):
        if any(differs(probe) for probe in _around(token, pair)):
            return f"the added token {token[:60]!r} is not supported: an app takes it for a usual word"
    for text, ids in [*((text, None) for text in unusual(pair)), *texts]:
        if any(word in part for word in special for part in (text.text_a, text.text_b or "")):
            continue  # "[SEP]" typed in a text is the token itself: for the app, too, which its own tests compare
        if differs(text, ids):
            return f"an app would tokenize {text.text_a[:60]!r} differently: {_cause(own, app, text, max_tokens)}"
    return None


def _layouts(own: "Tokenizer", app: "Tokenizer", text: Text) -> str:
    def layout(encoding: "Encoding") -> str:
        return " ".join(f"{token}:{number}" for token, number in zip(encoding.tokens, encoding.type_ids, strict=True))

    first, second = (layout(each.encode(text.text_a, text.text_b)) for each in (own, app))
    return f"with their segments its special tokens are {first[:80] or 'none'}, an app's {second}"


def _around(token: str, pair: bool) -> Iterator[Text]:
    """Texts with an added token alone, as a word, within words, beside punctuation, and in other case."""
    for text in (
        token,
        f"a {token} b",
        f"{token}x",
        f"x{token}",
        f"x{token}x",
        f"a.{token}.",
        f"a  {token}  b",
        token * 2,
    ):
        for case in dict.fromkeys((text, text.upper(), text.lower(), text.title())):
            yield Text(case, "c" if pair else None)
            if pair:
                yield Text("c", case)


def _cause(own: "Tokenizer", app: "Tokenizer", text: Text, max_tokens: int) -> str:
    """Which part of the tokenizer makes the difference, as far as comparing shows it."""
    from tokenizers import Tokenizer

    full = [Tokenizer.from_str(each.to_str()) for each in (own, app)]
    for each in full:
        each.no_truncation()
    first, second = (each.encode(text.text_a, text.text_b) for each in full)
    if first.ids == second.ids:
        if len(first.ids) > max_tokens:
            return f"its truncation is not supported: an app cuts the end of the longer text at {max_tokens} tokens"
        return "its template (post_processor) is not supported"
    return "its normalizer, pre_tokenizer or model does more than its settings say"
