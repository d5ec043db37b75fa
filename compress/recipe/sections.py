"""The sections of a recipe: the one source of flags, YAML keys, fixed defaults, checks and their documentation."""

import re
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

_REWIND = re.compile(r"pretrained|learning_rate|none|step:(\d+)")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(kb|mb|gb)", re.IGNORECASE)
_UNITS = {"kb": 1e3, "mb": 1e6, "gb": 1e9}
_LATENCY = re.compile(r"(\d+(?:\.\d+)?)\s*ms\s*@\s*(\d+)", re.IGNORECASE)


def _option(default: Any, help: str, flag: str | None = None, **limits: Any) -> Any:
    return Field(default, description=help, json_schema_extra={"flag": flag} if flag else None, **limits)


def _filled_in(value: float | None) -> float:
    if value is None:
        raise ValueError("a recipe that was not resolved has no passes and rates (recipe.defaults.for_examples)")
    return value


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class ModelSection(_Section):
    """Which pre-trained encoder."""

    name: str = _option("minilm", "the embedded all-MiniLM-L6-v2 ('minilm'), a model folder, or a Hub id", "--model")
    max_tokens: int = _option(
        128,
        "longest input in tokens, special tokens included; --long says what longer texts get",
        "--max-tokens",
        ge=8,
        le=512,
    )


class DataSection(_Section):
    """Which task."""

    source: str = _option(
        "phone_commands",
        "the bundled 'phone_commands', a file that is divided into train, dev and test, a folder that has them (TSV, "
        "CSV, JSON, JSONL, Parquet, CoNLL, plain text; .gz too), or hf:NAME[:CONFIG]",
        "--data",
    )
    kind: Literal[
        "auto", "classification", "pair", "regression", "pair_regression", "multilabel", "tokens", "qa", "mlm"
    ] = _option("auto", "the kind of task; auto: decided by files, columns and labels", "--kind")
    label: str | None = _option(
        None,
        "name of the label column, or of the columns of 0 and 1 (NAME,NAME) where a text has several labels; by "
        "default label, score, intent, class, category, sentiment and other usual names",
        "--label",
    )
    text_a: str | None = _option(
        None, "name of the text column; by default text, sentence, review and other usual names", "--text-a"
    )
    text_b: str | None = _option(
        None,
        "name of a pair's second column, or none; by default text_b, sentence2, hypothesis, passage and other usual "
        "names",
        "--text-b",
    )
    long: Literal["auto", "cut", "head_tail", "windows"] = _option(
        "auto",
        "what is done with texts over model.max_tokens. windows: overlapping parts, each one run of the program; "
        "their results are merged; head_tail: the beginning and the end are kept; cut: the beginning alone; auto: "
        "windows for word labels and answers, cut for all others",
        "--long",
    )
    metric: Literal[
        "auto",
        "accuracy",
        "f1",
        "macro_f1",
        "matthews",
        "pearson_spearman",
        "micro_f1",
        "mean_average_precision",
        "entity_f1",
        "answer_f1",
        "exact_match",
        "masked_accuracy",
    ] = _option(
        "auto",
        "the metric that is reported and compared; auto: the usual one, or macro_f1 where classes are very unequal",
        "--metric",
    )
    unseen_labels: Literal["refuse", "count_wrong"] = _option(
        "refuse", "dev or test labels that never occur in training: refuse them, or count them as wrong"
    )
    skip_bad_rows: int = _option(
        0, "leave out up to this many rows that can't be read; they are counted and listed", "--skip-bad-rows", ge=0
    )
    train_limit: int | None = _option(None, "use only this many training examples (seeded choice)", ge=16)
    eval_limit: int | None = _option(None, "use only this many dev and test examples each (seeded choice)", ge=16)


