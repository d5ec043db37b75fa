"""The settings of a study, checked before anything heavy is imported."""

from dataclasses import dataclass
from pathlib import Path

from compress.errors import PocketTicketError

CONTROLS = {
    "random": "random mask",
    "reinit": "random re-initialization",
    "shuffled": "shuffled pre-trained weights",
}
SEARCHES = {
    "pretrained": "magnitude of the pre-trained weights: no training at all",
    "one_shot": "one-shot from the dense model",
    "taylor": "one-shot from the dense model by Taylor's criterion",
    "movement_pruning": "one-shot from the dense model by movement pruning",
    "short": "iterative, rounds of one pass",
    "early": "iterative, a round ends when its mask has settled",
    "averaged": "the combined masks of three short trainings (half a pass each)",
    "distilled": "iterative, rounds of one pass with the dense model as teacher",
}
SPARSITIES = tuple(tenth / 10 for tenth in range(1, 10))


@dataclass(frozen=True)
class Settings:
    """`at`: the sparsities of controls, transfer and other searches; `transfer`: folders of other studies."""

    sparsities: tuple[float, ...] = SPARSITIES
    seeds: tuple[int, ...] = (0, 1, 2)
    controls: tuple[str, ...] = tuple(CONTROLS)
    searches: tuple[str, ...] = ()
    at: tuple[float, ...] = SPARSITIES
    transfer: tuple[Path, ...] = ()
    looks: int = 2  # at dev, in each pass, for the training curves


def sparsities(text: str, flag: str = "--sparsities") -> tuple[float, ...]:
    """Growing sparsities from "0.3,0.5". Raises PocketTicketError."""
    numbers = sorted({round(float(number), 6) for number in _split(text, flag, float)})
    if not all(0 < number < 1 for number in numbers):
        raise PocketTicketError("a sparsity is above 0 and below 1", where=f"{flag} {text}", remedy="try 0.3,0.5,0.7")
    return tuple(numbers)


def some_of(text: str, known: dict[str, str], flag: str) -> tuple[str, ...]:
    """Names from "random,shuffled", in the order of `known`; "none" is no name. Raises PocketTicketError."""
    names = [] if text.strip() in ("", "none") else [name.strip() for name in text.split(",")]
    if unknown := [name for name in names if name not in known]:
        raise PocketTicketError(
            f"there is no '{unknown[0]}'", where=f"{flag} {text}", remedy=f"use some of {', '.join(known)}, or none"
        )
    return tuple(name for name in known if name in names)


def seeds(text: str) -> tuple[int, ...]:
    """Seeds from "0,1,2". Raises PocketTicketError."""
    numbers = tuple(dict.fromkeys(int(number) for number in _split(text, "--seeds", int)))
    if min(numbers) < 0:
        raise PocketTicketError("a seed is 0 or more", where=f"--seeds {text}", remedy="try 0,1,2")
    return numbers


def _split(text: str, flag: str, kind: type) -> list[str]:
    parts = [part.strip() for part in text.split(",")]
    try:
        for part in parts:
            kind(part)
    except ValueError as error:
        raise PocketTicketError(
            f"'{part}' is not a number", where=f"{flag} {text}", remedy="give numbers with commas between them"
        ) from error
    return parts
