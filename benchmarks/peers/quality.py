"""What the programs answer: how far their logits are from eager PyTorch's, and how often they are right on test."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.peers.engines import Engine
from benchmarks.peers.models import MAX_TOKENS, Subject
from compress.errors import DataError


@dataclass(frozen=True)
class Test:
    """A model's test split: token ids of each text, special tokens included, and class indices (N,)."""

    name: str
    texts: list[list[int]]
    labels: np.ndarray


def differences(engines: Mapping[str, Engine], reference: Engine, texts: Sequence[Sequence[int]]) -> dict[str, float]:
    """Name → the largest absolute difference from the reference's logits (N, L) over the texts."""
    wanted = answers(reference, texts)
    return {name: float(np.abs(answers(engine, texts) - wanted).max()) for name, engine in engines.items()}


def answers(engine: Engine, texts: Sequence[Sequence[int]]) -> np.ndarray:
    """Logits (N, L), fp32, text by text."""
    return np.stack([np.array(engine.prepare(ids)(), np.float32) for ids in texts])


def read_test(subject: Subject, data: Path) -> Test:
    """The test split of a data folder as the model reads it.

    Raises DataError for data of other classes than the model's, or that is not one text with a class.
    """
    from compress.data.load import load_task
    from compress.files import read_json
    from compress.kinds.encode import encode
    from compress.models.load import load_tokenizer
    from compress.recipe.sections import DataSection

    task = load_task(DataSection(source=str(data)), seed=0)
    if task.kind != "classification":
        raise DataError(f"it is a task of kind {task.kind}", where=str(data), remedy="give texts with classes")
    names = read_json(subject.folder / "config.json")["id2label"]
    known = tuple(names[str(number)] for number in range(len(names)))
    if known != task.labels:
        raise DataError(
            f"its classes are {', '.join(task.labels)}, those of the {subject.name} model {', '.join(known)}",
            where=str(data),
            remedy=f"give a model trained on it with --{subject.name}",
        )
    split = encode(task.test, task, load_tokenizer(str(subject.folder)), MAX_TOKENS)
    return Test(task.name, [row["input_ids"] for row in split.inputs()], split.labels)


def score(engine: Engine, test: Test, expected: np.ndarray) -> dict[str, float] | str:
    """Accuracy and how often the answer is eager's (classes `expected` (N,)), as shares; or why there is none."""
    if engine.longest is None:
        return "not run"
    longest = max(map(len, test.texts))
    if longest > engine.longest:
        return f"no file for {longest} tokens"
    found = answers(engine, test.texts).argmax(1)
    return {"accuracy": float((found == test.labels).mean()), "as_eager": float((found == expected).mean())}