class TrainingSection(_Section):
    """How every training runs: dense model, ticket and student alike."""

    epochs: float | None = _option(
        None, "passes over the training data; by default 3 to 10, about 500 steps", "--epochs", gt=0
    )
    dense: Literal["auto", "keep", "train"] = _option(
        "auto",
        "the dense model of a fine-tuned checkpoint. keep: the checkpoint as it is, without training; train: it is "
        "trained further; auto: kept where its head has the data's labels and it is no worse on dev than the baseline",
        "--dense",
    )
    batch_size: int = _option(32, "examples a step", "--batch-size", ge=1)
    learning_rate: float | None = _option(
        None,
        "peak of AdamW's learning rate; by default 2e-4 below 4,000 examples, else 1e-4, with over 40 labels 3e-4",
        "--learning-rate",
        gt=0,
    )
    warmup: float = _option(
        0.1, "share of the steps that raise the learning rate from 0, before the linear decay to 0", ge=0, lt=1
    )
    weight_decay: float = _option(0.01, "AdamW's decoupled weight decay (matrices only, embeddings excluded)", ge=0)
    max_grad_norm: float = _option(1.0, "gradients are clipped to this norm", gt=0)
    class_weights: Literal["none", "balanced"] = _option(
        "none", "balanced: each class weighs in the loss by the inverse of its number of training examples"
    )

    @property
    def passes(self) -> float:
        """`epochs`, once `for_examples` has filled it in."""
        return _filled_in(self.epochs)

    @property
    def peak(self) -> float:
        """`learning_rate`, once `for_examples` has filled it in."""
        return _filled_in(self.learning_rate)


class TicketSection(_Section):
    """How the lottery ticket is searched."""

    kind: Literal["weights", "structure", "none"] = _option(
        "weights", "remove single weights; heads, neurons, layers and words; or nothing", "--ticket"
    )
    sparsity: float = _option(0.5, "share of the prunable weights to remove", "--sparsity", ge=0, lt=1)
    rounds: int = _option(1, "rounds of train, prune, rewind; the dense model is the first training", "--rounds", ge=1)
    round_epochs: float = _option(2, "passes over the training data in each round", "--round-epochs", gt=0)
    criterion: Literal["magnitude", "weight_change", "taylor", "magnitude_increase", "random"] = _option(
        "taylor",
        "which weights stay. taylor: those whose removal would raise the loss most; magnitude: the papers' choice",
        "--criterion",
    )
    schedule: Literal["points_of_original", "share_of_remaining", "one_shot", "cubic"] = _option(
        "points_of_original", "how sparsity grows over the rounds"
    )
    scope: Literal["stack", "global", "layer", "kind"] = _option(
        "stack", "which weights are ranked together. stack: all layers, the pooler by itself; global: all; layer; kind"
    )
    rewind: str = _option(
        "pretrained",
        "after each round the weights that stay return to the pre-trained values, or with step:K to those after step K "
        "of the first training; learning_rate: weights stay, the schedule starts again; none: they are only fine-tuned",
    )

    @field_validator("rewind")
    @classmethod
    def _is_rewind(cls, text: str) -> str:
        if not _REWIND.fullmatch(text):
            raise ValueError("use pretrained, step:K, learning_rate or none")
        return text

    @property
    def rewind_step(self) -> int:
        """The step of the first training that weights and schedule return to; 0: the beginning."""
        return int(self.rewind.partition(":")[2] or 0)


class StructureSection(_Section):
    """What a structured ticket (--ticket structure) keeps."""

    criterion: Literal["taylor", "gates", "magnitude", "random"] = _option(
        "taylor", "which heads and neurons stay; gates: scores that are learned; random: the control"
    )
    rewind: Literal["none", "pretrained"] = _option(
        "none",
        "none: training continues from the dense model's weights; pretrained: it starts from the pre-trained ones",
    )
    rounds: int = _option(1, "rounds of score, remove, rewind; the smaller model is trained between two rounds", ge=1)
    round_epochs: float = _option(2, "passes over the training data between two rounds", gt=0)
    layers: float = _option(0.67, "share of the layers that stay", "--keep-layers", gt=0, le=1)
    layer_choice: Literal["loss", "first"] = _option(
        "loss", "which layers stay: those without which the dense model's loss grows most, or the first ones"
    )
    heads: float = _option(0.5, "share of each layer's attention heads that stay", "--keep-heads", gt=0, le=1)
    neurons: float = _option(0.34, "share of each layer's feed-forward neurons that stay", "--keep-neurons", gt=0, le=1)
    vocabulary: int = _option(8000, "words and pieces that stay; 0: all", "--vocabulary", ge=0)
    embedding_rank: int = _option(
        0, "rank of the word table, a low-rank approximation; 0, or at least its width: the table stays as it is", ge=0
    )
    merge_after: tuple[float, ...] = _option(
        (),
        "after these shares of the layers pairs of neighboring tokens are merged, so that later layers compute half as "
        "many: [0.4], or twice: [0.2, 0.6]; only for tasks that use the [CLS] token, others need every token",
    )

    @field_validator("merge_after")
    @classmethod
    def _are_shares(cls, shares: tuple[float, ...]) -> tuple[float, ...]:
        if not all(0 < share < 1 for share in shares):
            raise ValueError("a share is above 0 and below 1, such as [0.4]")
        return shares

    def merging_layers(self, layers: int) -> list[int]:
        """The layers (1: the first) of so many after which tokens merge: all are before the last layer."""
        return sorted({min(max(1, round(share * layers)), layers - 1) for share in self.merge_after} - {0})


