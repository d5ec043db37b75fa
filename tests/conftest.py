"""Small real things that many tests share: a tiny encoder with MiniLM's tokenizer, and a tiny task as files."""

import os
import random
from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2] / "shared" / "data"
_WORDS = {
    "happy": ["glad", "merry", "sunny", "lovely", "bright", "kind", "sweet", "warm", "cheerful", "joyful"],
    "sad": ["gloomy", "bitter", "cold", "grim", "dull", "bleak", "sorry", "dark", "weary", "tearful"],
}


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of public data sets, beside the project."""
    if not SHARED.is_dir():
        pytest.skip("needs the public data sets in ../shared/data")
    return SHARED


@pytest.fixture(scope="session")
def run_folder() -> Path:
    """A finished run's folder, such as `make run` leaves, named by POCKET_TICKET_RUN."""
    if not (named := os.environ.get("POCKET_TICKET_RUN")):
        pytest.skip("needs a finished run: set POCKET_TICKET_RUN to its folder")
    return Path(named).resolve()


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a random BERT, 2 layers, 32 wide, and the embedded model's tokenizer."""
    import torch
    from transformers import BertConfig, BertModel

    from compress.models.load import load_tokenizer, resolve_model, save

    folder = tmp_path_factory.mktemp("tiny_encoder")
    torch.manual_seed(0)
    config = BertConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, max_position_embeddings=64
    )
    save(BertModel(config), load_tokenizer(resolve_model("minilm")[1]), folder)
    return folder


@pytest.fixture(scope="session")
def tiny_task(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with train, dev and test of an easy two-class task."""
    folder = tmp_path_factory.mktemp("tiny_task")
    frames = (
        "a {} day",
        "what a {} thing to say",
        "so {}",
        "it was {} all along , really",
        "{} ?",
        "never so {} before",
    )
    rows = [f"{label}\t{frame.format(word)}" for label, words in _WORDS.items() for frame in frames for word in words]
    random.Random(0).shuffle(rows)
    for split, part in (("train", rows[0::2]), ("dev", rows[1::4]), ("test", rows[3::4])):
        (folder / f"{split}.tsv").write_text("\n".join(["label\ttext", *part]) + "\n", encoding="utf-8")
    return folder
