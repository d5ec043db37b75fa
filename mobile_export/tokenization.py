"""Tokenize as an app does: from manifest.json and the vocabulary beside it alone.

    from mobile_export.tokenization import AppTokenizer

    inputs = AppTokenizer.of("runs/mine/android").encode("play some music")  # one, or one for each window

`described_tokenizer` is the tokenizer without what the manifest says on long texts: it cuts them at the limit.
"""

from mobile_export.bundle.reading import AppTokenizer
from mobile_export.bundle.tokenization import Described, describe_tokenizer, described_tokenizer

__all__ = ["AppTokenizer", "Described", "describe_tokenizer", "described_tokenizer"]
