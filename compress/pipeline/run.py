"""What the stages of one run share: the inputs (recipe, task, encoder) and the folder with the stages before."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from safetensors.numpy import load_file
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from compress.console import Console
from compress.data.load import load_task, with_unlabeled
from compress.data.task import SPLITS, Task
from compress.errors import RecipeError
from compress.files import read_json
from compress.kinds import task_type_of
from compress.kinds.encode import Texts
from compress.kinds.long_texts import HEAD, Strategy, strategy_of
from compress.kinds.task_type import Encoded, TaskType
from compress.kinds.thresholds import FEWEST
from compress.models.head import Head
from compress.models.load import check_mergeable, examine, load_for, load_tokenizer, named_by
from compress.models.pooling import Pooling
from compress.models.source import resolve_model
from compress.models.store import load_saved
from compress.pipeline.answers_as_labels import with_answers_of
from compress.pipeline.kept import Plan, plan_of
from compress.pipeline.run_dir import RunDir
from compress.pipeline.vectors import as_vectors
from compress.recipe.defaults import for_examples
from compress.recipe.embedding import EmbeddingSection
from compress.recipe.recipe import Recipe
from compress.report.formats import MetricFormat
from compress.training.class_weights import balanced_weights
from compress.training.trainer import Learner

PREDICTIONS = "predictions.safetensors"
_ALL_WORDS = {"vocabulary": 0, "embedding_rank": 0}
_MANY_UNKNOWN = 0.05  # of the tokens
_FEW_TO_JUDGE = 50  # texts: below it, each moves a score by more than 2 points


@dataclass(frozen=True)
class Inputs:
    """A recipe, resolved: what a run starts from. Nothing is written yet."""

    recipe: Recipe
    console: Console
    task: Task
    texts: Texts  # the task as the pre-trained encoder's tokenizer encodes it
    source: str  # folder or Hub id of the pre-trained encoder
    model_name: str  # as shown to people
    pooling: Pooling | None = None  # of an encoder whose texts get vectors

    @classmethod
    def of(cls, recipe: Recipe, console: Console, folders: Sequence[Path] = ()) -> "Inputs":
        """Resolve model, data and what the recipe leaves open. Raises ModelError or DataError for what is unusable.

        `folders`: of runs that may have kept the checkpoint's answers, where these are the labels.
        """
        name, source = resolve_model(recipe.model.name)
        task = with_answers_of(load_task(recipe.data, seed=recipe.seed), source, recipe, console, folders)
        task = named_by(task, source)
        task = replace(task, notes=(*task.notes, *_word_notes(recipe, task)))
        recipe = _fitting(recipe, task)
        if recipe.structure.merge_after:
            check_mergeable(source)
        task = with_unlabeled(task, recipe.data, recipe.distill.unlabeled)
        pooling = None
        if task.kind == "embedding":
            task, pooling = as_vectors(task, source, recipe, console)
        long = strategy_of(task.kind, recipe.data.long)
        texts = Texts.of(task, load_tokenizer(source), recipe.model.max_tokens, long)
        recipe = for_examples(recipe, len(texts.splits["train"]), len(task.labels))  # each window is one
        return cls(recipe, console, task, texts, source, name, pooling)

    def in_folder(self, root: Path) -> "Run":
        """The run of these inputs that writes into `root`."""
        return Run(
            self.recipe,
            self.console,
            self.task,
            self.texts,
            self.source,
            self.model_name,
            self.pooling,
            dir=RunDir(root),
        )

    def with_recipe(self, **changes: Any) -> Self:
        """The same with other values for some of the recipe's sections or keys; data and texts stay."""
        return replace(self, recipe=self.recipe.model_copy(update=changes))

    def with_task(self, task: Task) -> Self:
        """The same with another task, encoded anew."""
        return replace(self, task=task, texts=self.encoded(task, self.texts.tokenizer))

    def encoded(self, task: Task, tokenizer: PreTrainedTokenizerBase) -> Texts:
        """A task as a tokenizer encodes it, within the recipe's limit."""
        return Texts.of(task, tokenizer, self.recipe.model.max_tokens, self.long)

    @property
    def long(self) -> Strategy:
        """What is done with texts over the limit."""
        return strategy_of(self.task.kind, self.recipe.data.long)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was ignored, changed, cut or made at random, in sentences: of the data, then of the model."""
        long = long_notes(self.texts, self.recipe.model.max_tokens, self.long)
        of_task = (*self.task.notes, *_small_notes(self.task), *_unanswerable_notes(self.task))
        of_texts = (*long, *_unknown_notes(self.texts))
        return (*of_task, *self._weight_notes(), *_threshold_notes(self.task), *of_texts, *self._examined[1])

    def _weight_notes(self) -> list[str]:
        """Between which weights the classes are, where they have some."""
        if self.recipe.training.class_weights == "none":
            return []
        weights = balanced_weights(self.labels["train"], len(self.task.labels)).tolist()
        order = sorted(range(len(weights)), key=weights.__getitem__)
        least, most = (f"{weights[i]:.3g} ({self.task.labels[i]})" for i in (order[0], order[-1]))
        return [
            "each class weighs in the loss by the inverse of its number of training texts, from "
            f"{least} to {most} (training.class_weights: balanced)"
        ]

    @property
    def head(self) -> Head:
        """What becomes of the checkpoint's head."""
        return self._examined[0]

    @property
    def dense(self) -> Plan:
        """How the dense model is made. Raises RecipeError where the checkpoint can't be kept as the recipe wants."""
        return plan_of(self.recipe, self.head)

    @cached_property
    def _examined(self) -> tuple[Head, list[str]]:
        """The head, and what is new or changed in the loaded model, in sentences."""
        return examine(self.task, self.source, max_tokens=self.recipe.model.max_tokens, seed=self.recipe.seed)

    @cached_property
    def labels(self) -> dict[str, np.ndarray]:
        """What predictions are compared with (N, ...), of each split."""
        return {name: split.labels for name, split in self.texts.splits.items()}

    def learner(self, texts: Texts | None = None) -> Learner:
        """The training loop on this task."""
        return Learner(texts or self.texts, self.task.metric, self.recipe.training, self.console)

    def pretrained(self) -> PreTrainedModel:
        """θ0: the pre-trained encoder under the seed's fresh head."""
        return load_for(
            self.task,
            self.source,
            max_tokens=self.recipe.model.max_tokens,
            seed=self.recipe.seed,
            pooling=self.pooling,
        )

    def texts_in(self, folder: Path) -> Texts:
        """The task as the tokenizer of the model saved in `folder` encodes it: its vocabulary may be trimmed."""
        tokenizer = load_tokenizer(str(folder))
        if len(tokenizer) == len(self.texts.tokenizer):
            return self.texts
        return self.encoded(self.task, tokenizer)


