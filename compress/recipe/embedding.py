"""The section of text vectors."""

from typing import Literal

from compress.recipe.option import Section, option


class EmbeddingSection(Section):
    """How a text's vector is made (kind embedding)."""

    pooling: Literal["auto", "mean", "cls"] = option(
        "auto", "the mean of all tokens, or the first one; auto: as the encoder's files say, else the mean"
    )
    normalize: bool | None = option(
        None, "whether vectors have length 1; by default as the encoder's files say, else true"
    )
    query_prefix: str | None = option(
        None, "what queries begin with, such as 'query: '; by default what the encoder's files say, else nothing"
    )
    passage_prefix: str | None = option(
        None, "what passages begin with, such as 'passage: '; by default what the encoder's files say, else nothing"
    )
    size: int = option(
        0,
        "numbers of a vector; fewer than the encoder's own are a projection that keeps similarities best, and its "
        "first half or quarter is a shorter vector; 0: the encoder's own",
        "--vector-size",
        ge=0,
    )
    similarity_weight: float = option(
        1.0, "weight of the divergence between teacher's and student's similarities within a batch; 0: off", ge=0
    )
