"""A trimmed vocabulary: the same pieces where they are kept, and nothing known becomes unknown."""

import copy
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models
from transformers import BertModel, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from compress.errors import ModelError
from compress.models.load import load_tokenizer, resolve_model, save
from compress.vocabulary import choose, coverage, trim_model, trim_tokenizer

TEXTS = ["wake me at half past six", "turn the lamp in the hall off, please", "naïve café? 12 €"]


@pytest.fixture(scope="module")
def full() -> PreTrainedTokenizerBase:
    return load_tokenizer(resolve_model("minilm")[1])


@pytest.fixture(scope="module")
def kept(full: PreTrainedTokenizerBase) -> tuple[int, ...]:
    return choose(full, TEXTS, 3000)


@pytest.fixture(scope="module")
def small(full: PreTrainedTokenizerBase, kept: tuple[int, ...]) -> PreTrainedTokenizerBase:
    return trim_tokenizer(full, kept)


def test_training_texts_keep_their_pieces(full, kept, small) -> None:
    assert len(kept) == len(small) == 3000
    for text in TEXTS:
        assert [kept[i] for i in small(text)["input_ids"]] == full(text)["input_ids"]
    pair = small(TEXTS[0], TEXTS[1])
    assert [kept[i] for i in pair["input_ids"]] == full(TEXTS[0], TEXTS[1])["input_ids"]
    assert pair["token_type_ids"] == full(TEXTS[0], TEXTS[1])["token_type_ids"]
    assert coverage(full, small, TEXTS).texts_changed == 0


@settings(max_examples=300, deadline=None)
@given(text=st.text(st.characters(max_codepoint=0x24F, exclude_categories=("Cs",)), max_size=40))
def test_nothing_latin_becomes_unknown(full, small, text: str) -> None:
    """Word by word: a word that was written in known pieces still is."""
    for word in text.split():
        if full.unk_token not in full.tokenize(word):
            assert small.unk_token not in small.tokenize(word)
        assert "".join(small.tokenize(word)).replace("##", "") == "".join(full.tokenize(word)).replace("##", "")


def test_the_model_answers_as_before(full, kept, small, tiny_encoder: Path, tmp_path: Path) -> None:
    model = BertModel.from_pretrained(tiny_encoder).eval()
    trimmed = trim_model(copy.deepcopy(model), kept, small)
    save(trimmed, small, tmp_path)
    again, tokenizer = BertModel.from_pretrained(tmp_path).eval(), load_tokenizer(str(tmp_path))
    with torch.inference_mode():
        old = model(**full(TEXTS, padding=True, return_tensors="pt")).last_hidden_state
        new = again(**tokenizer(TEXTS, padding=True, return_tensors="pt")).last_hidden_state
    torch.testing.assert_close(new, old)
    assert again.embeddings.word_embeddings.weight.shape == (3000, 32)


def test_other_tokenizers_are_refused_with_a_remedy() -> None:
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE({"a": 0}, [])), unk_token="a")
    with pytest.raises(ModelError, match=r"kind BPE can't be trimmed.*structure\.vocabulary=0"):
        choose(tokenizer, TEXTS, 100)