class BudgetSection(_Section):
    """The limits of a search, which then chooses the structure and the storage."""

    max_drop: float | None = _option(
        None,
        "find the smallest program that loses at most this many points on dev against the dense model",
        "--max-drop",
        ge=0,
    )
    max_size: str | None = _option(
        None,
        "the largest program, such as 4.5MB; without --max-drop the most accurate one that fits is searched",
        "--max-size",
    )
    max_latency: str | None = _option(
        None, "the slowest program on this machine, milliseconds at a number of tokens, such as 1ms@12", "--max-latency"
    )

    @field_validator("max_size")
    @classmethod
    def _is_size(cls, text: str | None) -> str | None:
        if text is not None and not _SIZE.fullmatch(text.strip()):
            raise ValueError("a size is a number with kB, MB or GB, such as 4.5MB")
        return text

    @field_validator("max_latency")
    @classmethod
    def _is_latency(cls, text: str | None) -> str | None:
        found = _LATENCY.fullmatch(text.strip()) if text is not None else None
        if text is not None and (found is None or int(found[2]) < 2):
            raise ValueError("a latency is milliseconds at 2 tokens or more, such as 1ms@12")
        return text

    @property
    def is_set(self) -> bool:
        """Whether there is any limit."""
        return (self.max_drop, self.max_size, self.max_latency) != (None, None, None)

    @property
    def most_bytes(self) -> float:
        """Bytes that the program may have (1 MB = 10⁶ bytes)."""
        if self.max_size is None:
            return float("inf")
        [(number, unit)] = _SIZE.findall(self.max_size)
        return float(number) * _UNITS[unit.lower()]

    @property
    def slowest(self) -> tuple[float, int] | None:
        """(milliseconds, tokens) that the program may take, or None."""
        if self.max_latency is None:
            return None
        [(milliseconds, tokens)] = _LATENCY.findall(self.max_latency)
        return float(milliseconds), int(tokens)


class DistillSection(_Section):
    """Whether the ticket learns from the dense model."""

    enabled: bool = _option(True, "train the ticket with the dense model as its teacher", "--distill")
    epochs: float | None = _option(None, "passes over the training data, if not training.epochs", gt=0)
    learning_rate: float | None = _option(
        None, "peak of the learning rate, if not training.learning_rate (structured tickets: 3e-4)", gt=0
    )
    temperature: float = _option(2.0, "softens teacher's and student's distributions (Hinton et al. 2015)", gt=0)
    logits_weight: float = _option(
        0.7, "weight of the soft loss (teacher's logits); the rest is the loss of the labels", ge=0, le=1
    )
    augment: int = _option(0, "structured tickets: altered copies of each training text, labeled by the teacher", ge=0)
    unlabeled: str | None = _option(
        None,
        "structured tickets: a file of texts without labels, one a line, labeled by the teacher; by default "
        "unlabeled.txt in the data's folder, if there is one; none: without",
        "--unlabeled",
    )
    relation_weight: float = _option(
        0.0, "weight of the divergence between the last layers' token relations (MiniLMv2); 0: off", ge=0
    )
    hidden_weight: float = _option(1.0, "weight of the relative squared distance between hidden states; 0: off", ge=0)

    @property
    def passes(self) -> float:
        """`epochs`, once `for_examples` has filled it in."""
        return _filled_in(self.epochs)

    @property
    def peak(self) -> float:
        """`learning_rate`, once `for_examples` has filled it in."""
        return _filled_in(self.learning_rate)


