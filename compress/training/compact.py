"""A shortcut with the same result: while training, keep only the embedding rows that the data uses.

Rows that no text uses get a zero gradient and no weight decay, so Adam never moves them; leaving them out saves their
gradient, optimizer state and time (half of MiniLM's parameters are rows of this table).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn


@contextmanager
def compact_embedding(embedding: nn.Embedding, ids: np.ndarray) -> Iterator[None]:
    """Within the block `embedding` (V, H) holds only rows `ids` (K,), and still takes full ids.

    `ids` must hold every id that the block will look up. Afterwards the trained rows are written back.
    """
    full = embedding.weight
    kept = torch.as_tensor(ids)
    row_of = torch.zeros(full.shape[0], dtype=torch.long)
    row_of[kept] = torch.arange(len(kept))
    padding = embedding.padding_idx

    def to_rows(module: nn.Embedding, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        return (row_of.to(inputs[0].device)[inputs[0]], *inputs[1:])

    embedding.weight = nn.Parameter(full.detach()[kept].clone())
    embedding.padding_idx = int(row_of[padding]) if padding is not None else None
    hook = embedding.register_forward_pre_hook(to_rows)
    try:
        yield
    finally:
        hook.remove()
        with torch.no_grad():
            full[kept] = embedding.weight.detach().to(full.device)
        embedding.weight, embedding.padding_idx = full, padding
