"""The app reads long texts as Python does: the same windows, and the same answers merged of their outputs."""

import json
import random
from pathlib import Path

import numpy as np
import pytest

from compress.data.task import Answer, Example, Task
from compress.kinds import task_type_of
from compress.kinds.long_texts import as_entry
from compress.kinds.tokens import entities
from compress.models.load import load_tokenizer
from mobile_export.bundle.tokenization import describe_tokenizer

pytestmark = pytest.mark.slow

WORDS = ("the", "plot", "unbelievably", "nonlinear", "Łódź", "antidisestablishmentarianism", "ok", "drags", "again")
LABELS = ("O", "B-x", "I-x")
THRESHOLDS = np.array([0.3, 0.5, 0.7])  # as LongTextsTest has them
PLAN = (
    ("tokens", "windows"),
    ("qa", "windows"),
    ("qa", "cut"),
    ("qa or none", "windows"),
    ("qa or none", "cut"),
    ("classification", "windows"),
    ("classification", "head_tail"),
    ("classification", "cut"),
    ("multilabel", "windows"),
    ("multilabel", "cut"),
    ("regression", "windows"),
    ("pair", "cut"),
)


def cases(folder: Path) -> list[dict]:
    """Random texts of each kind and strategy with random logits, and what Python makes of them."""
    found, tokenizer = [], load_tokenizer(str(folder))
    chance, logits = random.Random(0), np.random.default_rng(0)
    for name, strategy in PLAN:
        examples = [_example(name, chance) for _ in range(40)]
        kind, rows = name.removesuffix(" or none"), tuple(examples)
        task = Task("t", kind, "accuracy", LABELS, rows, rows, rows, "")
        form = task_type_of(task)
        limit = chance.choice([12, 24, 33])
        split = form.encode(examples, task, tokenizer, limit, strategy)
        columns = {"tokens": 3, "classification": 3, "multilabel": 3, "pair": 3, "regression": 1, "qa": 2}[kind]
        ids = split.rows["input_ids"]
        shapes = [(len(row), columns) if kind in ("tokens", "qa") else (columns,) for row in ids]
        of_row = [logits.normal(size=shape).astype(np.float32) for shape in shapes]
        predictions = form.gather(enumerate(of_row), split)
        threshold = float(np.median(predictions[:, 2])) if task.with_unanswerable else None
        predictions = form.decided(predictions, THRESHOLDS if kind == "multilabel" else threshold)
        for i, (example, of_text) in enumerate(zip(examples, split.rows_of(), strict=True)):
            outputs = [of_row[r].T.tolist() if kind == "qa" else [of_row[r].ravel().tolist()] for r in of_text]
            found.append(
                {
                    "kind": kind,
                    "no_answer_threshold": threshold,
                    **as_entry(strategy),
                    "a": example.text_a,
                    "b": example.text_b,
                    "max": limit,
                    "ids": [ids[r] for r in of_text],
                    "outputs": outputs,
                    "answer": _answer(kind, example, predictions[i]),
                }
            )
    return found


def _example(kind: str, chance: random.Random) -> Example:
    def text(longest: int) -> str:
        return " ".join(chance.choices(WORDS, k=chance.randint(1, longest)))

    if kind.startswith("qa"):
        passage = text(40)
        answers = (Answer(passage.split(" ")[0], 0),)
        return Example(text(8), passage, () if kind == "qa or none" and chance.random() < 0.5 else answers)
    words = text(50)
    if kind == "multilabel":
        return Example(words, None, (0, 0, 0))
    label = tuple(0 for _ in words.split(" ")) if kind == "tokens" else 0
    return Example(words, text(50) if kind == "pair" else None, label)


def _answer(kind: str, example: Example, prediction: np.ndarray) -> list:
    if kind == "qa":
        start, end = map(int, prediction[:2])
        return [] if len(prediction) == 3 and prediction[2] > 0 else [example.text_b[start:end], start]
    if kind == "regression":
        return [float(prediction[0])]
    if kind == "multilabel":  # margins over the thresholds
        probabilities = prediction + THRESHOLDS
        order = [i for i in np.argsort(-probabilities, kind="stable") if prediction[i] >= 0]
        return [[LABELS[i] for i in order], probabilities.tolist()]
    if kind != "tokens":
        return [LABELS[prediction.argmax()]]
    words = example.text_a.split(" ")
    ends = np.cumsum([len(word) + 1 for word in words]) - 1
    tags = [LABELS[label] for label in prediction[: len(words)]]
    return [f"{ends[a] - len(words[a])} {ends[b - 1]} {label}" for a, b, label in entities(tags)]


def test_windows_and_answers_equal_pythons(compiled, tokenizer_folder: Path, tmp_path: Path) -> None:
    found, file = cases(tokenizer_folder), tmp_path / "cases.jsonl"
    described = describe_tokenizer(tokenizer_folder)
    (tmp_path / described.file).write_bytes(described.data)
    head = {"tokenizer": described.settings, "file": str(tmp_path / described.file), "count": len(found)}
    file.write_text("".join(json.dumps(line) + "\n" for line in (head, *found)), encoding="utf-8")
    assert {len(case["ids"]) > 1 for case in found if case["strategy"] == "windows"} == {True, False}
    assert {bool(case["answer"]) for case in found if case["no_answer_threshold"] is not None} == {True, False}
    said = compiled.run("org.pocketticket.textmodel.engine.LongTextsTest", {"pocketticket.cases": file})
    assert f"compared {len(found)} texts" in said
