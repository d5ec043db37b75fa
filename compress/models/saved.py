"""What a saved model's config.json holds of this project: one typed entry, under "pocket_ticket"."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

KEY = "pocket_ticket"


@dataclass(frozen=True)
class Sizes:
    """How many heads and feed-forward neurons each remaining layer has: enough to build the smaller model again."""

    heads: tuple[int, ...]
    neurons: tuple[int, ...]


@dataclass(frozen=True)
class Saved:
    """The entry. A field is None, or empty, where it does not apply.

    `task`, `kind`, `metric`, `max_tokens`: what the model was trained for. `sizes`: of a structured ticket.
    `embedding_rank`: of a factorized word table. `merge_after`: the layers after which neighboring tokens are merged.
    `pooling`: of an encoder whose texts get vectors, see `models.pooling.Pooling`.
    """

    task: str | None = None
    kind: str | None = None
    metric: str | None = None
    max_tokens: int | None = None
    sizes: Sizes | None = None
    embedding_rank: int | None = None
    merge_after: tuple[int, ...] = ()
    pooling: dict[str, Any] | None = None

    @classmethod
    def of(cls, config: Any) -> "Saved":
        """The entry of a config of transformers, or of config.json as a mapping; empty where there is none.

        Keys of later versions are ignored.
        """
        entry = config.get(KEY) if isinstance(config, Mapping) else getattr(config, KEY, None)
        known = {key: value for key, value in (entry or {}).items() if key in cls.__dataclass_fields__}
        if sizes := known.get("sizes"):
            known["sizes"] = Sizes(tuple(sizes["heads"]), tuple(sizes["neurons"]))
        return cls(**known | {"merge_after": tuple(known.get("merge_after", ()))})

    def write(self, config: Any) -> None:
        """Put the entry into a config of transformers, without what does not apply."""
        entry = {key: value for key, value in asdict(self).items() if value not in (None, ())}
        setattr(config, KEY, entry)


def update(config: Any, **changes: Any) -> None:
    """Change some fields of a config's entry."""
    replace(Saved.of(config), **changes).write(config)
