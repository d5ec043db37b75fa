"""From token vectors to one vector a text: pooling, projection, normalization, and what texts begin with.

An encoder says how in the files of sentence-transformers: modules.json names its steps, 1_Pooling/config.json the
pooling, config_sentence_transformers.json the prefixes ("prompts"). The model keeps its form: a hook pools.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from compress.errors import ModelError
from compress.models.saved import Saved, update

PROJECTION = "projection"  # the module that shortens vectors
_MODES = {
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
_KEYS = {"mode": "pooling", "normalize": "normalize", "query": "query_prefix", "passage": "passage_prefix"}
_QUERY, _PASSAGE = ("query", "search_query"), ("passage", "document", "search_document")


@dataclass(frozen=True)
class Pooling:
    """`mode`: the mean of all tokens or the first one, [CLS]; `normalize`: to length 1.

    `query` and `passage` are what such texts begin with; `size` is the length of a shortened vector, None: the
    encoder's own.
    """

    mode: Literal["mean", "cls"] = "mean"
    normalize: bool = True
    query: str = ""
    passage: str = ""
    size: int | None = None

    @classmethod
    def of(cls, config: Any) -> "Pooling":
        """Of a saved model's config; the usual one where it says nothing."""
        return cls(**(Saved.of(config).pooling or {}))

    def entry(self) -> dict[str, Any]:
        """As a config holds it."""
        return {key: value for key, value in vars(self).items() if value is not None}


@dataclass(frozen=True)
class Wanted:
    """What a recipe says; None: as the encoder's files say."""

    mode: Literal["mean", "cls"] | None = None
    normalize: bool | None = None
    query: str | None = None
    passage: str | None = None


def pooling_of(source: str, wanted: Wanted) -> tuple[Pooling, list[str]]:
    """How the encoder of this folder or Hub id pools, and what was guessed, in sentences.

    Raises ModelError where its files say another prefix or pooling than the recipe, or one that is not supported.
    """
    stated = _stated(source)
    for key, name in _KEYS.items():
        own, other = stated.get(key), getattr(wanted, key)
        if own is not None and other is not None and own != other:
            raise ModelError(
                f"the recipe's embedding.{name} is {other!r}, and the encoder's own files say {own!r}",
                where=source,
                remedy=f"leave embedding.{name} out, or correct the encoder's files",
            )
    given = {key: value for key, value in vars(wanted).items() if value is not None}
    notes = []
    if "mode" not in stated and wanted.mode is None:
        notes.append(
            "the encoder's files do not say how it pools: the mean of its tokens is taken (embedding.pooling: cls "
            "takes [CLS])"
        )
    found = Pooling(**stated | given)
    if found.query or found.passage:
        notes.append(f"queries begin with {found.query!r}, passages with {found.passage!r}")
    return found, notes


def with_pooling(model: nn.Module, pooling: Pooling) -> nn.Module:
    """Let the encoder `model`, in place, give each text's vector (B, D) as "logits" too. Returns it.

    Its own pooler goes: no vector is read from it.
    """
    if getattr(model, "pooler", None) is not None:
        model.pooler = None
    if pooling.size and not hasattr(model, PROJECTION):
        model.add_module(PROJECTION, nn.Linear(model.config.hidden_size, pooling.size, bias=False))
    update(model.config, pooling=pooling.entry())
    if not any(hook is _pool for hook in model._forward_hooks.values()):
        model.register_forward_hook(_pool, with_kwargs=True)
    return model


def project(model: nn.Module, basis: Tensor) -> nn.Module:
    """Shorten, in place, the vectors of a model that pools, to the coordinates in the rows of `basis` (D, H)."""
    with_pooling(model, replace(Pooling.of(model.config), size=len(basis)))
    with torch.no_grad():
        model.get_submodule(PROJECTION).weight.copy_(basis)
    return model


def basis_of(vectors: Tensor, size: int) -> Tensor:
    """(D, H): the directions in which the vectors (N, H) are longest, the first one most.

    They are the first right singular vectors, not centered: of all projections to D numbers this one keeps the dot
    products best (Eckart and Young 1936), and its first D′ numbers are the best D′.
    """
    _, axes = torch.linalg.eigh(vectors.double().T @ vectors.double())
    return axes.flip(1).T[:size].to(vectors.dtype).contiguous()


def prefixes_of(size: int, shortest: int = 64) -> tuple[int, ...]:
    """The lengths to which an ordered vector of `size` numbers may be cut: itself, a half, a quarter, ..."""
    found = [size]
    while found[-1] // 2 >= shortest:
        found.append(found[-1] // 2)
    return tuple(found)


def _pool(model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any) -> Any:
    """The hook: adds the texts' vectors (B, D) to an encoder's outputs."""
    pooling, states = Pooling.of(model.config), outputs["last_hidden_state"]
    if pooling.mode == "cls":
        vectors = states[:, 0]
    else:
        mask = kwargs.get("attention_mask")
        real = torch.ones_like(states[..., :1]) if mask is None else mask.unsqueeze(-1).to(states.dtype)
        vectors = (states * real).sum(1) / real.sum(1)
    if pooling.size:
        vectors = model.get_submodule(PROJECTION)(vectors)
    outputs["logits"] = F.normalize(vectors, dim=-1) if pooling.normalize else vectors
    return outputs


def _stated(source: str) -> dict[str, Any]:
    """What an encoder's own files say: fields of `Pooling`. Raises ModelError for a step that is not supported."""
    found: dict[str, Any] = {}
    config = _json(source, "config.json")
    if isinstance(config, Mapping) and (saved := Saved.of(config).pooling):
        return dict(saved)
    modules = _json(source, "modules.json")
    folder = "1_Pooling"
    if isinstance(modules, list):
        steps = [str(step.get("type", "")).rsplit(".", 1)[-1] for step in modules if isinstance(step, Mapping)]
        if strange := [step for step in steps if step not in ("Transformer", "Pooling", "Normalize")]:
            raise ModelError(
                f"its vectors go through a step {strange[0]}, which is not supported",
                where=f"{source}, modules.json",
                remedy="use an encoder of a transformer, pooling and normalization",
            )
        found["normalize"] = "Normalize" in steps
        folder = next((str(m.get("path")) for m, s in zip(modules, steps, strict=True) if s == "Pooling"), folder)
    pooling = _json(source, f"{folder}/config.json")
    if isinstance(pooling, Mapping):
        modes = [mode for key, mode in _MODES.items() if pooling.get(key)] or [str(pooling.get("pooling_mode", ""))]
        if modes not in (["mean"], ["cls"]):
            raise ModelError(
                f"its pooling is {' and '.join(modes) or 'not named'}, and only mean and cls are supported",
                where=f"{source}, {folder}/config.json",
                remedy="use another encoder",
            )
        found["mode"] = modes[0]
    prompts = _json(source, "config_sentence_transformers.json")
    prompts = prompts.get("prompts") if isinstance(prompts, Mapping) else None
    if isinstance(prompts, Mapping) and any(prompts.values()):
        for key, names in (("query", _QUERY), ("passage", _PASSAGE)):
            found[key] = next((str(prompts[name]) for name in names if name in prompts), "")
    return found


def _json(source: str, name: str) -> Any:
    """A JSON file of a folder or of a Hub id; None where there is none."""
    path: Path | None = Path(source) / name
    if not Path(source).is_dir():
        from transformers.utils import cached_file

        found = cached_file(source, name, _raise_exceptions_for_missing_entries=False)
        path = Path(found) if found else None
    if path is None or not path.is_file():
        return None
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(f"this is not JSON ({error})", where=str(path), remedy="correct it") from error
