"""Hurrying the exporter leaves no trace: neither in the program nor, afterwards, in the exporter."""

import contextlib
import gc

import pytest
import torch

from mobile_export.lowering import lower as lowering
from mobile_export.lowering.passes import hurried

from .conftest import EACH


@pytest.mark.slow
@pytest.mark.parametrize("form", ["phone", "stock"])
@pytest.mark.parametrize("kind", EACH)
def test_the_program_is_the_same_to_the_byte(kind: str, form: str, program, folder, tmp_path, monkeypatch) -> None:
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner

    quick = program(kind, form, "int8")
    monkeypatch.setattr(lowering, "hurried", contextlib.nullcontext)
    monkeypatch.setattr(lowering, "whole_partitioner", XnnpackPartitioner)
    plain = lowering.lower(folder(kind), tmp_path / "p.pte", form=form, scheme="int8")
    assert plain.sha256 == quick.sha256 and plain.census == quick.census


def test_a_graph_that_changed_is_traced_again() -> None:
    from executorch.exir.pass_base import ExportPass

    class Nothing(ExportPass):
        """Traces, and rewrites nothing."""

    exported = torch.export.export(torch.nn.ReLU(), (torch.ones(2),))
    with hurried():
        once = Nothing()(exported.graph_module).graph_module
        assert Nothing()(once).graph_module is once
        relu = next(node for node in once.graph.nodes if node.op == "call_function")
        relu.target = torch.ops.aten.sigmoid.default
        assert Nothing()(once).graph_module is not once
    assert Nothing()(once).graph_module is not once


def test_nothing_outlasts_the_block() -> None:
    from executorch.exir.pass_base import ExportPass

    before = ExportPass.call
    with pytest.raises(ZeroDivisionError), hurried():
        assert ExportPass.call is not before and not gc.isenabled()
        raise ZeroDivisionError
    assert ExportPass.call is before and gc.isenabled()
