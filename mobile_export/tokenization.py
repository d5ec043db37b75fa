"""Tokenize as an app does: from the settings in manifest.json and the words in vocab.txt alone.

from mobile_export.tokenization import described_tokenizer, read_vocabulary

tokenizer = described_tokenizer(manifest["tokenizer"], read_vocabulary(bundle / "vocab.txt"), max_tokens=64)
ids = tokenizer.encode("hello").ids
"""

from mobile_export.bundle.tokenization import describe_tokenizer, described_tokenizer, read_vocabulary

__all__ = ["describe_tokenizer", "described_tokenizer", "read_vocabulary"]
