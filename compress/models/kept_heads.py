"""After surgery, an attention with a position bias reads its own heads' columns of the shared bias table.

transformers computes the bias once, for all heads of the encoder. After surgery each layer has its own few: a hook
takes their columns of it, and a buffer, which is saved with the weights, says which.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

_BUFFER = "kept_heads"


def kept_heads(attention: nn.Module, count: int) -> Tensor:
    """(h,): the heads that are left of `count`, ascending."""
    found = getattr(attention, _BUFFER, None)
    return torch.arange(count) if found is None else found


def keep_heads_(attention: nn.Module, heads: Sequence[int]) -> None:
    """Let MPNet's attention, whose matrices are cut already, add the bias of `heads` of those that it had, in place."""
    had: Tensor | None = getattr(attention, _BUFFER, None)
    if had is None:
        attention.register_buffer(_BUFFER, torch.tensor(heads))
        attention.register_forward_pre_hook(_take_columns, with_kwargs=True)
    else:
        setattr(attention, _BUFFER, had[torch.tensor(heads)])
    attention.all_head_size = len(heads) * attention.attention_head_size
    attention.num_attention_heads = len(heads)


def _take_columns(
    attention: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """`args` are hidden states (B, T, H), attention mask, and the bias of all heads (1, heads, T, T)."""
    return (args[0], args[1], args[2][:, getattr(attention, _BUFFER)], *args[3:]), kwargs
