"""A word table of low rank: (V, H) as (V, r)·(r, H), so that every word stays and the table is a fraction of its size.

Half of a small encoder is its word table. Trimming the vocabulary makes it smaller and splits rare words; a low
rank keeps every word and approximates its row (Lan et al. 2020, section 3.1, train such a table from scratch; here it
is the best approximation of the pre-trained one, and the training that follows improves it).
"""

import torch
from torch import Tensor, nn

from compress.errors import ModelError
from compress.models.anatomy import set_word_embedding_, word_embedding_of
from compress.models.saved import update


class FactorizedEmbedding(nn.Module):
    """Ids (…) → (…, H) by a `table` (V, r) and a Linear `up` without bias, r → H."""

    def __init__(self, words: int, rank: int, width: int) -> None:
        super().__init__()
        self.table, self.up = nn.Embedding(words, rank), nn.Linear(rank, width, bias=False)

    def forward(self, ids: Tensor) -> Tensor:
        return self.up(self.table(ids))


def factorize(model: nn.Module, rank: int, counts: Tensor | None = None) -> nn.Module:
    """Give `model`, in place, a word table of `rank`, and write the rank into its config. Returns the model.

    Of all tables of that rank it is the one with the least Σ counts·‖row − its approximation‖²; `counts` (V,) are how
    often each word is used, by default equal. Raises ModelError for a rank that is not below the table's width.
    """
    rows = word_embedding_of(model).weight.detach()
    if not 0 < rank < rows.shape[1]:
        raise ModelError(
            f"the rank is {rank} and the word table's width {rows.shape[1]}", remedy="choose a smaller rank"
        )
    weighted = rows if counts is None else rows * counts.to(rows)[:, None]
    _, axes = torch.linalg.eigh(rows.T.double() @ weighted.double())  # ascending
    best = axes[:, -rank:].to(rows)  # (H, r), orthonormal
    found = FactorizedEmbedding(rows.shape[0], rank, rows.shape[1])
    with torch.no_grad():
        found.table.weight.copy_(rows @ best)
        found.up.weight.copy_(best)
    set_word_embedding_(model, found.train(model.training))
    update(model.config, embedding_rank=rank)
    return model
