"""Notes on data while it is read, and the rows that were skipped because they could not be read."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from compress.errors import DataError

Row = dict[str, object]
Table = list[tuple[str, Row]]  # (place, row); the place is "FILE, line N" in messages
_NAMED = 5  # skipped rows that a note names
T = TypeVar("T")


@dataclass
class Reading:
    """The notes on one data set, and how many of its rows may be skipped."""

    skip: int = 0
    notes: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Add a sentence, once."""
        if text not in self.notes:
            self.notes.append(text)

    def bad_row(self, error: DataError, *, others: bool = True) -> None:
        """Skip the row of this error, or raise: the error itself, or that there are more bad rows than allowed.

        `others`: whether other rows could be read, so that skipping may help.
        """
        if not self.skip:
            if not others:
                raise error
            remedy = f"{error.remedy or 'correct it'}, or leave such rows out with --skip-bad-rows N"
            raise DataError(error.what, where=error.where, remedy=remedy) from error
        self.skipped.append(f"{error.where}: {error.what}")
        if len(self.skipped) > self.skip:
            raise DataError(
                f"more than {self.skip:,} rows can't be read; this one: {error.what}",
                where=error.where,
                remedy="correct the data, or allow more with --skip-bad-rows",
            ) from error

    def each(self, table: Table, read: Callable[[str, Row], T]) -> Iterator[tuple[str, T]]:
        """(place, what `read` makes of the row) of every row that it can read."""
        yield from self.usable((place, lambda p=place, r=row: read(p, r)) for place, row in table)  # type: ignore[misc]

    def usable(self, rows: Iterable[tuple[str, Callable[[], T]]]) -> Iterator[tuple[str, T]]:
        """(place, result) of every row whose function raises no DataError."""
        others = False
        for place, read in rows:
            try:
                found = read()
            except DataError as error:
                self.bad_row(error, others=others)
            else:
                others = True
                yield place, found

    def all_notes(self) -> list[str]:
        """The notes, and a sentence on the skipped rows."""
        if not self.skipped:
            return self.notes
        named = "; ".join(self.skipped[:_NAMED])
        more = f"; and {len(self.skipped) - _NAMED:,} more" if len(self.skipped) > _NAMED else ""
        return [*self.notes, f"{len(self.skipped):,} rows were skipped (--skip-bad-rows): {named}{more}"]
