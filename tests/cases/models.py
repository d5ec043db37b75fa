"""Model folders that real ones are like, and that are easy to read wrongly: each function changes a tiny encoder.

`change(source, folder, rng)` writes an instance of its kind into `folder`.
"""

import json
import random
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file


def _copy(source: Path, folder: Path) -> Path:
    shutil.copytree(source, folder, dirs_exist_ok=True)
    return folder


def _config(folder: Path, **changes: Any) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def _weights(folder: Path, weights: dict[str, torch.Tensor]) -> None:
    save_file({name: weight.contiguous() for name, weight in weights.items()}, folder / "model.safetensors")


def other_head(source: Path, folder: Path, rng: random.Random) -> None:
    """A fine-tuned checkpoint whose head has another number of classes."""
    from transformers import AutoModelForSequenceClassification

    _copy(source, folder)
    count = rng.randint(3, 9)
    AutoModelForSequenceClassification.from_pretrained(source, num_labels=count).save_pretrained(folder)


def prefixed(source: Path, folder: Path, rng: random.Random) -> None:
    """Every weight's name has a prefix that a wrapper left there."""
    prefix = rng.choice(["module.", "model.", "_orig_mod.", "encoder_q.bert."])
    _copy(source, folder)
    _weights(folder, {prefix + name: weight for name, weight in load_file(source / "model.safetensors").items()})


def missing_layer(source: Path, folder: Path, rng: random.Random) -> None:
    """The config has more layers than the file."""
    _copy(source, folder)
    _config(folder, num_hidden_layers=2 + rng.randint(1, 3))


def words_beyond_the_table(source: Path, folder: Path, rng: random.Random) -> None:
    """Words were added to the tokenizer; the table of embeddings kept its size."""
    _copy(source, folder)
    weights = load_file(source / "model.safetensors")
    name = next(n for n in weights if n.endswith("word_embeddings.weight"))
    rows = weights[name].shape[0] - rng.randint(1, 28000)
    _weights(folder, weights | {name: weights[name][:rows]})
    _config(folder, vocab_size=rows)


def one_segment(source: Path, folder: Path, rng: random.Random) -> None:
    """The encoder knows a single segment."""
    _copy(source, folder)
    weights = load_file(source / "model.safetensors")
    name = next(n for n in weights if n.endswith("token_type_embeddings.weight"))
    _weights(folder, weights | {name: weights[name][:1]})
    _config(folder, type_vocab_size=1)


def added_tokens(source: Path, folder: Path, rng: random.Random) -> None:
    """Tokens were added beside the vocabulary, and the table was enlarged."""
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(source), AutoModel.from_pretrained(source)
    tokenizer.add_tokens(rng.sample(["[E1]", "[/E1]", "\N{ROCKET}", "<user>", "n0 n1"], rng.randint(1, 3)))
    model.resize_token_embeddings(len(tokenizer))
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)


def cut_on_the_left(source: Path, folder: Path, rng: random.Random) -> None:
    """The tokenizer's settings cut or pad on the left."""
    _copy(source, folder)
    file = folder / "tokenizer_config.json"
    sides = {side: rng.choice(["left", "right"]) for side in ("truncation_side", "padding_side")}
    file.write_text(json.dumps(json.loads(file.read_text()) | sides | {"truncation_side": "left"}))


def own_pieces(source: Path, folder: Path, rng: random.Random) -> None:
    """A RoBERTa with a byte-level BPE of its own, which no app of ours can read."""
    from tokenizers import ByteLevelBPETokenizer
    from transformers import RobertaConfig, RobertaModel, RobertaTokenizerFast

    words = ["a happy day", "so gloomy it was", "never so bitter before", "what a sweet thing to say"]
    trained = ByteLevelBPETokenizer()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trained.train_from_iterator(words, vocab_size=rng.randint(270, 320), min_frequency=1, special_tokens=special)
    folder.mkdir(parents=True, exist_ok=True)
    trained.save_model(str(folder))
    files = (str(folder / "vocab.json"), str(folder / "merges.txt"))
    RobertaTokenizerFast(*files, model_max_length=60).save_pretrained(folder)
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    RobertaModel(RobertaConfig(vocab_size=320, max_position_embeddings=66, type_vocab_size=1, **sizes)).save_pretrained(
        folder
    )


def names_of_classes(source: Path, folder: Path, rng: random.Random) -> None:
    """The checkpoint knows the names of the classes that the data numbers."""
    from transformers import AutoModelForSequenceClassification

    _copy(source, folder)
    names = {0: "GLOOMY", 1: "MERRY"}
    model = AutoModelForSequenceClassification.from_pretrained(source, id2label=names)
    model.save_pretrained(folder)


def no_padding_token(source: Path, folder: Path, rng: random.Random) -> None:
    """The tokenizer names no token for padding."""
    _copy(source, folder)
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        if (file := folder / name).is_file():
            settings = json.loads(file.read_text())
            settings.pop("pad_token", None)
            file.write_text(json.dumps(settings))


def not_finite(source: Path, folder: Path, rng: random.Random) -> None:
    """A training that failed left a weight that is not a number, or infinite."""
    _copy(source, folder)
    weights = load_file(source / "model.safetensors")
    spoiled = weights[rng.choice(sorted(weights))]
    spoiled.view(-1)[rng.randrange(spoiled.numel())] = rng.choice([float("nan"), float("inf")])
    _weights(folder, weights)


def quantized(source: Path, folder: Path, rng: random.Random) -> None:
    """Weights as whole numbers, whose scales are elsewhere, or a config that says so."""
    _copy(source, folder)
    weights = load_file(source / "model.safetensors")
    name = rng.choice([n for n in weights if n.endswith("dense.weight")])
    if rng.random() < 0.5:
        _weights(folder, weights | {name: (weights[name] * 10).to(torch.int8)})
    else:
        _config(folder, quantization_config={"quant_method": "gptq", "bits": 4})


def damaged(source: Path, folder: Path, rng: random.Random) -> None:
    """A download that was cut short, or a pointer of Git LFS in place of the weights."""
    _copy(source, folder)
    file = folder / "model.safetensors"
    if rng.random() < 0.5:
        file.write_bytes(file.read_bytes()[: rng.randrange(8, file.stat().st_size)])
    else:
        file.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1234\n")


def another_folder(source: Path, folder: Path, rng: random.Random) -> None:
    """The folder above the model's, as trainers and sentence-transformers write it, or an adapter's."""
    folder.mkdir()
    inner = rng.choice([f"checkpoint-{rng.randrange(100, 999)}", "0_Transformer", None])
    if inner:
        _copy(source, folder / inner)
    else:
        (folder / "adapter_config.json").write_text('{"peft_type": "LORA"}')


def broken_vocabulary(source: Path, folder: Path, rng: random.Random) -> None:
    """A vocabulary without the word for what is unknown, or without any word."""
    _copy(source, folder)
    (folder / "tokenizer.json").unlink(missing_ok=True)
    (folder / "vocab.txt").write_text("\n".join(rng.choice([[], ["[PAD]", "[CLS]", "[SEP]", "a", "b"]])))


def foreign_words(source: Path, folder: Path, rng: random.Random) -> None:
    """A vocabulary that has few of the texts' characters."""
    _copy(source, folder)
    (folder / "tokenizer.json").unlink(missing_ok=True)
    letters = [chr(code) for code in range(0x4E00, 0x4E00 + rng.randint(50, 200))]
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters]
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
