"""Small real things made from nothing: a random encoder with the embedded model's tokenizer, and an easy task."""

import random
from pathlib import Path

_WORDS = {
    "happy": ["glad", "merry", "sunny", "lovely", "bright", "kind", "sweet", "warm", "cheerful", "joyful"],
    "sad": ["gloomy", "bitter", "cold", "grim", "dull", "bleak", "sorry", "dark", "weary", "tearful"],
}
_FRAMES = ("a {} day", "what a {} thing to say", "so {}", "it was {} all along , really", "{} ?", "never so {} before")


def encoder(folder: Path) -> Path:
    """Write a random BERT, 2 layers, 32 wide, with the embedded model's tokenizer; always the same."""
    import torch
    from transformers import BertConfig, BertModel

    from compress.models.load import load_tokenizer
    from compress.models.source import resolve_model
    from compress.models.store import save

    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    config = BertConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, max_position_embeddings=64
    )
    save(BertModel(config), load_tokenizer(resolve_model("minilm")[1]), folder)
    return folder


def task(folder: Path) -> Path:
    """Write train, dev and test of an easy task of two classes; always the same."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [f"{label}\t{frame.format(word)}" for label, words in _WORDS.items() for frame in _FRAMES for word in words]
    random.Random(0).shuffle(rows)
    for split, part in (("train", rows[0::2]), ("dev", rows[1::4]), ("test", rows[3::4])):
        (folder / f"{split}.tsv").write_text("\n".join(["label\ttext", *part]) + "\n", encoding="utf-8")
    return folder