class QuantizeSection(_Section):
    """How the program stores and multiplies weights."""

    scheme: Literal["int8", "int4", "none"] = _option(
        "int8", "weights (embeddings too) as int8 or int4 with int8 activations per token, or fp32", "--quantize"
    )
    keep_int8: tuple[str, ...] = _option(
        (),
        "int4: matrices that stay int8, named as in the program's listing, * for any (pocket-ticket sensitivity)",
    )
    aware_epochs: float = _option(
        0, "structured tickets: last passes with weights rounded as the program stores them", ge=0
    )


class MeasureSection(_Section):
    """What is measured on the exported programs."""

    lengths: tuple[int, ...] = _option((12, 64), "tokens of the inputs whose latency is measured, besides 12 and 64")
    threads: int = _option(1, "threads of the runtime", "--threads", ge=1)
    rounds: int = _option(20, "rounds of alternating measurements (10 runs of each program a round)", ge=3)


class Recipe(_Section):
    """Everything that decides a run's result, and nothing else (where it is written is the command's business)."""

    target: Literal["android", "ios", "linux-arm"] = _option(
        "android", "what the program is for; it also names the bundle's folder", "--target"
    )
    seed: int = _option(0, "seed of initialization, order and dropout", "--seed", ge=0)
    model: ModelSection = ModelSection()
    data: DataSection = DataSection()
    training: TrainingSection = TrainingSection()
    ticket: TicketSection = TicketSection()
    structure: StructureSection = StructureSection()
    budget: BudgetSection = BudgetSection()
    distill: DistillSection = DistillSection()
    quantize: QuantizeSection = QuantizeSection()
    measure: MeasureSection = MeasureSection()
    controls: bool = _option(False, "also train a random mask of the same sparsity", "--controls")

    @field_validator("measure")
    @classmethod
    def _lengths(cls, measure: MeasureSection) -> MeasureSection:
        if not measure.lengths or min(measure.lengths) < 2:
            raise ValueError("lengths needs at least one number of 2 or more")
        return measure

    @model_validator(mode="before")
    @classmethod
    def _budget_means_structure(cls, given: Any) -> Any:
        """A budget chooses a structure: only that makes a program smaller."""
        budget = given.get("budget") if isinstance(given, dict) else None
        if not (isinstance(budget, dict) and any(value is not None for value in budget.values())):
            return given
        ticket = given.get("ticket") or {}
        return given | {"ticket": {"kind": "structure"} | ticket} if isinstance(ticket, dict) else given

    @model_validator(mode="after")
    def _consistent(self) -> "Recipe":
        if self.budget.is_set and (self.ticket.kind != "structure" or not self.distill.enabled):
            raise ValueError("a budget is met by distilled structures: do not set ticket.kind or distill.enabled")
        if self.budget.slowest and self.budget.slowest[1] > self.model.max_tokens:
            raise ValueError(f"budget.max_latency has more than the {self.model.max_tokens} tokens of model.max_tokens")
        if self.quantize.aware_epochs and (self.budget.is_set or self.quantize.scheme == "none"):
            raise ValueError("quantize.aware_epochs trains for one storage: choose int8 or int4 and no budget")
        if self.quantize.keep_int8 and (self.budget.is_set or self.quantize.scheme != "int4"):
            raise ValueError("quantize.keep_int8 is about int4: choose that scheme, and set no budget")
        if self.controls and self.ticket.kind != "weights":
            raise ValueError("controls are for a ticket of weights: set ticket.kind=weights or drop --controls")
        return self

    def to_yaml(self) -> str:
        """The whole recipe as YAML, defaults written out."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def option_keys() -> list[str]:
    """Every key of a recipe, dotted."""
    return [key for key, _ in options()]


def options() -> list[tuple[str, Any]]:
    """(dotted key, pydantic FieldInfo) of every option, in order."""
    found = []
    for name, info in Recipe.model_fields.items():
        section = info.annotation
        if isinstance(section, type) and issubclass(section, _Section):
            found += [(f"{name}.{key}", inner) for key, inner in section.model_fields.items()]
        else:
            found.append((name, info))
    return found
