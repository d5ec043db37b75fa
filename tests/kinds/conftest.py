"""MiniLM's tokenizer, and a way to answer as the labels are."""

import numpy as np
import pytest
from transformers import PreTrainedTokenizerBase

from compress.models.load import load_tokenizer
from compress.models.source import resolve_model


@pytest.fixture(scope="session")
def tokenizer() -> PreTrainedTokenizerBase:
    return load_tokenizer(resolve_model("minilm")[1])


def one_hot(indices: list[int], width: int) -> np.ndarray:
    """Logits (T, L) that say `indices`; where an index is negative they say the last class."""
    return 9.0 * np.eye(width, dtype=np.float32)[indices]
