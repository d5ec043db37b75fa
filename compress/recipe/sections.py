"""The sections of a recipe: the one source of flags, YAML keys, fixed defaults, checks and their documentation."""

import re
from typing import Literal

from pydantic import field_validator

from compress.recipe.option import Section, filled_in, option

_REWIND = re.compile(r"pretrained|learning_rate|none|step:(\d+)")
_FOLD = re.compile(r"(\d+)/(\d+)")


class ModelSection(Section):
    """Which pre-trained encoder."""

    name: str = option("minilm", "the embedded all-MiniLM-L6-v2 ('minilm'), a model folder, or a Hub id", "--model")
    max_tokens: int = option(
        128,
        "longest input in tokens, special tokens included; --long says what longer texts get",
        "--max-tokens",
        ge=8,
        le=512,
    )


class DataSection(Section):
    """Which task."""

    source: str = option(
        "phone_commands",
        "the bundled 'phone_commands' or 'phone_search', a file that is divided into train, dev and test, a folder "
        "that has them (TSV, CSV, JSON, JSONL, Parquet, CoNLL, plain text; .gz too), or hf:NAME[:CONFIG]",
        "--data",
    )
    kind: Literal[
        "auto",
        "classification",
        "pair",
        "regression",
        "pair_regression",
        "multilabel",
        "tokens",
        "qa",
        "mlm",
        "embedding",
    ] = option(
        "auto",
        "the kind of task; auto: decided by files, columns and labels. embedding: a vector for each text",
        "--kind",
    )
    label: str | None = option(
        None,
        "name of the label column, or of the columns of 0 and 1 (NAME,NAME) where a text has several labels; by "
        "default label, score, intent, class, category, sentiment and other usual names",
        "--label",
    )
    text_a: str | None = option(
        None, "name of the text column; by default text, sentence, review and other usual names", "--text-a"
    )
    text_b: str | None = option(
        None,
        "name of a pair's second column, or none; by default text_b, sentence2, hypothesis, passage and other usual "
        "names",
        "--text-b",
    )
    long: Literal["auto", "cut", "head_tail", "windows"] = option(
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
        "spearman",
        "ndcg_at_10",
        "recall_at_1",
        "recall_at_10",
        "mrr",
        "neighbors_kept",
    ] = option(
        "auto",
        "the metric that is reported and compared; auto: the usual one, or macro_f1 where classes are very unequal",
        "--metric",
    )
    unseen_labels: Literal["refuse", "count_wrong"] = option(
        "refuse", "dev or test labels that never occur in training: refuse them, or count them as wrong"
    )
    skip_bad_rows: int = option(
        0, "leave out up to this many rows that can't be read; they are counted and listed", "--skip-bad-rows", ge=0
    )
    fold: str | None = option(
        None, "2/5: all examples are divided anew, and the second of five equal parts is the test split"
    )
    train_limit: int | None = option(None, "use only this many training examples (seeded choice)", ge=16)
    eval_limit: int | None = option(None, "use only this many dev and test examples each (seeded choice)", ge=16)

    @field_validator("fold")
    @classmethod
    def _is_fold(cls, text: str | None) -> str | None:
        found = _FOLD.fullmatch(text.strip()) if text is not None else None
        if text is not None and (found is None or not 1 <= int(found[1]) <= int(found[2]) or int(found[2]) < 3):
            raise ValueError("a fold is a number and how many there are, three or more, such as 2/5")
        return text

    @property
    def fold_of(self) -> tuple[int, int] | None:
        """(number of the fold, 1 the first; how many folds), or None."""
        if self.fold is None:
            return None
        number, _, count = self.fold.partition("/")
        return int(number), int(count)


class TrainingSection(Section):
    """How every training runs: dense model, ticket and student alike."""

    epochs: float | None = option(
        None, "passes over the training data; by default 3 to 10, about 500 steps", "--epochs", gt=0
    )
    short: bool = option(
        False, "where `epochs` does not say: about 250 steps, or 10 a label up to 1,000, and at least 1.25 passes"
    )
    second_try: bool | None = option(
        None,
        "a dense model that is behind the baseline (a bag of words, say) on dev is trained once more, with twice the "
        "passes and a rate of 3e-4; the better one on dev is kept. By default, unless passes and rate are both set",
        "--second-try",
    )
    dense: Literal["auto", "keep", "train"] = option(
        "auto",
        "the dense model of a fine-tuned checkpoint. keep: the checkpoint as it is, without training; train: it is "
        "trained further; auto: kept where its head has the data's labels and it is no worse on dev than the baseline",
        "--dense",
    )
    batch_size: int = option(32, "examples a step", "--batch-size", ge=1)
    learning_rate: float | None = option(
        None,
        "peak of AdamW's learning rate; by default 2e-4 below 4,000 examples, else 1e-4, with over 40 labels 3e-4",
        "--learning-rate",
        gt=0,
    )
    warmup: float = option(
        0.1, "share of the steps that raise the learning rate from 0, before the linear decay to 0", ge=0, lt=1
    )
    weight_decay: float = option(0.01, "AdamW's decoupled weight decay (matrices only, embeddings excluded)", ge=0)
    max_grad_norm: float = option(1.0, "gradients are clipped to this norm", gt=0)
    class_weights: Literal["none", "balanced"] = option(
        "none", "balanced: each class weighs in the loss by the inverse of its number of training examples"
    )

    @property
    def passes(self) -> float:
        """`epochs`, once `for_examples` has filled it in."""
        return filled_in(self.epochs)

    @property
    def peak(self) -> float:
        """`learning_rate`, once `for_examples` has filled it in."""
        return filled_in(self.learning_rate)


