"""A bundle of kind embedding, used as an app does: a text goes in, its vector comes out."""

from pathlib import Path

import numpy as np

from compress.errors import ExportError
from mobile_export.bundle.check import check_files, read_manifest
from mobile_export.bundle.reading import AppTokenizer
from mobile_export.programs.runtime import LoadedProgram


class VectorModel:
    """The program, tokenizer and prefixes of a bundle. `size` is the length of its vectors."""

    def __init__(self, bundle: Path) -> None:
        """Load a bundle, checking its files. Raises ExportError for a damaged one, and for another kind."""
        manifest = read_manifest(bundle)
        if (kind := manifest["task"]["kind"]) != "embedding":
            raise ExportError(
                f"the bundle is of kind {kind}, which gives no vectors",
                where=str(bundle),
                remedy="give a bundle of kind embedding",
            )
        check_files(bundle, manifest)
        model, vector = manifest["model"], manifest["task"].get("vector") or {}
        names = {key: model[key] for key in ("inputs", "outputs", "min_tokens", "max_tokens")}
        self._program = LoadedProgram(bundle / model["file"], **names)
        self._tokenizer = AppTokenizer.of(bundle)
        self._prefixes = {True: vector.get("query_prefix", ""), False: vector.get("passage_prefix", "")}
        self.size = vector.get("size") or self.embed("size").size

    def embed(self, text: str, *, query: bool = False) -> np.ndarray:
        """The vector (D,) of a text: of a passage, or of a text that searches. The text's end is cut at the limit."""
        inputs = self._tokenizer.encode(self._prefixes[query] + text)[0]
        vector: np.ndarray = self._program.answer(inputs)[0][0]
        return vector
