"""Is this bundle whole, undamaged, and one that the demo app can run?"""

import hashlib
import json
from pathlib import Path
from typing import Any

from compress.errors import ExportError

KINDS = ("classification", "pair", "regression", "pair_regression", "tokens", "qa")


def check_bundle(bundle: Path) -> dict[str, Any]:
    """Returns the manifest. Raises ExportError with the first thing that is wrong and what to do."""
    again = "export the run again"
    manifest_file = bundle / "manifest.json"
    try:
        manifest = json.loads(manifest_file.read_text())
    except (OSError, ValueError) as error:
        raise ExportError(
            "not a readable bundle manifest",
            where=str(manifest_file),
            remedy="give --bundle the android/ folder that a run has left",
        ) from error
    if manifest.get("format") != 1:
        raise ExportError(
            f"this is bundle format {manifest.get('format')}, the app reads format 1",
            where=str(manifest_file),
            remedy=again,
        )
    if manifest["task"]["kind"] not in KINDS:
        raise ExportError(
            f"the demo app has no screen for tasks of the kind {manifest['task']['kind']!r}",
            where=str(manifest_file),
            remedy=f"it knows {', '.join(KINDS)}",
        )
    if manifest["tokenizer"]["kind"] != "wordpiece":
        raise ExportError(
            f"the demo app can't tokenize like a {manifest['tokenizer']['kind']!r} tokenizer",
            where=str(manifest_file),
            remedy="use an encoder with a WordPiece vocabulary (BERT's family)",
        )
    for part in ("model", "tokenizer", "golden"):
        file = bundle / manifest[part]["file"]
        if not file.is_file():
            raise ExportError("the bundle lacks this file", where=str(file), remedy=again)
        if hashlib.sha256(file.read_bytes()).hexdigest() != manifest[part]["sha256"]:
            raise ExportError(
                "the file is not the one that the manifest describes (other SHA-256)", where=str(file), remedy=again
            )
    return dict(manifest)
