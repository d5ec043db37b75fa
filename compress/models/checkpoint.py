"""What a checkpoint's config and its loading say: what does not fit is refused, a new head or pooler is noted."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import safe_open
from torch import nn
from transformers import PretrainedConfig

from compress.errors import ModelError
from compress.models.anatomy import longest_input
from compress.models.architectures import architecture_of, why_refused

# what wrappers (DataParallel, torch.compile, a Lightning module) put before every weight's name
PREFIXES = ("module.", "_orig_mod.", "model.")
_BUFFERS = ("position_ids", "token_type_ids")  # older versions saved them; they hold nothing that was learned
_MOST = 3


@dataclass(frozen=True)
class Loaded:
    """Which weights of a loaded model are not the checkpoint's: `missing` in it, or of another shape in it.

    `unused` are the checkpoint's weights that the model does not have.
    """

    missing: tuple[str, ...]
    mismatched: tuple[str, ...]
    unused: tuple[str, ...]

    @classmethod
    def of(cls, info: Mapping[str, Any]) -> "Loaded":
        """From the loading information of transformers."""
        return cls(
            tuple(sorted(info["missing_keys"])),
            tuple(sorted(entry[0] for entry in info["mismatched_keys"])),
            tuple(sorted(key for key in info["unexpected_keys"] if not key.endswith(_BUFFERS))),
        )

    def without(self, part: str) -> "Loaded":
        """The same without the weights that have `part` in their names."""
        return Loaded(
            *(tuple(n for n in names if part not in n) for names in (self.missing, self.mismatched, self.unused))
        )


def wrapping_prefix(source: str) -> str:
    """What stands before every weight's name in a folder's files, such as "module."; empty where nothing does."""
    names = [name for file in Path(source).glob("*.safetensors") for name in _names(file)]
    found, longer = "", True
    while names and longer:
        longer = False
        for prefix in PREFIXES:
            if all(name.startswith(found + prefix) for name in names):
                found, longer = found + prefix, True
    return found


def _names(file: Path) -> Iterable[str]:
    with safe_open(file, framework="pt") as opened:
        return list(opened.keys())


def without_prefix(prefix: str) -> dict[str, str]:
    """The key mapping of transformers that takes `prefix` off every weight's name."""
    return {f"^{re.escape(prefix)}": ""} if prefix else {}


def check_config(config: PretrainedConfig, source: str, max_tokens: int) -> None:
    """Raise ModelError for an encoder that is not supported, or whose inputs are shorter than `max_tokens`."""
    if refused := why_refused(config):
        what, remedy = refused
        raise ModelError(what, where=source, remedy=remedy)
    longest = longest_input(config)
    if max_tokens > longest:
        raise ModelError(
            f"its longest input is {longest} tokens and max_tokens is {max_tokens}",
            where=source,
            remedy=f"set --max-tokens {longest}",
        )


def check_loaded(model: nn.Module, loaded: Loaded, source: str) -> None:
    """Raise ModelError, naming the weights, where the encoder's own are not all the checkpoint's.

    The task's head, and a pooler that the checkpoint never had, may be new.
    """
    row = architecture_of(model)
    if strange := [name for name, weight in model.named_parameters() if not weight.isfinite().all()]:
        raise ModelError(
            f"{_some(strange)} hold numbers that are not finite",
            where=source,
            remedy="give a checkpoint from before its training failed",
        )

    def of_encoder(name: str) -> bool:
        return name.startswith(f"{row.base}.") or row.layers in name or "embeddings." in name

    def of_pooler(name: str) -> bool:
        return "pooler." in name  # RoBERTa's and MPNet's checkpoints hold one that no head reads

    missing = [name for name in loaded.missing if of_encoder(name) and not of_pooler(name)]
    if missing:
        raise ModelError(
            f"the checkpoint lacks {_some(missing)} of the encoder"
            + (f", and holds {_some(loaded.unused)} instead" if loaded.unused else ""),
            where=source,
            remedy="give a checkpoint of this architecture whose config.json belongs to its weights",
        )
    if other := [name for name in loaded.mismatched if of_encoder(name)]:
        raise ModelError(
            f"{_some(other)} have other shapes in the checkpoint than config.json says",
            where=source,
            remedy="give the config.json that belongs to the weights",
        )
    if more := [name for name in loaded.unused if of_encoder(name) and not of_pooler(name)]:
        raise ModelError(
            f"the checkpoint holds {_some(more)}, which the encoder of its config.json does not have",
            where=source,
            remedy="give the config.json that belongs to the weights",
        )


def notes_of(model: nn.Module, loaded: Loaded, prefix: str) -> list[str]:
    """What a user should know of a checkpoint that is usable, in sentences."""
    row, notes = architecture_of(model), []
    if prefix:
        notes.append(f'"{prefix}" was removed from the name of every weight of the checkpoint')
    new = [*loaded.missing, *loaded.mismatched]
    if row.pooler is not None and any(row.pooler in name for name in new):
        notes.append("the checkpoint has no pooler: a new one begins with random values and is trained")
    if loaded.mismatched:
        notes.append("the checkpoint's head is for another number of outputs: a new head begins with random values")
    return notes


def _some(names: Iterable[str]) -> str:
    names = list(names)
    shown = ", ".join(names[:_MOST])
    return shown if len(names) <= _MOST else f"{shown} and {len(names) - _MOST:,} more weights"
