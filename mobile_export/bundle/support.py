"""What an app can do, decided before anything is trained: whether it can tokenize as the model's tokenizer does."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from compress.errors import ExportError
from mobile_export.bundle.golden import Text, unusual
from mobile_export.bundle.tokenization import describe_tokenizer, described_tokenizer, saved_tokenizer


def why_no_bundle(
    model_dir: Path, texts: Iterable[tuple[Text, Sequence[int] | None]], max_tokens: int, *, pair: bool
) -> str | None:
    """Why no bundle can be made with the tokenizer saved in `model_dir`; None: one can.

    `texts` are the task's, each with the token ids that the model is trained or evaluated on; None: the ids of the
    tokenizer cut at `max_tokens`. An app must get the same ids for them, for every added token, and for unusual texts.
    """
    try:
        settings, words = describe_tokenizer(model_dir)
        own, app = saved_tokenizer(model_dir, max_tokens), described_tokenizer(settings, words, max_tokens)
    except ExportError as error:
        return f"{error.what}; {error.remedy}" if error.remedy else error.what
    special = {*(settings[name] for name in ("unk", "cls", "sep", "pad")), "[MASK]"}
    added = sorted({token.content for token in own.get_added_tokens_decoder().values()} - special)
    probes = [*(Text(f"a {word} b", "c" if pair else None) for word in added), *unusual(pair)]
    for text, ids in [*((probe, None) for probe in probes), *texts]:
        if any(word in part for word in special for part in (text.text_a, text.text_b or "")):
            continue  # a tokenizer takes "[SEP]" in a text for the token, an app does not
        expected = own.encode(text.text_a, text.text_b).ids if ids is None else list(ids)
        if expected != app.encode(text.text_a, text.text_b).ids:
            return f"an app would tokenize {text.text_a[:60]!r} differently: the tokenizer is not BERT's unchanged one"
    return None
