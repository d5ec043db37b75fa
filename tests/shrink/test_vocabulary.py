"""A trimmed vocabulary: the same pieces where they are kept, and nothing known becomes unknown."""

import copy
from functools import cache
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import BertModel, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from compress.errors import ModelError
from compress.models.load import load_tokenizer
from compress.models.source import resolve_model
from compress.models.store import save
from compress.shrink.vocabulary import choose, coverage, scripts_of, trim_model, trim_tokenizer

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
    words = Tokenizer(models.WordLevel({"a": 0}, unk_token="a"))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="a")
    with pytest.raises(ModelError, match=r"kind WordLevel can't be trimmed.*structure\.vocabulary=0"):
        choose(tokenizer, TEXTS, 100)


def test_scripts_in_use_are_those_of_the_texts() -> None:
    assert scripts_of(TEXTS) == scripts_of([]) == ("LATIN",)
    assert scripts_of([*TEXTS * 40, "я"]) == ("LATIN",)
    assert scripts_of(["今日は良い天気です"]) == ("LATIN", "CJK", "HIRAGANA")
    assert scripts_of(["не сегодня", *TEXTS]) == ("LATIN", "CYRILLIC")


def test_texts_of_another_script_keep_their_pieces() -> None:
    tokenizer = load_tokenizer(resolve_model("minilm")[1])
    texts = ["мир и дом", "не сегодня"]
    kept = choose(tokenizer, texts, 4000, scripts_of(texts))
    assert coverage(tokenizer, trim_tokenizer(tokenizer, kept), texts).texts_changed == 0
    assert coverage(tokenizer, trim_tokenizer(tokenizer, choose(tokenizer, texts, 4000)), texts).unknown_added > 0


CORPUS = [
    *TEXTS,
    "half of the lamps in the hall are off",
    "please wake me in the cafe at six",
    "the past, the hall",
] * 3


def trained(kind: str) -> PreTrainedTokenizerBase:
    """A small tokenizer of another kind, as RoBERTa (bytes) and XLM-R have them."""
    if kind == "BPE":
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(), decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(
            vocab_size=420, initial_alphabet=alphabet, special_tokens=["<s>", "<pad>", "</s>", "<unk>"]
        )
    else:
        tokenizer = Tokenizer(models.Unigram())
        tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
        trainer = trainers.UnigramTrainer(
            vocab_size=160, special_tokens=["<s>", "<pad>", "</s>", "<unk>"], unk_token="<unk>"
        )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    special = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, cls_token="<s>", sep_token="</s>", **special)


@pytest.mark.parametrize(("kind", "fewer"), [("BPE", 30), ("Unigram", 3)])
def test_other_kinds_keep_the_pieces_of_their_texts(kind: str, fewer: int) -> None:
    tokenizer, text = trained(kind), "wake me at half past six"
    kept = choose(tokenizer, [text], len(tokenizer) - fewer)
    small = trim_tokenizer(tokenizer, kept)
    assert len(small) == len(kept) < len(tokenizer)
    assert [kept[i] for i in small(text)["input_ids"]] == tokenizer(text)["input_ids"]
    for other in CORPUS:
        ids = small(other, add_special_tokens=False)["input_ids"]
        assert small.unk_token_id not in ids and small.decode(ids).strip() == other
    assert coverage(tokenizer, small, [text]).texts_changed == 0


@settings(max_examples=100, deadline=None)
@given(text=st.text(max_size=30))
def test_bytes_can_write_everything(text: str) -> None:
    tokenizer = trained_once()
    small = trim_tokenizer_once()
    assert small.unk_token_id not in small(text)["input_ids"]
    assert small.decode(small(text, add_special_tokens=False)["input_ids"]) == tokenizer.decode(
        tokenizer(text, add_special_tokens=False)["input_ids"]
    )


@cache
def trained_once() -> PreTrainedTokenizerBase:
    return trained("BPE")


@cache
def trim_tokenizer_once() -> PreTrainedTokenizerBase:
    return trim_tokenizer(trained_once(), choose(trained_once(), CORPUS, 300))
