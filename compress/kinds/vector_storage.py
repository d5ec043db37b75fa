"""How an index may store vectors in fewer bytes, as the app does (Kotlin's VectorIndex)."""

from typing import Literal, get_args

import numpy as np

Storage = Literal["fp32", "int8", "1 bit"]
STORAGES: tuple[Storage, ...] = get_args(Storage)
_LARGEST = 127


def int8_of(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vectors (N, D) as int8 (N, D) with a scale each (N,): the largest number becomes 127."""
    scales = np.maximum(np.abs(vectors).max(axis=-1), 1e-12) / _LARGEST
    return np.rint(vectors / scales[..., None]).astype(np.int8), scales.astype(np.float32)


def stored(vectors: np.ndarray, storage: Storage) -> np.ndarray:
    """Vectors (..., D) as they are read back from an index: 1 bit keeps the signs alone."""
    if storage == "fp32":
        return vectors
    if storage == "1 bit":
        return np.where(vectors > 0, 1.0, -1.0).astype(np.float32)
    numbers, scales = int8_of(vectors)
    return numbers.astype(np.float32) * scales[..., None]


def bytes_of(size: int, storage: Storage) -> int:
    """Bytes of a vector of `size` numbers; an int8 vector has a scale of 4 bytes."""
    return {"fp32": 4 * size, "int8": size + 4, "1 bit": -(-size // 8)}[storage]
