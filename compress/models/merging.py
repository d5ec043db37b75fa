"""Tokens merged in pairs inside the encoder, so that later layers compute half as many rows.

After a chosen layer every two neighbors become their mean; the first token, [CLS], which the answer is read from,
stays by itself. It shortens a text as a structured ticket narrows a layer, and removes no weight (Dai et al. 2020,
Funnel-Transformer, section 2.2, pool so in pre-training; here a trained encoder keeps its weights). The model keeps
its form: hooks do the merging, and its config says after which layers, under "pocket_ticket".
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PretrainedConfig

from compress.errors import ModelError
from compress.models.anatomy import blocks_of
from compress.models.architectures import ARCHITECTURES
from compress.models.saved import update


def merged_length(tokens: int) -> int:
    """How many rows T tokens become: the first, and one for every two others."""
    return 1 + tokens // 2


def merging_table(tokens: int) -> Tensor:
    """(merged_length(T), T): its product with T rows merges them. A last token without a partner counts half.

    The table of fewer tokens is its upper left corner, so that padding after a text does not change how it is merged.
    """
    table = torch.zeros(merged_length(tokens), tokens)
    table[0, 0] = 1
    later = torch.arange(1, tokens)
    table[(later + 1) // 2, later] = 0.5
    return table


def merged(rows: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Rows (B, T, H) and which of them are real (B, T) → those merged (B, M, H) and (B, M). Padding adds nothing."""
    table = merging_table(rows.shape[1]).to(rows)
    return table @ (rows * mask.unsqueeze(-1).to(rows)), _first_of_each(mask)


def merge(model: nn.Module, after: Sequence[int]) -> nn.Module:
    """Let `model`, in place, merge its tokens after each of the layers `after` (1: the first). Returns it.

    Raises ModelError for a place that is not between two of its layers, or a model that merges already.
    """
    check_can_merge(model.config)
    blocks = blocks_of(model)
    config = model.config
    if list(after) != sorted(set(after)) or not all(0 < place < len(blocks) for place in after):
        raise ModelError(
            f"tokens can't be merged after layers {list(after)} of {len(blocks)}",
            where="structure.merge_after",
            remedy=f"name layers from 1 to {len(blocks) - 1}, each once, in order",
        )
    if any(isinstance(getattr(hook, "__self__", None), _Merging) for hook in blocks[0]._forward_pre_hooks.values()):
        raise ModelError("the model merges tokens already", where="structure.merge_after")
    merging = _Merging()
    for number, block in enumerate(blocks, 1):
        block.register_forward_pre_hook(merging.before, with_kwargs=True)
        if number in after:
            block.register_forward_hook(merging.after_layer)
    update(config, merge_after=tuple(after))
    return model


def check_can_merge(config: PretrainedConfig) -> None:
    """Raise ModelError for an encoder whose layers count on every token being there."""
    row = ARCHITECTURES.get(config.model_type)
    if row is not None and not row.merges:
        raise ModelError(
            f"tokens can't be merged in an encoder of the architecture '{config.model_type}'",
            where="structure.merge_after",
            remedy="leave it out",
        )


class _Merging:
    """The hooks of one model. `real` (B, T) says which hidden states are no padding; None: all."""

    def __init__(self) -> None:
        self.real: Tensor | None = None

    def before(
        self, _: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        """Give a layer the mask (B, 1, ·, T) that its shorter stream needs."""
        stream = args[0] if args else kwargs["hidden_states"]
        mask = kwargs["attention_mask"] if "attention_mask" in kwargs else args[1]
        if mask is None:
            self.real = None
            return None
        if mask.shape[-1] == stream.shape[1]:
            # every query may look at the same keys; that of [CLS] is never padding
            self.real = mask[:, 0, 0] if mask.dtype == torch.bool else mask[:, 0, 0] > -1
            return None
        keys = self.real[:, None, None].expand(-1, -1, stream.shape[1], -1)
        if mask.dtype != torch.bool:
            keys = torch.zeros_like(keys, dtype=mask.dtype).masked_fill(~keys, torch.finfo(mask.dtype).min)
        if "attention_mask" in kwargs:
            return args, kwargs | {"attention_mask": keys}
        return (args[0], keys, *args[2:]), kwargs

    def after_layer(self, _: nn.Module, args: tuple[Any, ...], output: Any) -> Any:
        """Merge a layer's output."""
        stream = output[0] if isinstance(output, tuple) else output
        if self.real is None:
            found = merging_table(stream.shape[1]).to(stream) @ stream
        else:
            found, self.real = merged(stream, self.real)
        return (found, *output[1:]) if isinstance(output, tuple) else found


def _first_of_each(mask: Tensor) -> Tensor:
    """Of each pair the first is real wherever one is: (B, T) → (B, M)."""
    return torch.cat([mask[:, :1], mask[:, 1::2]], dim=1)