@dataclass(frozen=True)
class Run(Inputs):
    """The inputs and the folder that their run writes into."""

    dir: RunDir = field(kw_only=True)

    @cached_property
    def calibration(self) -> dict[int, Any]:
        """The targets of training texts, by their number, once a stage has made them."""
        return {}

    @property
    def bundle(self) -> Path:
        """The folder of the bundle; it has the target's name."""
        return self.dir.stage(self.recipe.target)

    def saved(self, stage: str) -> PreTrainedModel:
        """The model of a complete stage."""
        return load_saved(self.dir.stage(stage))

    def texts_of(self, stage: str) -> Texts:
        """The task as the tokenizer of a complete stage's model encodes it."""
        return self.texts_in(self.dir.stage(stage))

    def metrics(self, stage: str) -> dict[str, Any]:
        """The numbers of a complete stage."""
        found: dict[str, Any] = read_json(self.dir.stage(stage) / "metrics.json")
        return found

    def predictions(self, stage: str) -> dict[str, np.ndarray]:
        """The predictions (N, ...) of a complete stage for "dev" and "test"."""
        return load_predictions(self.dir.stage(stage))


def load_predictions(folder: Path) -> dict[str, np.ndarray]:
    """A model's predictions (N, ...) for "dev" and "test", from the folder that its training wrote."""
    return load_file(folder / PREDICTIONS)


def _word_notes(recipe: Recipe, task: Task) -> list[str]:
    """What a recipe says of the words, and a task of masked words can't have."""
    structure = recipe.structure
    if (
        task.kind != "mlm"
        or recipe.ticket.kind != "structure"
        or not (structure.vocabulary or structure.embedding_rank)
    ):
        return []
    return [
        "masked words need every word of the vocabulary: structure.vocabulary and structure.embedding_rank are not used"
    ]


def _fitting(recipe: Recipe, task: Task) -> Recipe:
    """The recipe without what the task's kind has no use for. Raises RecipeError for what it can't have."""
    wrong = {
        "distill.augment": not task.of_sentences and recipe.distill.augment,
        "distill.unlabeled": not task.one_output and recipe.distill.unlabeled not in (None, "none"),
        "embedding": task.kind != "embedding" and recipe.embedding != EmbeddingSection(),
        "embedding.size without --ticket structure": bool(recipe.embedding.size) and recipe.ticket.kind != "structure",
        "budget": task.kind == "mlm" and recipe.budget.is_set,
        "distill.teacher": recipe.distill.teacher is not None
        and (task_type_of(task).vectors or not task_type_of(task).distillable),
        "training.class_weights": task.kind not in ("classification", "pair")
        and recipe.training.class_weights != "none",
    }
    if keys := [key for key, given in wrong.items() if given]:
        raise RecipeError(
            f"{' and '.join(keys)} can't be used with a task of kind {task.kind}",
            where=recipe.data.source,
            remedy=f"leave {'it' if len(keys) == 1 else 'them'} out",
        )
    if not task.of_sentences:
        changes: dict[str, Any] = {"merge_after": ()} | (_ALL_WORDS if task.kind == "mlm" else {})
        recipe = recipe.model_copy(update={"structure": recipe.structure.model_copy(update=changes)})
    if task.kind == "embedding" and recipe.training.dense == "auto":  # it is good as it comes
        recipe = recipe.model_copy(update={"training": recipe.training.model_copy(update={"dense": "keep"})})
    if recipe.distill.enabled and not task_type_of(task).distillable:
        return recipe.model_copy(update={"distill": recipe.distill.model_copy(update={"enabled": False})})
    return recipe


