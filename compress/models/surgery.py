"""A structured ticket: which layers, heads and feed-forward neurons stay, and the surgery that removes the others.

`Structure` says what stays, `remove` cuts a model to it (smaller Linear layers, fewer blocks), and `masked` switches
the same units off without removing them: the tests prove for every architecture that both give the same outputs.
A saved model's config holds its `Sizes` (`models.saved`), so that it can be built again and loaded.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from compress.errors import ModelError
from compress.models.anatomy import blocks_of, layers_of, set_blocks_, write_layers_
from compress.models.architectures import architecture_of
from compress.models.kept_heads import keep_heads_
from compress.models.parts import FeedForward, Layer
from compress.models.saved import Sizes, update


@dataclass(frozen=True)
class Structure:
    """What stays, as indices into the unpruned model: `layers`, and for each of them its `heads` and `neurons`.

    Raises ModelError unless every list is sorted, without repeats, and not empty.
    """

    layers: tuple[int, ...]
    heads: tuple[tuple[int, ...], ...]
    neurons: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        if not len(self.layers) == len(self.heads) == len(self.neurons):
            raise ModelError("a structure needs heads and neurons for each of its layers")
        for name, kept in (("layers", self.layers), *(("units", k) for k in (*self.heads, *self.neurons))):
            if not kept or list(kept) != sorted(set(kept)):
                raise ModelError(f"a structure's {name} must be sorted, distinct and at least one, not {kept}")

    def within(self, outer: "Structure") -> "Structure":
        """This structure, whose indices are into a model cut to `outer`, as indices into the unpruned model."""
        return Structure(
            tuple(outer.layers[i] for i in self.layers),
            *(
                tuple(tuple(old[i][u] for u in kept) for i, kept in zip(self.layers, new, strict=True))
                for new, old in ((self.heads, outer.heads), (self.neurons, outer.neurons))
            ),
        )

    @classmethod
    def first(cls, sizes: Sizes) -> "Structure":
        """The structure of these sizes that keeps each layer's first units: for building a model to load into."""
        ranges = [tuple(tuple(range(n)) for n in counts) for counts in (sizes.heads, sizes.neurons)]
        return cls(tuple(range(len(sizes.heads))), *ranges)

    @property
    def sizes(self) -> Sizes:
        """How many units each layer keeps."""
        return Sizes(tuple(map(len, self.heads)), tuple(map(len, self.neurons)))


def full_structure(model: nn.Module) -> Structure:
    """The structure of a model as it is: it removes nothing."""
    layers = layers_of(model)
    return Structure(
        tuple(range(len(layers))),
        tuple(tuple(range(layer.heads)) for layer in layers),
        tuple(tuple(range(_main(layer).inner.out_features)) for layer in layers),
    )


def remove(model: nn.Module, structure: Structure) -> nn.Module:
    """Cut `model`, in place, to `structure`, and write the sizes into its config. Returns it.

    Raises ModelError for units that the model does not have.
    """
    _check(model, structure)
    layers = layers_of(model)
    cut: set[int] = set()
    for index, heads, neurons in zip(structure.layers, structure.heads, structure.neurons, strict=True):
        layer, rows = layers[index], _rows(heads, layers[index].head_size)
        if id(layer.query) in cut:  # layers may share their weights
            continue
        cut.add(id(layer.query))
        for part in (layer.query, layer.key, layer.value):
            _keep(part, rows=rows)
        _keep(layer.attention_output, columns=rows)
        for part in (_main(layer).inner, _main(layer).gate):
            if part is not None:
                _keep(part, rows=torch.tensor(neurons))
        _keep(_main(layer).outer, columns=torch.tensor(neurons))
        if layer.position_bias is not None:
            keep_heads_(blocks_of(model)[index].get_submodule(architecture_of(model).attention), heads)
    set_blocks_(model, [blocks_of(model)[i] for i in structure.layers])
    config = model.config
    config.head_size = layers[0].head_size  # from here on width and number of heads no longer determine it
    write_layers_(config, structure.layers)
    update(config, sizes=structure.sizes)
    return model


