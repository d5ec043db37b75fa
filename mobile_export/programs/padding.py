"""Programs have no attention mask: padded token ids would be read as text, so they are refused."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from compress.errors import ExportError


def pad_id_of(model_dir: Path) -> int | None:
    """The id of the padding token of the tokenizer in `model_dir`; None where no such token shows padding.

    That is a folder without a tokenizer.json or without the token, and a tokenizer that ends every text with it.
    """
    from tokenizers import Tokenizer

    folder = Path(model_dir)
    try:
        name = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8")).get("pad_token", "[PAD]")
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.no_padding()
        pad = tokenizer.token_to_id(name["content"] if isinstance(name, dict) else name)
        return None if pad in tokenizer.encode("").ids else pad
    except Exception:  # tokenizers raises Exception itself; a program can be made without a tokenizer
        return None


def recorded_pad_id(program: Path) -> int | None:
    """The pad_id in the description or the manifest beside a program; None where neither has one."""
    for file, entry in ((program.with_suffix(".json"), None), (program.with_name("manifest.json"), "model")):
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
            pad_id = (found[entry] if entry else found)["pad_id"]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if isinstance(pad_id, int):
            return pad_id
    return None


def check_unpadded(text: Mapping[str, Any], pad_id: int | None, where: Path) -> None:
    """Raises ExportError for an attention mask that is not all ones, and for ids that begin or end with `pad_id`."""
    mask, ids = text.get("attention_mask"), text["input_ids"]
    if mask is not None and (np.asarray(mask) != 1).any():
        raise ExportError(
            "the attention_mask hides tokens, but the program has no mask and would read them as text",
            where=str(where),
            remedy="give the ids of one text without padding, and no mask",
        )
    if pad_id is not None and len(ids) > 0 and pad_id in (ids[0], ids[-1]):
        raise ExportError(
            f"the ids {'end' if ids[-1] == pad_id else 'begin'} with the padding token's id {pad_id}, and the program "
            "would read padding as text",
            where=str(where),
            remedy="give the ids of one text without padding",
        )
