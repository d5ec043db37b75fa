"""A task: its examples, labels and metric."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeAlias, cast

from compress.errors import DataError

Kind = Literal[
    "classification", "pair", "regression", "pair_regression", "multilabel", "tokens", "qa", "mlm", "embedding"
]
SPLITS = ("train", "dev", "test")
OUTSIDE = "O"  # the label of a word that is in no entity


@dataclass(frozen=True)
class Answer:
    """A piece of a passage that answers a question, and the character where it begins."""

    text: str
    start: int


@dataclass(frozen=True)
class Relevant:
    """A passage that answers a query: its place in the corpus, and how well it does (above 0)."""

    passage: int
    grade: float = 1.0


Label: TypeAlias = int | float | tuple[int, ...] | tuple[float, ...] | tuple[Answer, ...] | tuple[Relevant, ...] | None


@dataclass(frozen=True)
class Example:
    """One row; `text_b` is None outside pairs, and a question's passage.

    `label` is a class index, the number itself in a regression, 0 or 1 for each label where a text may have several (or
    a teacher's probability), a class index for each word (words have one blank between them), a question's answers, or
    None where words are masked. Of embeddings it is a pair's score, the relevant passages of a query, the nearest other
    texts, or None.
    """

    text_a: str
    text_b: str | None
    label: Label
    part: str | None = None  # of the data, such as "everyday": results are shown for each, too
    negatives: tuple[str, ...] = ()  # passages that look like an answer to the query `text_a` and are none

    @property
    def class_index(self) -> int:
        """The label of a text that has one class."""
        return cast(int, self.label)

    @property
    def label_set(self) -> tuple[int, ...]:
        """0 or 1 for each of the task's labels, where a text may have several or none."""
        return cast(tuple[int, ...], self.label)

    @property
    def word_labels(self) -> tuple[int, ...]:
        """The class index of each word."""
        return cast(tuple[int, ...], self.label)

    @property
    def answers(self) -> tuple[Answer, ...]:
        """The answers of a question; none where its passage does not answer it."""
        return cast(tuple[Answer, ...], self.label)

    @property
    def relevant(self) -> tuple[Relevant, ...]:
        """The passages that answer a query."""
        return cast(tuple[Relevant, ...], self.label)

    @property
    def second(self) -> str:
        """The second text of a pair, a question's passage."""
        return cast(str, self.text_b)


@dataclass(frozen=True)
class Task:
    """A loaded, checked task. `labels` is empty for regressions; `notes` say in the report what was done to the data.

    On the `unlabeled` texts a student learns its teacher's outputs; they do not change `fingerprint`.
    """

    name: str
    kind: Kind
    metric: str
    labels: tuple[str, ...]
    train: tuple[Example, ...]
    dev: tuple[Example, ...]
    test: tuple[Example, ...]
    fingerprint: str
    notes: tuple[str, ...] = field(default=())
    unlabeled: tuple[Example, ...] = field(default=())
    corpus: tuple[str, ...] = field(default=())  # the passages that queries are searched in
    prefixes: tuple[str, str] = ("", "")  # what queries and passages begin with: the texts have them already

    def __post_init__(self) -> None:
        for split in SPLITS:
            if not getattr(self, split):
                raise DataError(f"the {split} split has no rows", where=self.name, remedy="give it at least one")

    @property
    def regression(self) -> bool:
        return self.kind.endswith("regression")

    @property
    def pair(self) -> bool:
        return self.kind.startswith("pair") or self.kind == "qa"

    @cached_property
    def with_unanswerable(self) -> bool:
        """Whether some question has no answer in its passage (SQuAD v2.0)."""
        return self.kind == "qa" and any(not e.answers for name in SPLITS for e in self.split(name))

    @property
    def of_sentences(self) -> bool:
        """Whether there is one prediction a text, not one a word."""
        return self.kind.startswith("pair") or self.kind in ("classification", "regression", "multilabel")

    @property
    def one_output(self) -> bool:
        """Whether a text has one row of outputs: a prediction, or a vector."""
        return self.of_sentences or self.kind == "embedding"

    @property
    def outputs(self) -> int:
        """How many numbers the model outputs (L), for each text or each token; 0: the encoder decides."""
        return {"qa": 2, "mlm": 0, "embedding": 0}.get(self.kind, 1 if self.regression else len(self.labels))

    def split(self, name: str) -> tuple[Example, ...]:
        """The examples of "train", "dev" or "test"."""
        return getattr(self, name)
