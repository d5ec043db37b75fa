"""Loading a tokenizer, and an encoder under the head of a task."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import transformers
from transformers import (
    AutoConfig,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from compress.data.task import Task
from compress.errors import ModelError
from compress.models.anatomy import classification_head_of
from compress.models.checkpoint import (
    Loaded,
    check_config,
    check_loaded,
    notes_of,
    without_prefix,
    wrapping_prefix,
)
from compress.models.fused import divide_
from compress.models.head import Head, names_of, note_of, put_, with_names_of
from compress.models.hugging_face import AUTO, SENTENCES, from_pretrained, quiet
from compress.models.merging import check_can_merge
from compress.models.pooling import Pooling, with_pooling
from compress.models.saved import Saved


def load_tokenizer(source: str) -> PreTrainedTokenizerBase:
    """The encoder's fast tokenizer, with truncation and padding left to the caller."""
    with quiet():
        tokenizer = from_pretrained(AutoTokenizer, source)
    if not tokenizer.is_fast:
        raise ModelError("it has no fast tokenizer", where=source, remedy="use an encoder with a tokenizer.json")
    if Path(source).is_dir() and not (Path(source) / "config.json").is_file():  # a tokenizer by itself
        return tokenizer
    with quiet():
        config = from_pretrained(AutoConfig, source)
    rows, largest = config.vocab_size, max(tokenizer.get_vocab().values())
    if largest >= rows:
        raise ModelError(
            f"the tokenizer has ids up to {largest}, and the table of embeddings has {rows} rows (0 to {rows - 1})",
            where=source,
            remedy="resize the embeddings (resize_token_embeddings), train the new rows and save the model again",
        )
    try:
        tokenizer("a")
    except Exception as error:  # the tokenizers library raises nothing narrower
        raise ModelError(
            f"its tokenizer can't read a text ({error})", where=source, remedy="save the whole tokenizer again"
        ) from error
    if getattr(config, "type_vocab_size", 1) < 2:  # every token of a pair is of segment 0
        tokenizer.model_input_names = [name for name in tokenizer.model_input_names if name != "token_type_ids"]
    return tokenizer


def load_for(task: Task, source: str, *, max_tokens: int, seed: int, pooling: Pooling | None = None) -> PreTrainedModel:
    """θ0: the pre-trained encoder under a fresh head for the task, or a fine-tuned checkpoint under its own.

    A fine-tuned head fits where its outputs are the task's labels by name; it is then in their order. A fresh head's
    values depend on the seed alone; its bias, of a regression or of several labels a text, is what the training labels
    are on average, so that no steps are spent on learning it. An encoder of vectors pools as `pooling` says.

    Raises ModelError for an unsupported architecture, a damaged file, a position table shorter than `max_tokens`, and
    encoder weights that are not all in the checkpoint.
    """
    model = _load_for(task, source, max_tokens=max_tokens, seed=seed)[0]
    if task.kind == "embedding":
        with_pooling(model, pooling or Pooling())
    return model


def notes_on(task: Task, source: str, *, max_tokens: int, seed: int) -> list[str]:
    """What a user should know of the model before it is trained, in sentences. Raises ModelError as `load_for` does."""
    return _load_for(task, source, max_tokens=max_tokens, seed=seed)[2]


def examine(task: Task, source: str, *, max_tokens: int, seed: int) -> tuple[Head, list[str]]:
    """What becomes of the checkpoint's head, and what `notes_on` says. Raises ModelError as `load_for` does."""
    return _load_for(task, source, max_tokens=max_tokens, seed=seed)[1:]


def check_mergeable(source: str) -> None:
    """Raise ModelError for an encoder in which tokens can't be merged."""
    with quiet():
        check_can_merge(from_pretrained(AutoConfig, source))


def named_by(task: Task, source: str) -> Task:
    """The task with the label names of a fine-tuned checkpoint, where its head fits; a note says what changed."""
    with quiet():
        task, notes = with_names_of(task, from_pretrained(AutoConfig, source), _suffix(task))
    return replace(task, notes=(*task.notes, *notes))


