"""The parts of an encoder, by what they compute: what masks, criteria, surgery and lowering work on."""

from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True)
class FeedForward:
    """One feed-forward block: (B, T, H) → `inner` (B, T, F) → activation → `outer` (B, T, H) → + residual → `norm`."""

    inner: nn.Linear
    outer: nn.Linear
    norm: nn.Module


@dataclass(frozen=True)
class Bottleneck:
    """MobileBERT's Linear layers with norms before and after a layer's narrow blocks (Sun et al. 2020).

    The input of query and key is the output of `shared`; where it is None, the hidden states or, with `inside`, the
    output of `enter`, which is then the value's input, too. The hidden states are added between `leave` and its norm.
    """

    enter: tuple[nn.Linear, nn.Module]
    leave: tuple[nn.Linear, nn.Module]
    shared: tuple[nn.Linear, nn.Module] | None
    inside: bool


@dataclass(frozen=True)
class Layer:
    """One encoder layer, post-norm. `feed_forwards` has one entry; MobileBERT has three small ones before it."""

    query: nn.Linear
    key: nn.Linear
    value: nn.Linear
    attention_output: nn.Linear
    attention_norm: nn.Module
    feed_forwards: tuple[FeedForward, ...]
    head_size: int
    bottleneck: Bottleneck | None = None

    @property
    def heads(self) -> int:
        """How many attention heads are left: layers of a structured ticket may differ."""
        return self.query.out_features // self.head_size


@dataclass(frozen=True)
class Embeddings:
    """The embedding block. `token_type` and `projection` are None where the architecture has none.

    `up` maps the word table's rows (V, r) to the block's width, where the table has a low rank.

    `position_offset` is added to a token's index to get its row of `position` (RoBERTa starts at padding_idx + 1).

    `projection` is the block's last step or, with `projects_words`, reads the word rows before anything is added to
    them: with `trigram` each between its next and its previous neighbor.
    """

    word: nn.Embedding
    position: nn.Embedding
    token_type: nn.Embedding | None
    norm: nn.Module
    projection: nn.Linear | None
    position_offset: int
    up: nn.Linear | None = None
    projects_words: bool = False
    trigram: bool = False


@dataclass(frozen=True)
class ClassificationHead:
    """From the [CLS] row to the logits: `dense` (may be None) → `activation` (of torch.nn.functional) → `out`."""

    dense: nn.Linear | None
    activation: str | None
    out: nn.Linear


@dataclass(frozen=True)
class MaskedLanguageHead:
    """From every row to the vocabulary: `dense` → `activation` → `norm` → `weight` (V, H) and `bias` (V,)."""

    dense: nn.Linear
    activation: str
    norm: nn.Module
    weight: Tensor
    bias: Tensor
