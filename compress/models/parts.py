"""The parts of an encoder, by what they compute: what masks, criteria, surgery and lowering work on."""

from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True)
class FeedForward:
    """One feed-forward block: (B, T, H) → `inner` (B, T, F) → activation → `outer` (B, T, H) → + residual → `norm`.

    Where there is a `gate` (B, T, F), it multiplies the activation (GeGLU). In a layer with its norms first, `norm` is
    the block's first step.
    """

    inner: nn.Linear
    outer: nn.Linear
    norm: nn.Module
    gate: nn.Linear | None = None


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
class PositionBias:
    """A score for each distance and head that is added to attention's scores before their softmax (Raffel et al. 2020).

    `table` (buckets, all heads) is shared by the layers; `heads` (h,) are the columns of those that are left here.
    """

    table: nn.Embedding
    heads: Tensor


@dataclass(frozen=True)
class Rotary:
    """Queries and keys are turned by place · `frequencies` (d/2,), and multiplied by `scale` (Su et al. 2021).

    Column i of a head is turned with column i + d/2.
    """

    frequencies: Tensor
    scale: float


@dataclass(frozen=True)
class Layer:
    """One encoder layer. `feed_forwards` has one entry; MobileBERT has three small ones before it.

    Norms come after what is added or, with `norm_first`, before attention and feed-forward. A token sees those that are
    at most `window` places away; None: all.
    """

    query: nn.Linear
    key: nn.Linear
    value: nn.Linear
    attention_output: nn.Linear
    attention_norm: nn.Module
    feed_forwards: tuple[FeedForward, ...]
    head_size: int
    bottleneck: Bottleneck | None = None
    position_bias: PositionBias | None = None
    norm_first: bool = False
    rotary: Rotary | None = None
    window: int | None = None

    @property
    def heads(self) -> int:
        """How many attention heads are left: layers of a structured ticket may differ."""
        return self.query.out_features // self.head_size


@dataclass(frozen=True)
class Embeddings:
    """The embedding block. `position`, `token_type` and `projection` are None where the architecture has none.

    `up` maps the word table's rows (V, r) to the block's width, where the table has a low rank.

    `position_offset` is added to a token's index to get its row of `position` (RoBERTa starts at padding_idx + 1).

    `projection` is the block's last step or, with `projects_words`, reads the word rows before anything is added to
    them: with `trigram` each between its next and its previous neighbor.
    """

    word: nn.Embedding
    position: nn.Embedding | None
    token_type: nn.Embedding | None
    norm: nn.Module
    projection: nn.Linear | None
    position_offset: int
    up: nn.Linear | None = None
    projects_words: bool = False
    trigram: bool = False


@dataclass(frozen=True)
class HeadDense:
    """What a head does to a row before its last matrix: `dense` → `activation` (a name of transformers) → `norm`."""

    dense: nn.Linear
    activation: str
    norm: nn.Module | None = None


@dataclass(frozen=True)
class ClassificationHead:
    """From the [CLS] row, or the `mean` of all, to the logits: `first` (may be None) → `out`."""

    first: HeadDense | None
    out: nn.Linear
    mean: bool = False


@dataclass(frozen=True)
class MaskedLanguageHead:
    """From every row to the vocabulary: `dense` → `activation` → `norm` → `weight` (V, H) and `bias` (V,)."""

    dense: nn.Linear
    activation: str
    norm: nn.Module
    weight: Tensor
    bias: Tensor | None
