"""Tokenizers of every kind that an app can reproduce, trained here on a few texts, as folders with tokenizer.json."""

import io
import json
from collections.abc import Callable, Iterable
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
ROBERTA = (("</s>", 2), ("<s>", 0))


def _trained_bpe(texts: Iterable[str], words: pre_tokenizers.PreTokenizer, size: int, **settings: object) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(**settings))
    tokenizer.pre_tokenizer = words
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=SPECIAL,
        limit_alphabet=500,
        initial_alphabet=[] if settings else pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
        **{key: value for key, value in settings.items() if key in ("continuing_subword_prefix", "end_of_word_suffix")},
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def roberta(texts: Iterable[str], *, prefix: bool = False, trim: bool = True) -> Tokenizer:
    """RoBERTa's: byte-level, `<s> a </s></s> b </s>`, and a mask that takes the blanks before it."""
    tokenizer = _trained_bpe(texts, pre_tokenizers.ByteLevel(add_prefix_space=prefix), 2000)
    tokenizer.post_processor = processors.RobertaProcessing(*ROBERTA, trim, prefix)
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True, special=True)])
    return tokenizer


def modern_bert(texts: Iterable[str]) -> Tokenizer:
    """ModernBERT's: NFC before the bytes, and added tokens of every flag."""
    tokenizer = roberta(texts)
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.post_processor = processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=True, add_prefix_space=False),
            processors.TemplateProcessing("<s> $A </s>", "<s> $A </s> $B:1 </s>:1", [("<s>", 0), ("</s>", 2)]),
        ]
    )
    tokenizer.add_tokens(
        [
            AddedToken("|||", normalized=False),
            AddedToken("ing", single_word=True, normalized=True),
            AddedToken("the", single_word=True, lstrip=True, rstrip=True, normalized=False),
            AddedToken("e\u0301cole", normalized=True),
            AddedToken("   ", normalized=False, rstrip=True),
        ]
    )
    return tokenizer


def unknown_bpe(texts: Iterable[str]) -> Tokenizer:
    """BPE of characters with unknown ones, pieces that continue a word and such that end it, and no template."""
    settings = {"unk_token": "<unk>", "fuse_unk": True, "continuing_subword_prefix": "@@", "end_of_word_suffix": "</w>"}
    tokenizer = _trained_bpe(texts, pre_tokenizers.BertPreTokenizer(), 1500, **settings)
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()]
    )
    return tokenizer


def falling_back(texts: Iterable[str]) -> Tokenizer:
    """BPE of characters that falls back to bytes, behind Llama's normalizer."""
    tokenizer = _trained_bpe(texts, pre_tokenizers.WhitespaceSplit(), 1500, unk_token="<unk>")
    content = json.loads(tokenizer.to_str())
    vocabulary = content["model"]["vocab"]
    for byte in range(256):
        vocabulary[f"<0x{byte:02X}>"] = len(vocabulary)
    content["model"].update(byte_fallback=True, ignore_merges=True)
    content["normalizer"] = {
        "type": "Sequence",
        "normalizers": [
            {"type": "Strip", "strip_left": True, "strip_right": False},
            {"type": "Nmt"},
            {"type": "Replace", "pattern": {"Regex": r"[\t \x{3000}]{2,}"}, "content": " \u2581"},
            {"type": "Replace", "pattern": {"String": "``"}, "content": '"'},
            {"type": "NFKC"},
            {"type": "Prepend", "prepend": "\u2581x"},
        ],
    }
    digits = {"type": "Digits", "individual_digits": True}
    content["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [{"type": "Whitespace"}, digits]}
    return Tokenizer.from_str(json.dumps(content))


def unigram(texts: Iterable[str]) -> Tokenizer:
    """Unigram as the tokenizers library trains it, with T5's parts."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    words = [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="first", split=False)]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(words)
    trainer = trainers.UnigramTrainer(
        vocab_size=12_000, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False, max_piece_length=8
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing("$A </s>", "$A </s> $B </s>", [("</s>", 2)])
    return tokenizer


def sentencepiece_unigram(texts: Iterable[str], rule: str = "nmt_nfkc", **settings: object) -> Tokenizer:
    """XLM-R's: a model of the sentencepiece library with its precompiled map of characters."""
    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2 as formats

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([text.replace("\0", " ") for text in texts]),
        model_writer=model,
        vocab_size=12_000,
        character_coverage=0.98,
        hard_vocab_limit=False,
        normalization_rule_name=rule,
        minloglevel=2,
        **settings,
    )
    saved = formats.ModelProto.FromString(model.getvalue())
    pieces = [(piece.piece, piece.score) for piece in saved.pieces]
    fallback = bool(settings.get("byte_fallback"))
    tokenizer = Tokenizer(models.Unigram(pieces, saved.trainer_spec.unk_id, fallback))
    charsmap = normalizers.Precompiled(saved.normalizer_spec.precompiled_charsmap)
    spaces = normalizers.Replace(Regex(" {2,}"), " ")
    tokenizer.normalizer = normalizers.Sequence([charsmap, normalizers.Strip(left=False, right=True), spaces])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never" if fallback else "always")
    ends = [("<s>", tokenizer.token_to_id("<s>")), ("</s>", tokenizer.token_to_id("</s>"))]
    tokenizer.post_processor = processors.TemplateProcessing("<s> $A </s>", "<s> $A </s> </s> $B </s>", ends)
    tokenizer.add_special_tokens(["<s>", "</s>", "<unk>", AddedToken("<mask>", lstrip=True, special=True)])
    return tokenizer


MADE: dict[str, Callable[[Iterable[str]], Tokenizer]] = {
    "roberta": roberta,
    "roberta, space before": lambda texts: roberta(texts, prefix=True),
    "roberta, places with blanks": lambda texts: roberta(texts, prefix=True, trim=False),
    "modern bert": modern_bert,
    "unknown characters": unknown_bpe,
    "bytes for the unknown": falling_back,
    "unigram": unigram,
    "sentencepiece": sentencepiece_unigram,
    "sentencepiece, lower case": lambda texts: sentencepiece_unigram(texts, "nfkc_cf"),
    "sentencepiece, bytes": lambda texts: sentencepiece_unigram(texts, byte_fallback=True),
}


def save(tokenizer: Tokenizer, folder: Path) -> Path:
    """The folder of a model as far as its tokenizer goes."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text("{}")
    return folder