def long_notes(texts: Texts, limit: int, strategy: Strategy) -> list[str]:
    """How many texts of each split are over the limit of tokens, and what is done with them."""
    found = []
    for name, split in texts.splits.items():
        if not split.long:
            continue
        rows = split.rows_of()
        others = (
            "; try head_tail or windows" if split.task.kind in ("classification", "regression", "multilabel") else ""
        )
        one = len(split.long) == 1
        are, texts_are = ("is", "text is") if one else ("are", "texts are")
        done = {
            "cut": f"{are} cut (data.long: cut{others})",
            "head_tail": f"{'keeps' if one else 'keep'} the first {HEAD} % and the last {100 - HEAD} % of the limit "
            "(data.long: head_tail)",
            "windows": f"{are} read in {sum(len(rows[i]) for i in split.long):,} windows (data.long: windows)",
        }
        found.append(f"{len(split.long):,} {name} {texts_are} longer than {limit} tokens and {done[strategy]}")
    if found and strategy == "cut" and getattr(texts.tokenizer, "truncation_side", "right") == "left":
        found.append(
            "the checkpoint's tokenizer cuts a text's beginning (truncation_side: left); here and on the phone the "
            "beginning stays and the end is cut"
        )
    return found


def long_cost(task_type: TaskType, metric: str, dev: Encoded, predictions: np.ndarray) -> str | None:
    """A model's metric on the long dev texts against that on the others; None where either group is empty."""
    is_long = np.isin(np.arange(len(dev.labels)), dev.long)
    if not is_long.any() or is_long.all():
        return None
    inputs = task_type.metric_inputs(predictions, dev)
    shown = MetricFormat(metric)
    long, short = (shown.value(task_type.metrics[metric](inputs[g], dev.labels[g])) for g in (is_long, ~is_long))
    return f"{shown.name} on the {is_long.sum():,} long dev texts {long}, on the other {(~is_long).sum():,} {short}"


def _unanswerable_notes(task: Task) -> list[str]:
    """How many questions of each split have no answer, and how such questions are handled."""
    if not task.with_unanswerable:
        return []
    counts = [f"{sum(not e.answers for e in rows):,} of {len(rows):,} {s}" for s in SPLITS if (rows := task.split(s))]
    return [
        f"{', '.join(counts[:-1])} and {counts[-1]} questions have no answer: models learn to leave them without one, "
        "by a threshold that dev chooses; scores are SQuAD v2.0's"
    ]


def _unknown_notes(texts: Texts) -> list[str]:
    """How many tokens the vocabulary does not know, where they are many: another language, script or case."""
    unknown, ids = texts.tokenizer.unk_token_id, texts.splits["train"].columns()["input_ids"]
    tokens = sum(map(len, ids))
    share = sum(row.count(unknown) for row in ids) / max(tokens, 1)
    if unknown is None or share < _MANY_UNKNOWN:
        return []
    return [
        f"{100 * share:.0f} % of the training tokens are {texts.tokenizer.unk_token}: the checkpoint's vocabulary "
        "lacks many words of these texts; an encoder of their language and script will be better"
    ]


def _threshold_notes(task: Task) -> list[str]:
    """How labels that a text may have together are decided, and which have few dev texts."""
    if task.kind != "multilabel":
        return []
    counts = np.sum([e.label_set for e in task.dev], axis=0)
    few = [name for name, count in zip(task.labels, counts, strict=True) if count < FEWEST]
    shared = f"; {', '.join(few)} share one, as fewer than {FEWEST} dev texts have them" if few else ""
    return [f"each label has a threshold, chosen on dev by its F1 for every model and program anew{shared}"]


def _small_notes(task: Task) -> list[str]:
    counts = {name: len(task.split(name)) for name in ("dev", "test")}
    return [
        f"the {name} split has {count} {'text' if count == 1 else 'texts'}, each worth {100 / count:.0f} points of its "
        f"score: too few to judge by, so give more {name} texts"
        f"{', or test every text once: pocket-ticket cross-validate' if name == 'test' else ''}"
        for name, count in counts.items()
        if count < _FEW_TO_JUDGE
    ]
