"""A model's folder before anything is loaded from it: what it lacks, and what it holds instead."""

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open

from compress.errors import ModelError

_TOKENIZERS = ("tokenizer.json", "vocab.txt", "vocab.json")
_FLOATS = ("F64", "F32", "F16", "BF16")
_BUFFERS = ("_ids",)  # position_ids, token_type_ids: whole numbers that nothing learned


def check_folder(folder: Path) -> None:
    """Raise ModelError, with what to do, for a folder from which no encoder can be loaded."""
    if not (folder / "config.json").is_file():
        raise ModelError("there is no config.json", where=str(folder), remedy=_instead(folder))
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise ModelError(
            "there are no weights as safetensors",
            where=str(folder),
            remedy="save them with save_pretrained (pickled weights are never loaded)",
        )
    if not any((folder / name).is_file() for name in _TOKENIZERS):
        raise ModelError(
            "there is no tokenizer", where=str(folder), remedy="save it into the same folder with save_pretrained"
        )
    whole = [name for file in files for name in _whole_numbers(file)]
    if whole or _quantized(folder):
        weights = f"{whole[0]} and {len(whole) - 1:,} others" if len(whole) > 1 else "".join(whole)
        raise ModelError(
            f"the checkpoint is quantized ({weights or 'its config.json has a quantization_config'})",
            where=str(folder),
            remedy="give the checkpoint from which it was made, with weights as floating-point numbers",
        )


def _instead(folder: Path) -> str:
    """What to give instead of a folder without config.json, from what is in it."""
    if (folder / "adapter_config.json").is_file():
        return (
            "this is an adapter (LoRA): merge it into its model (merge_and_unload), and save that with save_pretrained"
        )
    inner = sorted(file.parent for file in folder.glob("*/config.json"))
    models = [each for each in inner if list(each.glob("*.safetensors"))]
    if models:
        return f"give one of its folders, such as {models[-1]}"
    return "give a folder written by save_pretrained"


def _whole_numbers(file: Path) -> list[str]:
    """The weights of a file that are no floating-point numbers. Raises ModelError for a damaged file."""
    try:
        with safe_open(file, framework="pt") as opened:
            kinds = {name: opened.get_slice(name).get_dtype() for name in opened.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        pointer = file.stat().st_size < 1000 and b"git-lfs" in file.read_bytes()
        what = "is a pointer of Git LFS, not the weights" if pointer else f"is damaged or incomplete ({error})"
        remedy = "run `git lfs pull` there" if pointer else "download or save it again"
        raise ModelError(f"{file.name} {what}", where=str(file.parent), remedy=remedy) from error
    return [name for name, kind in kinds.items() if kind not in _FLOATS and not name.endswith(_BUFFERS)]


def _quantized(folder: Path) -> bool:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except ValueError:  # what is wrong with it is said when it is loaded
        return False
    return isinstance(config, dict) and bool(config.get("quantization_config"))
