"""The APK as a zip file that comes out the same, byte for byte, from the same contents.

Native libraries and resources.arsc are stored uncompressed, because Android maps them into memory straight from the
APK: libraries begin at multiples of 16 KiB (page size of newer phones). All else, the model first of all, is deflated.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PAGE = 16 * 1024
_WORD = 4
_DATE = (1981 - 1980) << 9 | 1 << 5 | 1  # 1 January 1981: apksigner and Gradle write the same
_ALIGNMENT_FIELD = 0xD935  # apksigner keeps the alignment that this extra field names


@dataclass(frozen=True)
class Entry:
    """One file of the APK."""

    name: str
    data: bytes

    @property
    def alignment(self) -> int:
        """0 for a deflated entry, otherwise the number that its data's place in the file is a multiple of."""
        if self.name.endswith(".so"):
            return PAGE
        return _WORD if self.name == "resources.arsc" else 0


def write_zip(target: Path, entries: list[Entry]) -> None:
    """Writes the entries in the order of their names."""
    directory = b""
    with target.open("wb") as out:
        for entry in sorted(entries, key=lambda e: e.name):
            name, offset = entry.name.encode(), out.tell()
            body = entry.data if entry.alignment else _deflate(entry.data)
            common = struct.pack(
                "<HHHHHIIIH",
                20,
                0x0800,
                0 if entry.alignment else 8,
                0,
                _DATE,
                zlib.crc32(entry.data),
                len(body),
                len(entry.data),
                len(name),
            )
            extra = _padding(offset + 30 + len(name), entry.alignment)
            out.write(b"PK\x03\x04" + common + struct.pack("<H", len(extra)) + name + extra + body)
            directory += (
                b"PK\x01\x02" + struct.pack("<H", 20) + common + struct.pack("<HHHHII", 0, 0, 0, 0, 0, offset) + name
            )
        start = out.tell()
        out.write(
            directory
            + b"PK\x05\x06"
            + struct.pack("<HHHHIIH", 0, 0, len(entries), len(entries), len(directory), start, 0)
        )


def _deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, 9)
    return packer.compress(data) + packer.flush()


def _padding(data_offset: int, alignment: int) -> bytes:
    """The extra field that moves the data which follows it to a multiple of `alignment`."""
    if not alignment:
        return b""
    head = 6  # id, size, alignment
    zeros = -(data_offset + head) % alignment
    return struct.pack("<HHH", _ALIGNMENT_FIELD, 2 + zeros, alignment) + bytes(zeros)


@dataclass(frozen=True)
class Place:
    """Where an entry's data lies in the file, in bytes."""

    name: str
    offset: int
    stored_bytes: int
    compressed: bool


def places(apk: Path) -> Iterator[Place]:
    """Reads a zip's central directory and local headers."""
    data = apk.read_bytes()
    end = data.rindex(b"PK\x05\x06")
    count, _, at = struct.unpack("<HII", data[end + 10 : end + 20])
    for _ in range(count):
        (method,) = struct.unpack("<H", data[at + 10 : at + 12])
        (size,) = struct.unpack("<I", data[at + 20 : at + 24])
        name_size, extra_size, comment_size = struct.unpack("<HHH", data[at + 28 : at + 34])
        (local,) = struct.unpack("<I", data[at + 42 : at + 46])
        name = data[at + 46 : at + 46 + name_size].decode()
        yield Place(name, local + 30 + sum(struct.unpack("<HH", data[local + 26 : local + 30])), size, method != 0)
        at += 46 + name_size + extra_size + comment_size
