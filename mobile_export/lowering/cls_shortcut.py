"""The [CLS] shortcut: the last layer computes only the rows that the task's head reads.

A classifier or a regressor reads the first row, [CLS], alone. Its last layer needs the other rows as keys and values,
but neither their queries nor their feed-forward outputs. The result is the same, and the last layer costs little. A
head that reads every row (tokens, spans, masked words, embeddings) has no shortcut.
"""

from torch import Tensor, nn


def last_layer(layer: nn.Module, head: nn.Module, x: Tensor, *place: Tensor) -> Tensor:
    """The hidden states (T, H) before the last layer → those after it that the head reads: (1, H) or (T, H).

    `layer` takes the rows to compute, all rows, and what it needs of their places; `head.first_row_only` says what the
    head reads.
    """
    return layer(x[:1] if head.first_row_only else x, x, *place)
