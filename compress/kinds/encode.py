"""A task as one tokenizer reads it."""

from collections.abc import Sequence
from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from compress.data.task import SPLITS, Example, Task
from compress.kinds import task_type_of
from compress.kinds.long_texts import Strategy
from compress.kinds.task_type import Encoded, TaskType


def encode(
    examples: Sequence[Example],
    task: Task,
    tokenizer: PreTrainedTokenizerBase,
    max_tokens: int,
    long: Strategy = "cut",
) -> Encoded:
    """Tokenize a split as the task's kind needs it."""
    return task_type_of(task).encode(examples, task, tokenizer, max_tokens, long)


@dataclass(frozen=True)
class Texts:
    """A task as one tokenizer reads it: its three splits."""

    tokenizer: PreTrainedTokenizerBase
    splits: dict[str, Encoded]
    task_type: TaskType

    @classmethod
    def of(cls, task: Task, tokenizer: PreTrainedTokenizerBase, max_tokens: int, long: Strategy = "cut") -> "Texts":
        """Encode every split."""
        splits = {s: encode(task.split(s), task, tokenizer, max_tokens, long) for s in SPLITS}
        return cls(tokenizer, splits, task_type_of(task))
