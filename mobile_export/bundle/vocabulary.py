"""The vocabulary file of a bundle: pieces sorted by their bytes, so that an app searches them in place.

Little-endian: the magic "PVTP", then five int32: version 1, pieces N, bytes of a score (0, 4 or 8), merges M, bytes of
the character map. Then N uint16 lengths, N int32 ids, N scores, M merges of four int32 (left id, right id, rank, new
id; sorted by the first two), the character map, and the pieces' UTF-8 bytes one after the other.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from compress.errors import ExportError

VERSION = 1
_MAGIC = b"PVTP"
_HEADER = struct.Struct("<4s5i")


@dataclass(frozen=True)
class Vocabulary:
    """Pieces with their ids; of Unigram their scores, of BPE the merges (left, right, rank, new), by ids.

    `charsmap` is the precompiled map of a normalizer, or empty.
    """

    ids: Mapping[str, int]
    scores: Mapping[str, float] | None = None
    merges: Sequence[tuple[int, int, int, int]] = ()
    charsmap: bytes = b""

    def pack(self) -> bytes:
        """The file's bytes. Raises ExportError for a piece that is longer than the format has."""
        pieces = sorted(self.ids, key=str.encode)
        encoded = [piece.encode() for piece in pieces]
        lengths = np.array([len(piece) for piece in encoded])
        if len(pieces) and lengths.max() >= 1 << 16:
            raise ExportError(f"a piece of the vocabulary has {lengths.max()} bytes", remedy="use pieces under 65,536")
        scores = np.array([] if self.scores is None else [self.scores[piece] for piece in pieces], "<f8")
        if self.scores is not None and (scores.astype("<f4").astype("<f8") == scores).all():
            scores = scores.astype("<f4")
        width = 0 if self.scores is None else scores.itemsize
        merges = np.array(sorted(self.merges), "<i4").reshape(-1, 4)
        parts = [
            _HEADER.pack(_MAGIC, VERSION, len(pieces), width, len(merges), len(self.charsmap)),
            lengths.astype("<u2").tobytes(),
            np.array([self.ids[piece] for piece in pieces], "<i4").tobytes(),
            scores.tobytes(),
            merges.tobytes(),
            self.charsmap,
            *encoded,
        ]
        return b"".join(parts)

    @classmethod
    def unpack(cls, data: bytes) -> "Vocabulary":
        """The vocabulary in a file's bytes. Raises ExportError for bytes that are none."""
        try:
            magic, version, count, width, merged, mapped = _HEADER.unpack_from(data)
            if magic != _MAGIC or version != VERSION or width not in (0, 4, 8):
                raise ValueError(f"{magic!r}, version {version}")
            place = _HEADER.size

            def take(kind: str, number: int) -> np.ndarray:
                nonlocal place
                values = np.frombuffer(data, kind, number, place)
                place += values.nbytes
                return values

            lengths, ids = take("<u2", count), take("<i4", count)
            scores = take(f"<f{width}", count) if width else None
            merges = take("<i4", 4 * merged).reshape(-1, 4)
            charsmap = take("u1", mapped).tobytes()
            ends = place + np.cumsum(lengths, dtype=np.int64)
            pieces = [data[end - length : end].decode() for end, length in zip(ends, lengths, strict=True)]
            if (ends[-1] if count else place) != len(data):
                raise ValueError("another length than its header says")
        except (struct.error, ValueError) as error:
            raise ExportError(f"not a vocabulary file ({error})"[:200], remedy="export the run again") from error
        return cls(
            dict(zip(pieces, ids.tolist(), strict=True)),
            None if scores is None else dict(zip(pieces, scores.astype(float).tolist(), strict=True)),
            [(left, right, rank, new) for left, right, rank, new in merges.tolist()],
            charsmap,
        )
