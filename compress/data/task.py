"""A task: what is asked, of which texts, and how answers are scored."""

from dataclasses import dataclass, field
from typing import Literal

from compress.errors import DataError

Kind = Literal["classification", "pair", "regression", "pair_regression"]
SPLITS = ("train", "dev", "test")


@dataclass(frozen=True)
class Example:
    """One row. `label` is a class index, or the number itself in a regression; `text_b` is None outside pairs."""

    text_a: str
    text_b: str | None
    label: int | float


@dataclass(frozen=True)
class Task:
    """A loaded, checked task. `labels` is empty for regressions; `notes` tell the report what was done to the data."""

    name: str
    kind: Kind
    metric: str
    labels: tuple[str, ...]
    train: tuple[Example, ...]
    dev: tuple[Example, ...]
    test: tuple[Example, ...]
    fingerprint: str
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        for split in SPLITS:
            if not getattr(self, split):
                raise DataError(f"the {split} split has no rows", where=self.name, remedy="give it at least one")

    @property
    def regression(self) -> bool:
        return self.kind.endswith("regression")

    @property
    def pair(self) -> bool:
        return self.kind.startswith("pair")

    @property
    def outputs(self) -> int:
        """How many numbers the model answers with (L)."""
        return 1 if self.regression else len(self.labels)

    def split(self, name: str) -> tuple[Example, ...]:
        """The examples of "train", "dev" or "test"."""
        return getattr(self, name)
