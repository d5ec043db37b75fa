"""The wire format of Protocol Buffers, as far as ONNX files and TensorFlow's checkpoints need it."""

import struct
from collections.abc import Iterator

Bytes = bytes | memoryview
Field = tuple[int, int | Bytes]  # the field's number, and its value: a number, or bytes


def varint(data: Bytes, at: int) -> tuple[int, int]:
    """A whole number of variable length, and the position after it: 7 bits a byte, the lowest first."""
    number = shift = 0
    while True:
        byte = data[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at


def varints(data: Bytes) -> list[int]:
    """All whole numbers of packed bytes."""
    found, at = [], 0
    while at < len(data):
        number, at = varint(data, at)
        found.append(number)
    return found


def fields(message: Bytes) -> Iterator[Field]:
    """A message's fields in order. Those of 4 and 8 bytes come as bytes. Raises ValueError for a group."""
    at = 0
    while at < len(message):
        tag, at = varint(message, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = varint(message, at)
            yield number, value
            continue
        if wire == 2:
            length, at = varint(message, at)
        elif wire in (1, 5):
            length = 8 if wire == 1 else 4
        else:
            raise ValueError(f"a field of wire type {wire}")
        yield number, message[at : at + length]
        at += length


def numbers(message: Bytes, wanted: int) -> list[int]:
    """The values of a repeated field of whole numbers, packed or not."""
    found: list[int] = []
    for number, value in fields(message):
        if number == wanted:
            found += [value] if isinstance(value, int) else varints(value)
    return found


def texts(message: Bytes, wanted: int) -> list[str]:
    """The values of a repeated field of text."""
    return [
        bytes(value).decode() for number, value in fields(message) if number == wanted and not isinstance(value, int)
    ]


def parts(message: Bytes, wanted: int) -> list[Bytes]:
    """The values of a repeated field of bytes or of messages."""
    return [value for number, value in fields(message) if number == wanted and not isinstance(value, int)]


def fixed32(data: Bytes) -> int:
    """A whole number of 4 bytes, the lowest first."""
    found: int = struct.unpack("<I", bytes(data))[0]
    return found
