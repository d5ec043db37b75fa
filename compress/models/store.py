"""Saving a model of this project, and loading what a stage saved, in its own sizes."""

from pathlib import Path

import torch
import transformers
from safetensors import SafetensorError
from safetensors.torch import load_file
from transformers import AutoConfig, PreTrainedModel, PreTrainedTokenizerBase

from compress.errors import ModelError
from compress.models.architectures import architecture_of
from compress.models.factorized import factorize
from compress.models.fused import divide_, joined
from compress.models.hugging_face import AUTO, SENTENCES, from_pretrained, quiet
from compress.models.merging import merge
from compress.models.pooling import Pooling, with_pooling
from compress.models.saved import Saved, Sizes
from compress.models.surgery import Structure, remove


def load_saved(folder: Path) -> PreTrainedModel:
    """A model that a stage saved; a structured ticket is built in its own sizes first.

    Raises ModelError for a folder that is damaged or not of this project.
    """
    source = str(folder)
    with quiet():
        config = from_pretrained(AutoConfig, source)
        auto, saved, pooling = _auto_of(config), Saved.of(config), Pooling.of(config)
        if saved.sizes is None and saved.embedding_rank is None and not pooling.size:
            model = from_pretrained(auto, source, local_files_only=True, use_safetensors=True, dtype=torch.float32)
            divide_(model)
        else:
            empty = divide_(auto.from_config(config))
            if saved.pooling is not None:
                with_pooling(empty, pooling)
            model = _rebuilt(empty, saved.sizes, saved.embedding_rank, folder)
        if saved.pooling is not None:
            with_pooling(model, pooling)
    return merge(model, saved.merge_after).eval() if saved.merge_after else model.eval()


def _rebuilt(model: PreTrainedModel, sizes: Sizes | None, rank: int | None, folder: Path) -> PreTrainedModel:
    """`model` in the sizes that were saved, with the weights that were saved."""
    if sizes is not None:
        model = remove(model, Structure.first(sizes))
    if rank is not None:
        model = factorize(model, rank)
    try:
        _fill(model, load_file(folder / "model.safetensors"))
    except (OSError, SafetensorError, RuntimeError) as error:
        raise ModelError(
            "the structured ticket's weights don't fit its config", where=str(folder), remedy="run the stage again"
        ) from error
    return model


def _auto_of(config: transformers.PretrainedConfig) -> type:
    """The class that loads a saved model: by the class that was saved, or by its task's kind."""
    saved = next(iter(config.architectures or ()), "")
    kind = Saved.of(config).kind
    classes = (SENTENCES, *AUTO.values())
    by_name = (auto for auto in classes if saved.endswith(auto.removeprefix("AutoModel") or "Model"))
    return getattr(transformers, next(by_name, AUTO.get(kind, SENTENCES)))


def _fill(model: PreTrainedModel, weights: dict[str, torch.Tensor]) -> None:
    """Load a state that lacks only weights which are tied to others in it. Raises RuntimeError."""
    missing, unknown = model.load_state_dict(weights, strict=False)
    if unknown or set(missing) - set(model.all_tied_weights_keys or ()):
        raise RuntimeError(f"missing {missing}, unknown {unknown}")
    model.tie_weights()


def save(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Save model, config and tokenizer so that `from_pretrained(folder)` loads them.

    Raises ModelError where they can't be written, such as on a full disk.
    """
    try:
        with quiet():
            save_model(model, folder)
            tokenizer.save_pretrained(folder)
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"the model can't be written ({error})",
            where=str(folder),
            remedy="free some disk space and run the same command again, it continues from here",
        ) from error


def save_model(model: PreTrainedModel, folder: Path) -> None:
    """Save weights and config with the names of transformers."""
    model.save_pretrained(folder, state_dict=joined(model) if architecture_of(model).fused else None)