def classes_of(source: str) -> tuple[str, ...]:
    """The names of a checkpoint's classes; empty where it has no head that gives a text one of several classes."""
    with quiet():
        config = from_pretrained(AutoConfig, source)
    names, one = names_of(config), getattr(config, "problem_type", None) in (None, "single_label_classification")
    of_classes = any(name.endswith("ForSequenceClassification") for name in config.architectures or ())
    return names if of_classes and one and len(set(names)) == len(names) > 1 else ()


def other_outputs(task: Task, source: str) -> tuple[str, ...]:
    """The outputs of a fine-tuned checkpoint whose head is for other labels than the task's; empty for any other."""
    with quiet():
        config = from_pretrained(AutoConfig, source)
    own = any(name.endswith(_suffix(task)) for name in config.architectures or ())
    new = Head.of(with_names_of(task, config, _suffix(task))[0], config, _suffix(task)).state == "new"
    return names_of(config) if own and new else ()


def _suffix(task: Task) -> str:
    return AUTO.get(task.kind, SENTENCES).removeprefix("AutoModel")


def _load_for(task: Task, source: str, *, max_tokens: int, seed: int) -> tuple[PreTrainedModel, Head, list[str]]:
    """The model, what became of the checkpoint's head, and notes."""
    with quiet():
        config = from_pretrained(AutoConfig, source)
        check_config(config, source, max_tokens)
        task, notes = with_names_of(task, config, _suffix(task))
        head, names = Head.of(task, config, _suffix(task)), names_of(config)
        if task.outputs:
            config.num_labels = task.outputs
        if task.labels:
            config.id2label = dict(enumerate(task.labels))
            config.label2id = {label: i for i, label in enumerate(task.labels)}
        if task.of_sentences:
            config.problem_type = _problem_type(task)
        Saved(task.name, task.kind, task.metric, max_tokens).write(config)
        torch.manual_seed(seed)
        auto = getattr(transformers, AUTO.get(task.kind, SENTENCES))
        options = {"config": config, "use_safetensors": True, "dtype": torch.float32, "output_loading_info": True}
        if mapping := without_prefix(wrapping_prefix(source)):
            options["key_mapping"] = mapping
        model, info = from_pretrained(auto, source, ignore_mismatched_sizes=True, **options)
    loaded = Loaded.of(info)
    if task.kind == "embedding":
        loaded = loaded.without("pooler")  # it is not used
    check_loaded(model, loaded, source)
    divide_(model)
    notes += notes_of(model, loaded, wrapping_prefix(source))
    if loaded.missing or loaded.mismatched:
        head = Head("new")
    elif task.kind != "embedding":
        put_(model, head, seed)
        notes.append(note_of(head, task.labels, names))
    if head.state == "new" and (task.regression or task.kind == "multilabel"):
        with torch.no_grad():
            classification_head_of(model).out.bias.copy_(_first_bias(task))
    return model.eval(), head, notes


def _problem_type(task: Task) -> str:
    """Which loss the model of transformers computes."""
    if task.regression:
        return "regression"
    return "multi_label_classification" if task.kind == "multilabel" else "single_label_classification"


def _first_bias(task: Task) -> torch.Tensor:
    """The bias (L,) of a head that answers, before any training, as the training labels are on average.

    Of a regression: their mean. Of several labels a text: the log-odds of each, so that no steps are spent on learning
    that most texts lack most labels (Lin et al. 2017, section 3.3). A label that no text has counts as if one had it,
    one that all texts have as if one lacked it.
    """
    if task.regression:
        return torch.tensor([float(np.mean([e.label for e in task.train]))])
    counts = np.sum([e.label_set for e in task.train], axis=0).clip(1, max(1, len(task.train) - 1))
    return torch.tensor(np.log(counts / np.maximum(1, len(task.train) - counts)), dtype=torch.float32)
