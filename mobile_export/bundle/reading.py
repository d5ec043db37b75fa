"""From raw texts to a program's inputs as an app makes them: by manifest.json and the vocabulary beside it alone."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from mobile_export.bundle.check import read_manifest, read_part
from mobile_export.bundle.tokenization import described_tokenizer, layouts_of


class AppTokenizer:
    """The tokenizer of a bundle, with what its manifest says on texts over the limit (`long`)."""

    def __init__(self, manifest: Mapping[str, Any], data: bytes) -> None:
        """From a manifest and the bytes of its vocabulary file. Raises ExportError."""
        settings = manifest["tokenizer"]
        self.max_tokens: int = manifest["model"]["max_tokens"]
        self._long: Mapping[str, Any] = manifest.get("long") or {"strategy": "cut"}
        self._cut = described_tokenizer(settings, data, self.max_tokens)
        self._all = Tokenizer.from_str(self._cut.to_str())
        self._all.no_truncation()
        self._layouts = layouts_of(settings, data)

    @classmethod
    def of(cls, bundle: Path) -> "AppTokenizer":
        """The tokenizer of the bundle in a folder. Raises ExportError."""
        manifest = read_manifest(Path(bundle))
        return cls(manifest, read_part(Path(bundle), manifest, "tokenizer"))

    def encode(self, text_a: str, text_b: str | None = None) -> list[dict[str, list[int]]]:
        """The program's inputs for a text or a pair: one, or one for each window of a long text; see `long`."""
        first = self._all.encode(text_a, add_special_tokens=False).ids
        second = None if text_b is None else self._all.encode(text_b, add_special_tokens=False).ids
        limit = self.max_tokens - sum("id" in item for item in self._layout(second))
        length = len(first) + len(second or ())
        if self._long["strategy"] == "cut" or length <= limit:
            encoded = self._cut.encode(text_a, text_b)
            return [{"input_ids": encoded.ids, "token_type_ids": encoded.type_ids}]
        kept = max(limit // 2, limit - len(second)) if second else 0
        if kept and second:
            question = first[:kept]
            return [self._input(question, part) for part in self._parts(second, limit - len(question))]
        return [self._input(part, second) for part in self._parts(first, limit)]

    def _layout(self, second: list[int] | None) -> list[dict[str, int]]:
        return self._layouts["single" if second is None else "pair"]

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
        ids: list[int] = []
        segments: list[int] = []
        for item in self._layout(second):
            ids += [item["id"]] if "id" in item else (first, second or [])[item["text"]]
            segments += [item["segment"]] * (len(ids) - len(segments))
        return {"input_ids": ids, "token_type_ids": segments}
