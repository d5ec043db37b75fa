"""The kinds of tasks: how each encodes its texts, what is kept of the outputs, and how predictions are scored.

Everything else (search, training, distillation, programs, report) is the same for all kinds and uses their `TaskType`.
"""

from compress.data.task import Kind
from compress.kinds.masked import MaskedWords
from compress.kinds.questions import Questions
from compress.kinds.sentences import Sentences
from compress.kinds.task_type import TaskType
from compress.kinds.tokens import Tokens

_SENTENCES = Sentences()
TASK_TYPES: dict[Kind, TaskType] = {
    "classification": _SENTENCES,
    "pair": _SENTENCES,
    "regression": _SENTENCES,
    "pair_regression": _SENTENCES,
    "tokens": Tokens(),
    "qa": Questions(),
    "mlm": MaskedWords(),
}