@contextmanager
def with_layers(model: nn.Module, kept: Sequence[int], after: Any = None) -> Iterator[nn.Module]:
    """Within the block `model` has only the layers `kept`; afterwards all that it had.

    With `after`, an output that `layer_outputs` recorded, the first of them gets that instead of the embeddings'.
    """
    blocks = blocks_of(model)
    before = [] if after is None else [_Recorded(after)]
    set_blocks_(model, [*before, *(blocks[i] for i in kept)])
    try:
        yield model
    finally:
        set_blocks_(model, blocks)


class _Recorded(nn.Module):
    """In the place of a model's first layers: what they gave, whatever comes in."""

    def __init__(self, output: Any) -> None:
        super().__init__()
        self.output = output

    def forward(self, *_: Any, **__: Any) -> Any:
        return self.output


@contextmanager
def layer_outputs(model: nn.Module) -> Iterator[list[Any]]:
    """Within the block the list holds what each layer gave in the last forward pass, as it gave it.

    Only where `can_resume` says so.
    """
    blocks = blocks_of(model)
    outputs: list[Any] = [None] * len(blocks)

    def keep(place: int, output: Any) -> None:
        outputs[place] = output

    hooks = [
        block.register_forward_hook(lambda _, __, output, place=place: keep(place, output))
        for place, block in enumerate(blocks)
    ]
    try:
        yield outputs
    finally:
        for hook in hooks:
            hook.remove()


def can_resume(model: nn.Module) -> bool:
    """Whether layers can run from a recorded output: not if they share weights, or their place decides what they do."""
    return not architecture_of(model).shares_layers and not getattr(model.config, "layer_types", None)


def masked(model: nn.Module, structure: Structure) -> nn.Module:
    """Switch off, in place, the heads and neurons that `structure` leaves out of its layers. Returns the model.

    A head whose output columns are zero adds nothing, nor does a neuron. Layers can't be masked: all must stay.
    """
    _check(model, structure)
    for index, heads, neurons in zip(structure.layers, structure.heads, structure.neurons, strict=True):
        layer = layers_of(model)[index]
        with torch.no_grad():
            for part, kept in (
                (layer.attention_output, _rows(heads, layer.head_size)),
                (_main(layer).outer, torch.tensor(neurons)),
            ):
                gone = torch.ones(part.in_features, dtype=torch.bool)
                gone[kept] = False
                part.weight[:, gone] = 0
    return model


def _main(layer: Layer) -> FeedForward:
    """The feed-forward block whose neurons are units (MobileBERT's three small ones stay whole)."""
    return layer.feed_forwards[-1]


def _check(model: nn.Module, structure: Structure) -> None:
    full = full_structure(model)
    if structure.layers[-1] >= len(full.layers):
        raise ModelError(
            f"the structure keeps layer {structure.layers[-1]} and the model has {len(full.layers)} layers"
        )
    for index, heads, neurons in zip(structure.layers, structure.heads, structure.neurons, strict=True):
        if heads[-1] >= len(full.heads[index]) or neurons[-1] >= len(full.neurons[index]):
            raise ModelError(f"the structure keeps units that layer {index} does not have")
    if architecture_of(model).norm_first and structure.layers[0] != 0:
        raise ModelError("the first layer has no norm of its own and must stay")
    if architecture_of(model).shares_layers and len({*zip(structure.heads, structure.neurons, strict=True)}) > 1:
        raise ModelError("layers that share their weights must keep the same heads and neurons")


def _rows(heads: Sequence[int], head_size: int) -> torch.Tensor:
    """Rows of query, key and value (columns of the attention's output) that belong to `heads`."""
    return (torch.tensor(heads)[:, None] * head_size + torch.arange(head_size)).reshape(-1)


def _keep(linear: nn.Linear, rows: torch.Tensor | None = None, columns: torch.Tensor | None = None) -> None:
    """Keep only some rows (outputs) or columns (inputs) of a Linear layer, in place."""
    weight = linear.weight.detach()
    if rows is not None:
        weight = weight[rows]
        if linear.bias is not None:
            linear.bias = nn.Parameter(linear.bias.detach()[rows].clone())
    if columns is not None:
        weight = weight[:, columns]
    linear.weight = nn.Parameter(weight.clone())
    linear.out_features, linear.in_features = weight.shape
