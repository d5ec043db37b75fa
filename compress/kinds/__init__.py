"""The kinds of tasks: how each encodes its texts, what is kept of the outputs, and how predictions are scored.

Everything else (search, training, distillation, programs, report) is the same for all kinds and uses their `TaskType`.
"""

from compress.data.embeddings import form_of
from compress.data.task import Kind, Task
from compress.kinds.labels import Labels
from compress.kinds.masked import MaskedWords
from compress.kinds.no_answer import QuestionsOrNone
from compress.kinds.questions import Questions
from compress.kinds.sentences import Sentences
from compress.kinds.task_type import TaskType
from compress.kinds.tokens import Tokens
from compress.kinds.vector_scores import Neighbors, ScoredPairs, Search

_SENTENCES = Sentences()
TASK_TYPES: dict[Kind, TaskType] = {
    "classification": _SENTENCES,
    "pair": _SENTENCES,
    "regression": _SENTENCES,
    "pair_regression": _SENTENCES,
    "multilabel": Labels(),
    "tokens": Tokens(),
    "qa": Questions(),
    "mlm": MaskedWords(),
    "embedding": Search(),
}
_EMBEDDINGS: dict[str, TaskType] = {"pairs": ScoredPairs(), "search": Search(), "neighbors": Neighbors()}
_WITH_UNANSWERABLE = QuestionsOrNone()


def task_type_of(task: Task) -> TaskType:
    """The `TaskType` of a task: its kind's, or the one for questions of which some have no answer.

    Of embeddings it follows from what dev and test measure.
    """
    if task.kind == "embedding":
        return _EMBEDDINGS[form_of(task.dev)]
    return _WITH_UNANSWERABLE if task.with_unanswerable else TASK_TYPES[task.kind]
