"""Is a bundle whole and undamaged, and one that the demo app can run? The only reader of manifests and golden texts."""

import json
from importlib import resources
from pathlib import Path
from typing import Any

from compress.errors import ExportError
from compress.files import file_sha256

FORMAT = 1
KINDS = ("classification", "pair", "regression", "pair_regression", "multilabel", "tokens", "qa")
TOKENIZERS = ("wordpiece", "pipeline")
PARTS = ("model", "tokenizer", "golden")  # the manifest's entries that name a file
AGAIN = "export the run again"


def check_bundle(bundle: Path) -> dict[str, Any]:
    """The manifest of a bundle that the demo app can run, with every file as the manifest describes it.

    Raises ExportError with the first thing that is wrong and what to do.
    """
    manifest = read_manifest(bundle, for_app=True)
    check_files(bundle, manifest)
    return manifest


def read_manifest(bundle: Path, *, for_app: bool = False) -> dict[str, Any]:
    """A bundle's manifest, which follows manifest.schema.json. With `for_app` the demo app must have a screen for it.

    Raises ExportError.
    """
    file = bundle / "manifest.json"
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ExportError(
            "not a readable bundle manifest",
            where=str(file),
            remedy="give --bundle the android/ folder that a run has left",
        ) from error
    number = manifest.get("format") if isinstance(manifest, dict) else None
    if number != FORMAT:
        raise ExportError(
            f"this is bundle format {str(number)[:40]}, the app reads format {FORMAT}", where=str(file), remedy=AGAIN
        )
    if for_app:
        _check_screen(manifest, file)
    check_schema(manifest, file)
    return dict(manifest)


def _check_screen(manifest: dict[str, Any], file: Path) -> None:
    task, tokenizer = (part if isinstance(part := manifest.get(name), dict) else {} for name in ("task", "tokenizer"))
    kind, way = task.get("kind"), tokenizer.get("kind")
    if isinstance(kind, str) and kind not in KINDS:
        raise ExportError(
            f"the demo app has no screen for tasks of the kind {kind[:40]!r}",
            where=str(file),
            remedy=f"it knows {', '.join(KINDS)}",
        )
    if isinstance(way, str) and way not in TOKENIZERS:
        raise ExportError(
            f"the demo app can't tokenize like a {way[:40]!r} tokenizer",
            where=str(file),
            remedy=f"it knows {' and '.join(TOKENIZERS)}",
        )


def check_schema(content: Any, where: Path, schema: str = "manifest") -> None:
    """Raises ExportError, naming the key, when a manifest or the golden texts do not follow their schema."""
    from jsonschema import Draft202012Validator, validators

    def is_integer(_: object, value: object) -> bool:  # 64.0 is an integer for JSON Schema, and no size of anything
        return isinstance(value, int) and not isinstance(value, bool)

    types = Draft202012Validator.TYPE_CHECKER.redefine("integer", is_integer)
    validator = validators.extend(Draft202012Validator, type_checker=types)
    text = resources.files(__package__).joinpath(f"{schema}.schema.json").read_text(encoding="utf-8")
    if error := next(iter(sorted(validator(json.loads(text)).iter_errors(content), key=str)), None):
        key = ".".join(map(str, error.absolute_path)) or "top level"
        message = " ".join(error.message.split())
        shown = message if len(message) <= 200 else f"{message[:60]} … {message[-130:]}"
        raise ExportError(f"the {schema} breaks its schema at '{key}' ({shown})", where=str(where), remedy=AGAIN)


def bundle_files(manifest: dict[str, Any]) -> list[str]:
    """The names of all files of a bundle."""
    return [*(manifest[part]["file"] for part in PARTS), "manifest.json"]


def check_files(bundle: Path, manifest: dict[str, Any]) -> None:
    """Raises ExportError for the first file of the manifest that is missing or has another hash."""
    for part in PARTS:
        file = bundle / manifest[part]["file"]
        if not file.is_file():
            raise ExportError("the bundle lacks this file", where=str(file), remedy=AGAIN)
        if file_sha256(file) != manifest[part]["sha256"]:
            raise ExportError("the file's hash is not the one in manifest.json", where=str(file), remedy=AGAIN)


def read_part(bundle: Path, manifest: dict[str, Any], part: str) -> bytes:
    """The bytes of a file that the manifest names. Raises ExportError."""
    file = bundle / manifest[part]["file"]
    try:
        return file.read_bytes()
    except OSError as error:
        raise ExportError("the file can't be read", where=str(file), remedy=AGAIN) from error


def read_golden(bundle: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    """The golden texts of a bundle: "examples" and "columns", as golden.schema.json has them. Raises ExportError."""
    file = bundle / manifest["golden"]["file"]
    try:
        golden = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ExportError("the golden texts can't be read", where=str(file), remedy=AGAIN) from error
    check_schema(golden, file, "golden")
    for number, example in enumerate(golden["examples"]):
        if missing := [name for name in manifest["model"]["outputs"] if name not in example]:
            raise ExportError(f"golden text {number} lacks {' and '.join(missing)}", where=str(file), remedy=AGAIN)
    return dict(golden)
