"""Which texts become golden: those on which a tokenizer or a program is most likely to go wrong on a phone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compress.errors import ExportError
from mobile_export.bundle.tokenization import describe_tokenizer, described_tokenizer, saved_tokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer

GOLDEN = 256  # the app asks the first 64 at each start, a bundle's check all
CHECKED = 5000  # texts on which the tokenizer's description is compared with the tokenizer

# One trap a text: nothing, blanks, accents composed and not, case that changes length, ideographs, emoji with joiners,
# right to left, control and zero-width characters, a word beyond 100 characters, lone marks, digits of other scripts.
UNUSUAL = (
    "",
    " \t\n ",
    "Crème brûlée à la carte, naïve façade, señor Ångström",
    "cafe\u0301 re\u0301sume\u0301 a\u030angstro\u0308m",
    "İSTANBUL'DA ışık, STRASSE straße ẞ, Ǆ ǅ ǆ, ﬁne ﬂow",
    "今天天气怎么样? 東京タワー 한국어 안녕하세요",
    "👍🏽 👩‍👩‍👧‍👦 🇩🇪 ok 🤷‍♀️!!!",
    "مرحبا بالعالم שלום עולם हिन्दी ไทย",
    "a\u200bb\u200dc\u00add\ufeffe \u0000\u0001\ufffd\u007f end",
    "no\u00a0break\u2003em\u3000wide\u2028line\u2029paragraph\u0085next",
    "x" * 101 + " " + "y" * 100,
    "it's 3.14%—$5,000.00 (€20) e-mail:me@here.org #tag @you ~^|\\<>`´¨¸",
    "ＦＵＬＬ　ｗｉｄｔｈ ①②③ ½ x² ™ №5 Ⅷ ٣٤٥ १२३",
    "\u0301 \u0308 ̈a ـ ·",
    "ΑΘΗΝΑ Σίσυφος ΣΣΣ Москва ЁЖ Їжак",
    "[ UNK ] [CLS [SEP ] ## ##ing [ PAD ]",
)


@dataclass(frozen=True)
class Text:
    """A raw text of the task, `text_b` for a pair, and its label where known."""

    text_a: str
    text_b: str | None = None
    label: str | None = None


def choose_golden(
    model_dir: Path, texts: Sequence[Text], max_tokens: int, *, pair: bool, segments: bool = True, count: int = GOLDEN
) -> Iterator[tuple[Text, dict[str, list[int]]]]:
    """Yield at least `count` texts with their ids: unusual, truncated, each label, shortest, longest, and a spread.

    Raises ExportError when there are no texts at all, or when the manifest's description of the tokenizer would give
    other ids, or with `segments` other token_type_ids, than the model's own tokenizer.
    """
    if not texts:
        raise ExportError("there are no texts to choose golden ones from", remedy="give the task's evaluation texts")
    tokenizer = saved_tokenizer(model_dir, max_tokens)
    app = describe_tokenizer(model_dir)
    special = typed_by_nobody(app.settings)

    def plain(text: Text) -> bool:
        return not any(word in part for word in special for part in (text.text_a, text.text_b or ""))

    given = list(dict.fromkeys(text for text in texts if plain(text) and (text.text_b is not None) == pair))
    ranked = sorted(given, key=lambda text: (len(text.text_a) + len(text.text_b or ""), text.text_a, text.text_b or ""))
    chosen = dict.fromkeys(text for text in unusual(pair) if plain(text))
    for pool in (_truncated(ranked, max_tokens, pair), _each_label(ranked), ranked[:4], ranked[-4:], _rarest(ranked)):
        chosen.update(dict.fromkeys(pool))
    chosen.update(dict.fromkeys(_spread(ranked, count - len(chosen))))
    golden = _padding_out(list(chosen), count)
    described = described_tokenizer(app.settings, app.data, max_tokens)
    _check_description(tokenizer, described, [*golden, *given[:CHECKED]], segments)
    for text in golden:
        encoded = tokenizer.encode(text.text_a, text.text_b)
        yield text, {"input_ids": encoded.ids, "token_type_ids": encoded.type_ids}


def typed_by_nobody(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Special tokens whose spelling in a text is not compared: vocab.txt does not name them."""
    if settings["kind"] != "wordpiece":
        return ()
    return (*(settings[name] for name in ("unk", "cls", "sep", "pad")), "[MASK]")


def _check_description(own: "Tokenizer", described: "Tokenizer", texts: Sequence[Text], segments: bool) -> None:
    for text in texts:
        first, second = (each.encode(text.text_a, text.text_b) for each in (own, described))
        if first.ids != second.ids or (segments and first.type_ids != second.type_ids):
            raise ExportError(
                f"the manifest can't describe this tokenizer completely: the text {text.text_a[:60]!r} gets other ids",
                remedy="use an encoder with an unchanged tokenizer of those in docs/model.md",
            )


def unusual(pair: bool) -> Iterator[Text]:
    """Texts on which tokenizers go wrong; of a pair the second is the next one."""
    for first, second in zip(UNUSUAL, UNUSUAL[1:] + UNUSUAL[:1], strict=True):
        yield Text(first, second if pair else None)


def _truncated(ranked: Sequence[Text], max_tokens: int, pair: bool) -> Iterator[Text]:
    longest = ranked[-1].text_a if ranked else "again and"
    over = " ".join([longest] * max_tokens)[: 12 * max_tokens]
    yield Text(over, "short" if pair else None)
    if pair:
        yield Text("short", over)
        yield Text(over, over)


def _each_label(ranked: Sequence[Text]) -> list[Text]:
    labels: dict[str | None, Text] = {}
    for text in (*ranked[len(ranked) // 2 :], *ranked[: len(ranked) // 2]):  # of middling length where possible
        labels.setdefault(text.label, text)
    return list(labels.values())


def _rarest(ranked: Sequence[Text], count: int = 8) -> list[Text]:
    """Texts with the most characters that no text chosen before them has."""
    seen, chosen = set("abcdefghijklmnopqrstuvwxyz0123456789 .,"), []
    for _ in range(count):
        best = max(ranked, key=lambda text: len(set(text.text_a + (text.text_b or "")) - seen), default=None)
        if best is None or not set(best.text_a + (best.text_b or "")) - seen:
            break
        seen |= set(best.text_a + (best.text_b or ""))
        chosen.append(best)
    return chosen


def _spread(ranked: Sequence[Text], count: int) -> list[Text]:
    step = max(1, len(ranked) // max(1, count))
    return list(ranked[::step])[: max(0, count)]


def _padding_out(chosen: list[Text], count: int) -> list[Text]:
    """With too few texts, the same in capitals, and then twice over."""
    for change in (str.upper, str.title, lambda part: f"{part} {part}", lambda part: f"{part}, {part}? {part}!"):
        for text in list(chosen):
            if len(chosen) >= count:
                return chosen
            other = Text(change(text.text_a), None if text.text_b is None else change(text.text_b), text.label)
            if other not in chosen:
                chosen.append(other)
    return chosen