class TicketSection(Section):
    """How the lottery ticket is searched."""

    kind: Literal["weights", "structure", "none"] = option(
        "weights", "remove single weights; heads, neurons, layers and words; or nothing", "--ticket"
    )
    sparsity: float = option(0.5, "share of the prunable weights to remove", "--sparsity", ge=0, lt=1)
    rounds: int = option(1, "rounds of train, prune, rewind; the dense model is the first training", "--rounds", ge=1)
    round_epochs: float = option(2, "passes over the training data in each round", "--round-epochs", gt=0)
    criterion: Literal["magnitude", "weight_change", "taylor", "magnitude_increase", "random"] = option(
        "taylor",
        "which weights stay. taylor: those whose removal would raise the loss most; magnitude: the papers' choice",
        "--criterion",
    )
    schedule: Literal["points_of_original", "share_of_remaining", "one_shot", "cubic"] = option(
        "points_of_original", "how sparsity grows over the rounds"
    )
    scope: Literal["stack", "global", "layer", "kind"] = option(
        "stack", "which weights are ranked together. stack: all layers, the pooler by itself; global: all; layer; kind"
    )
    rewind: str = option(
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


class StructureSection(Section):
    """What a structured ticket (--ticket structure) keeps."""

    criterion: Literal["taylor", "gates", "magnitude", "random"] = option(
        "taylor", "which heads and neurons stay; gates: scores that are learned; random: the control"
    )
    rewind: Literal["none", "pretrained"] = option(
        "none",
        "none: training continues from the dense model's weights; pretrained: it starts from the pre-trained ones",
    )
    rounds: int = option(1, "rounds of score, remove, rewind; the smaller model is trained between two rounds", ge=1)
    round_epochs: float = option(2, "passes over the training data between two rounds", gt=0)
    layers: float = option(0.67, "share of the layers that stay", "--keep-layers", gt=0, le=1)
    layer_choice: Literal["loss", "first"] = option(
        "loss", "which layers stay: those without which the dense model's loss grows most, or the first ones"
    )
    heads: float = option(0.5, "share of each layer's attention heads that stay", "--keep-heads", gt=0, le=1)
    neurons: float = option(0.34, "share of each layer's feed-forward neurons that stay", "--keep-neurons", gt=0, le=1)
    vocabulary: int = option(8000, "words and pieces that stay; 0: all", "--vocabulary", ge=0)
    embedding_rank: int = option(
        0, "rank of the word table, a low-rank approximation; 0, or at least its width: the table stays as it is", ge=0
    )
    merge_after: tuple[float, ...] = option(
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


class DistillSection(Section):
    """Whether the ticket learns from the dense model."""

    enabled: bool = option(True, "train the ticket with the dense model as its teacher", "--distill")
    teacher: str | None = option(
        None,
        "another model whose logits the ticket learns, a folder or Hub id: any architecture and tokenizer; fine-tuned "
        "on the data first, unless its head has the data's labels; by default the dense model",
        "--teacher",
    )
    epochs: float | None = option(
        None, "passes over the training data; by default training.epochs, 3 or 5 times as many if structured", gt=0
    )
    learning_rate: float | None = option(
        None, "peak of the learning rate; by default training.learning_rate, structured tickets 3e-4", gt=0
    )
    temperature: float = option(2.0, "softens teacher's and student's distributions (Hinton et al. 2015)", gt=0)
    logits_weight: float = option(
        0.7, "weight of the soft loss (teacher's logits); the rest is the loss of the labels", ge=0, le=1
    )
    augment: int = option(0, "structured tickets: altered copies of each training text, labeled by the teacher", ge=0)
    unlabeled: str | None = option(
        None,
        "structured tickets: a file of texts without labels, one a line, labeled by the teacher; by default "
        "unlabeled.txt in the data's folder, if there is one; none: without",
        "--unlabeled",
    )
    relation_weight: float = option(
        0.0, "weight of the divergence between the last layers' token relations (MiniLMv2); 0: off", ge=0
    )
    hidden_weight: float = option(1.0, "weight of the relative squared distance between hidden states; 0: off", ge=0)

    @property
    def passes(self) -> float:
        """`epochs`, once `for_examples` has filled it in."""
        return filled_in(self.epochs)

    @property
    def peak(self) -> float:
        """`learning_rate`, once `for_examples` has filled it in."""
        return filled_in(self.learning_rate)


class QuantizeSection(Section):
    """How the program stores and multiplies weights."""

    scheme: Literal["int8", "int4", "none"] = option(
        "int8", "weights (embeddings too) as int8 or int4 with int8 activations per token, or fp32", "--quantize"
    )
    keep_int8: tuple[str, ...] = option(
        (),
        "int4: matrices that stay int8, by the names that pocket-ticket sensitivity prints; * stands for any letters",
    )
    aware_epochs: float = option(
        0, "structured tickets: last passes with weights rounded as the program stores them", ge=0
    )


class MeasureSection(Section):
    """What is measured on the exported programs."""

    lengths: tuple[int, ...] = option((12, 64), "numbers of tokens at which latency is measured, besides 12 and 64")
    threads: int = option(1, "threads of the runtime", "--threads", ge=1)
    rounds: int = option(20, "rounds of alternating measurements (10 runs of each program a round)", ge=3)
