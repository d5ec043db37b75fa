"""The exporter's work, done once: same program, byte for byte, in a third of the time.

ExecuTorch retraces the whole graph after every pass and compares it with patterns that no encoder has. Inside
`hurried()` a graph that nothing has changed since its last trace is not traced again, patterns that can't occur are
not built, and the garbage collector does not walk the graphs that are alive all the time. Nothing outlasts the block.
"""

import contextlib
import gc
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from unittest import mock

from torch import fx

if TYPE_CHECKING:
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner

_TRACED = "pocket_ticket_traced"  # key of a graph module's meta: its graph when it was last traced
_HOOKS = ("_fx", "call_operator", "call_sym", "call_getitem", "call_delegate", "call_submodule", "placeholder")


@contextlib.contextmanager
def hurried() -> Iterator[None]:
    """Make ExecuTorch's passes skip what changes nothing, as long as the block lasts."""
    from executorch.backends.xnnpack.partition.graphs import bilinear_2d, sdpa
    from executorch.exir.pass_base import ExportPass

    base = next(cls for cls in ExportPass.__mro__ if "call" in vars(cls))
    with contextlib.ExitStack() as stack:
        stack.enter_context(_collector_paused())
        stack.enter_context(mock.patch.object(base, "call", _unless_traced(base.call, ExportPass)))
        stack.enter_context(mock.patch.object(bilinear_2d, "get_graphs_dict", dict))
        stack.enter_context(mock.patch.object(sdpa, "get_graphs", list))
        yield


def whole_partitioner() -> "XnnpackPartitioner":
    """XNNPACK's partitioner for graphs of which it takes every operator that it knows.

    It need not ask operator by operator what to keep whole, which costs two decompositions of the graph.
    """
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner

    class WholePartitioner(XnnpackPartitioner):  # type: ignore[misc]  # executorch has no types
        def ops_to_not_decompose(self, ep: Any) -> tuple[list[Any], None]:
            return super().ops_to_not_decompose(ep)[0], None

    return WholePartitioner()


def _unless_traced(trace: Any, plain: type) -> Any:
    """`ExportPass.call`, but a pass that rewrites nothing while tracing returns a graph that is traced already."""
    from torch.fx.passes.infra.pass_base import PassResult

    def call(self: Any, module: fx.GraphModule) -> PassResult:
        only_traces = all(getattr(type(self), hook, None) is getattr(plain, hook, None) for hook in _HOOKS)
        if only_traces and module.meta.get(_TRACED) == _written(module.graph):
            return PassResult(module, False)
        result = trace(self, module)
        result.graph_module.meta[_TRACED] = _written(result.graph_module.graph)
        return result

    return call


def _written(graph: fx.Graph) -> list[tuple[Any, ...]]:
    """Everything that the graph computes: equal exactly for equal graphs."""

    def named(value: Any) -> Any:
        return fx.node.map_arg(value, lambda node: node.name)

    return [(node.op, node.name, node.target, repr(named((node.args, node.kwargs)))) for node in graph.nodes]


@contextlib.contextmanager
def _collector_paused() -> Iterator[None]:
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()
