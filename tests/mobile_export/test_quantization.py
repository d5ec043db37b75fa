"""Nothing is stored in more bits than its scheme says, and what is listed is what the file takes."""

from pathlib import Path

import pytest
import torch
from torch import nn

from compress.errors import ExportError
from mobile_export.lowering.lower import lower
from mobile_export.lowering.phone import PhoneEncoder
from mobile_export.lowering.quantization import Int8Rows, Scheme, int8_rows, storage_of

from .conftest import MAX_TOKENS, MINILM, random_model


def stored(scheme: Scheme, **settings: int) -> dict[str, tuple[int, int]]:
    module = PhoneEncoder(random_model("bert", **settings), MAX_TOKENS, segments=False).eval()
    return {item.name: (item.bits, item.bytes) for item in storage_of(scheme.apply(module))}


@pytest.mark.parametrize(("scheme", "bits"), [("int8", 8), ("int4", 4)])
def test_no_matrix_stays_fp32(scheme: str, bits: int) -> None:
    storage = stored(Scheme(scheme))
    matrices = {
        name: item for name, item in storage.items() if name.endswith(("query.weight", "inner.weight", "out.weight"))
    }
    assert len(matrices) == 5 and {item[0] for item in matrices.values()} == {bits}
    table = next(item for name, item in storage.items() if name.startswith("embeddings.word") and "scales" not in name)
    assert table[0] == bits
    assert storage["embeddings.position.rows"][0] == 8


def test_int4_keeps_int8_where_groups_of_32_do_not_fit() -> None:
    storage = stored(Scheme("int4"), intermediate_size=40)
    assert storage["layers.0.feed_forwards.0.inner.weight"][0] == 4
    assert storage["layers.0.feed_forwards.0.outer.weight"][0] == 8


def test_matrices_named_by_patterns_stay_int8() -> None:
    storage = stored(Scheme("int4", int8=("embeddings.word", "layers.0.*", "*.outer")))
    bits = {name: item[0] for name, item in storage.items() if name.endswith(("weight", "rows")) and item[0] < 32}
    assert bits["embeddings.word.rows"] == 8
    eight = {n for n, b in bits.items() if n.endswith("weight") and b == 8}
    assert eight == {
        n for n in bits if n.endswith("weight") and (n.startswith("layers.0.") or n.endswith("outer.weight"))
    }
    assert bits["layers.1.attention.query.weight"] == 4 and bits["head.out.weight"] == 4
    with pytest.raises(ExportError, match=r"quantize.keep_int8: no matrix is called 'layer.0'"):
        stored(Scheme("int4", int8=("layer.0",)))


def test_int8_rows_are_within_half_a_step() -> None:
    weight = torch.randn(50, 16, generator=torch.Generator().manual_seed(0)) * torch.logspace(-4, 2, 50)[:, None]
    weight[7] = 0
    rows, scales = int8_rows(weight)
    assert ((rows * scales - weight).abs() <= scales / 2 * 1.0001).all()
    ids = torch.tensor([[3, 7, 49]])
    assert torch.equal(Int8Rows(weight)(ids), (rows * scales)[ids])


def test_a_scheme_refuses_other_names() -> None:
    with pytest.raises(ExportError, match="use one of none, int8, int4"):
        Scheme("fp16")


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["none", "int8", "int4"])
def test_the_file_is_hardly_larger_than_its_weights(scheme: str, tmp_path: Path) -> None:
    from transformers import AutoModelForSequenceClassification

    model = AutoModelForSequenceClassification.from_pretrained(MINILM, num_labels=25)
    model.save_pretrained(tmp_path)
    made = lower(tmp_path, tmp_path / "p.pte", scheme=scheme)
    weights = sum(item.bytes for item in made.storage)
    assert weights <= made.bytes <= 1.03 * weights
    linears = sum(m.weight.numel() for m in model.modules() if isinstance(m, nn.Linear | nn.Embedding))
    assert made.bytes <= 1.05 * linears * {"none": 4, "int8": 1, "int4": 0.6}[scheme]
