"""The models that are compared: the dense classifier, a structured ticket of it, and it with its tokens merged."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from compress.errors import ModelError
from compress.files import file_sha256, fingerprint

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

MAX_TOKENS = 128  # the longest text of every program with a dynamic length
HEADS, NEURONS, LAYERS, WORDS = 6, 512, 4, 8000  # of 12, 1,536, 6 and 30,522
MERGED_AFTER = (2,)
LABELS = ("negative", "positive")
TEXT = """The harbour was quiet when the ferry came in, two hours late and half empty. A woman with a green suitcase
stood at the rail and looked for a face she knew, but there were only gulls, a dog asleep on a heap of nets, and a boy
who sold oranges to nobody in particular. She had read the letter so often that the folds had worn through: come before
the first of October, it said, and bring the maps. The maps were rolled in a tube under her arm, dry in spite of the
crossing, and she did not believe a word of them. Somebody had drawn a lighthouse where there was none, moved the mouth
of the river three miles north, and given the marsh a name that no one in the village could pronounce. Her brother would
have laughed. He had spent a whole summer walking that coast with a notebook, counting steps aloud, and he used to say
that a bad map is worse than none, because you stop looking at the ground. What was it worth, then, to cross the water
for a mistake? She bought two oranges, asked the way to the inn, and was told, kindly and at some length, that it had
burned down in the spring, that it was a shame about the piano, and that the schoolteacher let a room with a view."""


@dataclass(frozen=True)
class Subject:
    """A saved model folder under the name that the tables give it."""

    name: str
    folder: Path
    families: tuple[str, ...] | None = None  # the engines that it runs on; None: all

    @property
    def key(self) -> str:
        """16 hexadecimal digits that change with the weights or the config."""
        return fingerprint(*(file_sha256(self.folder / file) for file in ("model.safetensors", "config.json")))


def windows(tokens: list[int], length: int, count: int, ends: tuple[int, int]) -> list[list[int]]:
    """`count` texts of `length` ids each: stretches of `tokens` at even distances, between the ids `ends`."""
    inner, step = length - len(ends), len(tokens) // count
    around = tokens + tokens  # a stretch may run over the end
    return [[ends[0], *around[i * step : i * step + inner], ends[1]] for i in range(count)]


def texts_of(subject: Subject, length: int, count: int) -> list[list[int]]:
    """`count` stretches of real text, exactly `length` token ids each, special tokens included.

    Raises ModelError for a folder without a tokenizer.
    """
    from compress.models.load import load_tokenizer

    tokenizer = load_tokenizer(str(subject.folder))
    tokens = tokenizer(TEXT, add_special_tokens=False)["input_ids"]
    return windows(tokens, length, count, (tokenizer.cls_token_id, tokenizer.sep_token_id))


def subject(name: str, given: Path | None, made: Path, families: tuple[str, ...] | None = None) -> Subject:
    """The model folder that was given, or the default one, made in `made` where it is not there yet.

    Raises ModelError for a folder that holds no model.
    """
    if given is None:
        folder = made / name
        if not (folder / "model.safetensors").is_file():
            MAKERS[name](folder)
        return Subject(name, folder, families)
    if not all((given / file).is_file() for file in ("model.safetensors", "config.json")):
        raise ModelError(
            "there is no saved model", where=f"--{name} {given}", remedy="give a stage's folder, such as RUN_DIR/dense"
        )
    return Subject(name, given, families)


def make_dense(folder: Path) -> None:
    """Save the embedded encoder under a two-class head that depends on nothing but a seed."""
    from compress.models.store import save

    save(*_dense(), folder)


def make_ticket(folder: Path) -> None:
    """Save the dense model cut to its first heads, neurons, layers and most general words. It is not trained."""
    from compress.models.saved import Sizes
    from compress.models.store import save
    from compress.models.surgery import Structure, remove
    from compress.shrink.vocabulary import choose, trim_model, trim_tokenizer

    model, tokenizer = _dense()
    remove(model, Structure.first(Sizes((HEADS,) * LAYERS, (NEURONS,) * LAYERS)))
    kept = choose(tokenizer, (), WORDS)
    tokenizer = trim_tokenizer(tokenizer, kept)
    save(trim_model(model, kept, tokenizer), tokenizer, folder)


def make_merged(folder: Path) -> None:
    """Save the dense model with its tokens merged in pairs. It is not trained."""
    from compress.models.merging import merge
    from compress.models.store import save

    model, tokenizer = _dense()
    save(merge(model, MERGED_AFTER), tokenizer, folder)


MAKERS = {"dense": make_dense, "ticket": make_ticket, "merged": make_merged}


def _dense() -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    import torch

    from compress.data.task import Example, Task
    from compress.models.anatomy import classification_head_of
    from compress.models.load import load_for, load_tokenizer
    from compress.models.source import resolve_model

    source = resolve_model("minilm")[1]
    rows = (Example("text", None, 0),)
    task = Task("sentences", "classification", "accuracy", LABELS, rows, rows, rows, fingerprint="")
    model = load_for(task, source, max_tokens=MAX_TOKENS, seed=0)
    head, generator = classification_head_of(model), torch.Generator().manual_seed(0)
    with torch.no_grad():  # a head as small as a fresh one would hide differences between engines
        head.out.weight.normal_(0, 0.2, generator=generator)
        head.first.dense.weight.normal_(0, 0.05, generator=generator)
        head.first.dense.bias.zero_()
    return model, load_tokenizer(source)
