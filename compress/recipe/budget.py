"""The section of a recipe that limits size, latency and loss."""

import re

from pydantic import field_validator

from compress.recipe.option import Section, option

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(kb|mb|gb)", re.IGNORECASE)
_UNITS = {"kb": 1e3, "mb": 1e6, "gb": 1e9}
_LATENCY = re.compile(r"(\d+(?:\.\d+)?)\s*ms\s*@\s*(\d+)", re.IGNORECASE)


class BudgetSection(Section):
    """The limits of a search, which then chooses the structure and the storage."""

    max_drop: float | None = option(
        None,
        "find the smallest program that loses at most this many points on dev against the dense model",
        "--max-drop",
        ge=0,
    )
    max_size: str | None = option(
        None,
        "the largest program, such as 4.5MB; without --max-drop the most accurate one that fits is searched",
        "--max-size",
    )
    max_latency: str | None = option(
        None, "the slowest program on this machine, milliseconds at a number of tokens, such as 1ms@12", "--max-latency"
    )

    @field_validator("max_size")
    @classmethod
    def _is_size(cls, text: str | None) -> str | None:
        if text is not None and not _SIZE.fullmatch(text.strip()):
            raise ValueError("a size is a number with kB, MB or GB, such as 4.5MB")
        return text

    @field_validator("max_latency")
    @classmethod
    def _is_latency(cls, text: str | None) -> str | None:
        found = _LATENCY.fullmatch(text.strip()) if text is not None else None
        if text is not None and (found is None or int(found[2]) < 2):
            raise ValueError("a latency is milliseconds at 2 tokens or more, such as 1ms@12")
        return text

    @property
    def is_set(self) -> bool:
        """Whether there is any limit."""
        return (self.max_drop, self.max_size, self.max_latency) != (None, None, None)

    @property
    def most_bytes(self) -> float:
        """Bytes that the program may have (1 MB = 10⁶ bytes)."""
        if self.max_size is None:
            return float("inf")
        [(number, unit)] = _SIZE.findall(self.max_size)
        return float(number) * _UNITS[unit.lower()]

    @property
    def slowest(self) -> tuple[float, int] | None:
        """(milliseconds, tokens) that the program may take, or None."""
        if self.max_latency is None:
            return None
        [(milliseconds, tokens)] = _LATENCY.findall(self.max_latency)
        return float(milliseconds), int(tokens)
