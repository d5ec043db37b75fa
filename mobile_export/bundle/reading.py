"""From raw texts to a program's inputs as an app makes them: by manifest.json and vocab.txt alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mobile_export.bundle.check import read_manifest
from mobile_export.bundle.tokenization import described_tokenizer, read_vocabulary


class AppTokenizer:
    """The tokenizer of a bundle, with what its manifest says on texts over the limit (`long`)."""

    def __init__(self, manifest: Mapping[str, Any], words: Sequence[str]) -> None:
        """From a manifest and the words of its vocabulary in the order of ids. Raises ExportError."""
        settings = manifest["tokenizer"]
        self.max_tokens: int = manifest["model"]["max_tokens"]
        self._long: Mapping[str, Any] = manifest.get("long") or {"strategy": "cut"}
        self._cut = described_tokenizer(settings, words, self.max_tokens)
        self._all = described_tokenizer(settings, words, self.max_tokens)
        self._all.no_truncation()
        ids = {word: number for number, word in enumerate(words)}
        self._cls, self._sep = ids[settings["cls"]], ids[settings["sep"]]

    @classmethod
    def of(cls, bundle: Path) -> "AppTokenizer":
        """The tokenizer of the bundle in a folder. Raises ExportError."""
        manifest = read_manifest(Path(bundle))
        return cls(manifest, read_vocabulary(Path(bundle) / manifest["tokenizer"]["file"]))

    def encode(self, text_a: str, text_b: str | None = None) -> list[dict[str, list[int]]]:
        """The program's inputs for a text or a pair: one, or one for each window of a long text; see `long`."""
        first = self._all.encode(text_a, add_special_tokens=False).ids
        second = None if text_b is None else self._all.encode(text_b, add_special_tokens=False).ids
        limit = self.max_tokens - (2 if second is None else 3)
        length = len(first) + len(second or ())
        if self._long["strategy"] == "cut" or length <= limit:
            encoded = self._cut.encode(text_a, text_b)
            return [{"input_ids": encoded.ids, "token_type_ids": encoded.type_ids}]
        kept = max(limit // 2, limit - len(second)) if second else 0
        if kept and second:
            question = first[:kept]
            return [self._input(question, part) for part in self._parts(second, limit - len(question))]
        return [self._input(part, second) for part in self._parts(first, limit)]

    def _parts(self, ids: list[int], room: int) -> list[list[int]]:
        """The parts of a text that are read, each of at most `room` tokens."""
        if self._long["strategy"] == "head_tail":
            head = room * self._long["head_percent"] // 100
            return [ids[:head] + ids[len(ids) - (room - head) :]]
        if len(ids) <= room:
            return [ids]
        step = room - room * self._long["overlap_percent"] // 100
        return [ids[start : start + room] for start in (*range(0, len(ids) - room, step), len(ids) - room)]

    def _input(self, first: list[int], second: list[int] | None) -> dict[str, list[int]]:
        before = [self._cls, *first, self._sep]
        after = [] if second is None else [*second, self._sep]
        return {"input_ids": before + after, "token_type_ids": [0] * len(before) + [1] * len(after)}
