"""Which columns are the label and the texts: by the recipe, else by usual names in any case; the others are named."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from compress.data.classes import FLAGS
from compress.data.reading import Reading, Table
from compress.errors import DataError
from compress.recipe.sections import DataSection

_LABELS = (
    *("label", "labels", "score", "intent", "class"),
    *("category", "target", "sentiment", "topic", "emotion", "rating", "stars", "polarity", "tag", "answer", "y"),
)
_PAIRS = (
    *(("text_a", "text_b"), ("text", "text_b"), ("sentence1", "sentence2"), ("premise", "hypothesis")),
    *(("question1", "question2"), ("text1", "text2"), ("sentence_a", "sentence_b"), ("question", "sentence")),
    *(("question", "passage"), ("question", "context"), ("query", "passage"), ("query", "document")),
    *(("query", "text"), ("query", "title"), ("claim", "evidence"), ("title", "body"), ("title", "text")),
    *(("anchor", "positive"), ("query", "positive"), ("query", "answer"), ("question", "positive")),
    *(("title", "content"), ("title", "description"), ("title", "review"), ("subject", "body"), ("headline", "text")),
)
_EQUALS = _PAIRS[:6]  # naming one text still means both
_TEXTS = (
    *("text", "text_a", "sentence", "sentence1", "premise", "question1", "question", "utterance"),
    *("review", "content", "message", "comment", "comment_text", "tweet", "body", "document", "query", "description"),
    *("review_text", "text1", "headline", "title", "phrase", "input", "sms", "post", "abstract"),
)
_PARTS, _MOST_PARTS = ("part", "slice"), 20


@dataclass(frozen=True)
class Columns:
    """The columns that are read. `labels` are one, or one for each of several labels; `text_b` is None for one text."""

    labels: tuple[str, ...]
    text_a: str
    text_b: str | None
    part: str | None = None

    @property
    def used(self) -> tuple[str, ...]:
        return (*self.labels, self.text_a, *(name for name in (self.text_b, self.part) if name))


def find_columns(
    settings: DataSection,
    tables: dict[str, Table],
    reading: Reading,
    *,
    labeled: bool = True,
    others: Sequence[str] = (),
) -> Columns:
    """The columns of a table of texts. Raises DataError, with flags that would do, where they can't be found.

    `others` are columns that the caller reads besides.
    """
    place, _ = tables["train"][0]
    file = place.partition(", ")[0]
    header = [c for c in dict.fromkeys(name for _, row in tables["train"] for name in row) if c not in others]
    text_a, text_b = _texts(settings, header)
    rest = [c for c in header if c not in (text_a, text_b)]
    labels = _labels(settings, tables["train"], rest) if labeled else ()
    if (labeled and not labels) or text_a is None:
        missing = "text" if text_a is None else "label"
        raise DataError(
            f"there is no column with a usual name for the {missing}; the columns are {', '.join(map(repr, header))}",
            where=file,
            remedy=_command(tables["train"], labels, text_a),
        )
    part = _part([c for c in rest if c not in labels], tables)
    found = Columns(labels, text_a, text_b, part)
    _check(found, header, file)
    _same_in_every_split(found, tables, reading)
    _say(found, header, reading)
    return found


def is_header(names: Iterable[str]) -> bool:
    """Whether these are usual names of columns, a label's and a text's among them."""
    header = [name.strip().strip('"') for name in names]
    return _first(_LABELS, header) is not None and _first(_TEXTS, header) is not None


def _check(found: Columns, header: Sequence[str], file: str) -> None:
    """Raise DataError for a column that is missing, there twice, or used twice."""
    for name in found.used:
        flag = "--text-a" if name == found.text_a else "--text-b" if name == found.text_b else "--label"
        if name not in header:
            raise DataError(
                f"there is no column {name}; the columns are {', '.join(header)}", where=file, remedy=f"correct {flag}"
            )
        if again(name, 2) in header:
            raise DataError(f"the column {name} occurs twice", where=file, remedy="rename one")
        if found.used.count(name) > 1:
            raise DataError(f"the column {name} is used twice", where=file, remedy=f"give another one with {flag}")


def again(name: str, number: int) -> str:
    """What a column is called whose name occurs for the `number`th time in the header."""
    return f"{name} ({number})"


def _texts(settings: DataSection, header: Sequence[str]) -> tuple[str | None, str | None]:
    """The text, or the two texts of a pair."""
    given_a, given_b = settings.text_a, settings.text_b
    if given_b:
        second = None if given_b == "none" else _spelled(given_b, header) or given_b
        first = (_spelled(given_a, header) or given_a) if given_a else _first(_TEXTS, header, without=second)
        return first, second
    for a, b in _PAIRS if given_a is None else _EQUALS:
        first, second = _spelled(a, header), _spelled(b, header)
        if first and second and given_a in (None, first):
            return first, second
    return (_spelled(given_a, header) or given_a) if given_a else _first(_TEXTS, header), None


def _labels(settings: DataSection, table: Table, rest: Sequence[str]) -> tuple[str, ...]:
    """The label's column; the columns of 0 and 1 where there are several and none has a label's name."""
    if settings.label:
        return tuple(_spelled(name.strip(), rest) or name.strip() for name in settings.label.split(","))
    if (one := _first(_LABELS, rest)) is not None:
        return (one,)
    flags = [c for c in rest if {str(row.get(c)).strip().lower() for _, row in table} <= FLAGS]
    return tuple(flags) if len(flags) > 1 else ()


def _part(rest: Sequence[str], tables: dict[str, Table]) -> str | None:
    """The column that says to which part of the data a text belongs, where every split has it."""
    name = _first(_PARTS, rest)
    everywhere = name and all(isinstance(row.get(name), str) and row[name] for t in tables.values() for _, row in t)
    few = name and len({row[name] for _, row in tables["train"]}) <= _MOST_PARTS
    return name if everywhere and few else None


def _spelled(name: str, header: Sequence[str]) -> str | None:
    """The column of this name, in any case."""
    if name in header:
        return name
    return next((c for c in header if c.lower().replace(" ", "_") == name.lower().replace(" ", "_")), None)


def _first(names: Sequence[str], header: Sequence[str], without: str | None = None) -> str | None:
    return next((c for n in names if (c := _spelled(n, header)) is not None and c != without), None)


def _command(table: Table, labels: Sequence[str], text: str | None) -> str:
    """A remedy that can be typed: the likeliest columns, by how often values recur and how long they are."""
    columns = list(table[0][1])
    if len(columns) == 1:
        return "separate the columns by commas, semicolons, tabs or vertical bars, and name them in the first line"
    values = {c: [str(row.get(c)) for _, row in table[:1000]] for c in columns}
    if any(len(c) > 30 or c.count(" ") > 3 for c in columns):
        return "if the first line is already an example, put a header line before it, such as label and text"
    length = {c: sum(map(len, values[c])) for c in columns}
    text = text or max(columns, key=lambda c: length[c])
    rest = [c for c in columns if c != text]
    label = next(iter(labels), None) or min(
        rest, key=lambda c: (len(set(values[c])) < 2, len(set(values[c]))), default="LABEL"
    )
    return f"name them, for example: --label {_shell(label)} --text-a {_shell(text)}"


def _shell(name: str) -> str:
    return name if name.isidentifier() else f"'{name}'"


def _same_in_every_split(found: Columns, tables: dict[str, Table], reading: Reading) -> None:
    """Every split has the columns. A test split without labels is left out: competitions publish such ones."""
    for split, table in list(tables.items()):
        _rename(found, table)
        missing = [c for c in found.used if not any(c in row for _, row in table)]
        if split == "test" and not missing and len(found.labels) == 1 and _without(found.labels[0], table):
            missing = list(found.labels)
        if not missing:
            continue
        file = table[0][0].partition(", ")[0]
        if split == "test" and set(missing) == set(found.labels) and len(found.labels) == 1:
            reading.note(f"{file} has no labels (column {missing[0]}): a test without labels is not used")
            del tables["test"]
            continue
        raise DataError(
            f"there is no column {missing[0]} in the {split} split",
            where=file,
            remedy="use the same columns in every split",
        )


def _rename(found: Columns, table: Table) -> None:
    """Give the columns of a split the names that training has for them, where capitals or blanks differ."""
    for name in found.used:
        other = _spelled(name, list(table[0][1]))
        if other not in (None, name):
            for _, row in table:
                row[name] = row.pop(other, None)


def _without(label: str, table: Table) -> bool:
    return all(row.get(label) is None or str(row[label]).strip() == "" for _, row in table)


def _say(found: Columns, header: Sequence[str], reading: Reading) -> None:
    unnamed = {"", *(again("", number) for number in range(2, len(header) + 1))}
    ignored = ["(without a name)" if c in unnamed else c for c in header if c not in found.used]
    if ignored or (found.text_b and (found.text_a.lower(), found.text_b.lower()) not in _EQUALS):
        parts = [
            f"the text is {found.text_a}" if not found.text_b else f"the pair is {found.text_a} and {found.text_b}"
        ]
        if found.labels:
            verb = "label is" if len(found.labels) == 1 else "labels are"
            parts = [f"the {verb} {', '.join(found.labels)}", *parts]
        if ignored:
            parts.append(f"not used: {', '.join(dict.fromkeys(ignored))}")
        reading.note(f"columns: {'; '.join(parts)}")
