"""Answers in passages: the official scores, the best span, and the span that training points at."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compress.data.load import load_task
from compress.data.task import Answer, Example, Task
from compress.kinds import TASK_TYPES
from compress.kinds.questions import LONGEST_ANSWER, best_span, scores
from compress.recipe.sections import DataSection

FORM = TASK_TYPES["qa"]


def task_of(*examples: Example) -> Task:
    return Task("t", "qa", "answer_f1", (), examples, examples, examples, "")


@pytest.mark.parametrize(
    ("given_answer", "truths", "exact", "f1"),
    [
        ("The Eiffel Tower!", ["eiffel tower"], 1, 1),
        ("the tower in Paris", ["Eiffel Tower", "tower"], 0, 0.5),  # tower in paris / tower
        ("a b c", ["c d"], 0, 0.5),  # the article a goes
        ("nothing", ["c d"], 0, 0),
    ],
)
def test_scores_are_the_official_ones(given_answer: str, truths: list[str], exact: float, f1: float) -> None:
    assert scores(given_answer, truths) == (exact, pytest.approx(f1))


@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=1, max_size=60))
def test_the_best_span_is_the_best_of_all(logits: list[tuple[int, int]]) -> None:
    starts, ends = (np.array(column, np.float32) for column in zip(*logits, strict=True))
    spans = [(s, e) for s in range(len(starts)) for e in range(s, min(s + LONGEST_ANSWER, len(starts)))]
    assert best_span(starts, ends) == max(spans, key=lambda span: (starts[span[0]] + ends[span[1]], -span[0], -span[1]))


def said(split, index: int) -> np.ndarray:
    """Logits (T, 2) that point at what training points at."""
    row = split.rows[index]
    logits = np.zeros((len(row["input_ids"]), 2), np.float32)
    logits[row["start_positions"], 0] = logits[row["end_positions"], 1] = 9
    return logits


def test_an_answer_that_is_cut_off_points_at_nothing(tokenizer) -> None:
    passage = "one two three four five six seven"
    example = Example("what?", passage, (Answer("seven", passage.index("seven")),))
    split = FORM.encode([example], task_of(example), tokenizer, 9)
    assert len(split.long) == 1
    assert (split.rows[0]["start_positions"], split.rows[0]["end_positions"]) == (0, 0)
    assert FORM.metric_inputs(FORM.prediction(said(split, 0), split, 0)[None], split).tolist() == [[0, 0]]


def test_real_answers_are_found_again(tokenizer, shared_data: Path) -> None:
    task = load_task(DataSection(source=str(shared_data / "squad"), train_limit=300, eval_limit=300), seed=0)
    assert (task.kind, task.metric, len(task.dev), len(task.test)) == ("qa", "answer_f1", 300, 300)
    assert any("the places of their answers are a guess" in note for note in task.notes)
    split = FORM.encode(task.train, task, tokenizer, 384)
    predictions = np.stack([FORM.prediction(said(split, i), split, i) for i in range(len(split))])
    inside = np.array(split.rows["end_positions"]) > 0
    assert inside.mean() > 0.97
    rows = FORM.metric_inputs(predictions, split)[inside]
    # a few answers end within a word piece, or are longer than thirty tokens
    assert rows[:, 0].mean() > 0.97 and rows[:, 1].mean() > 0.99


def test_padding_has_no_share_in_a_distribution() -> None:
    logits, mask = torch.randn(2, 5, 2), torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]])
    rows = FORM.distributions(logits, mask).softmax(dim=-1)
    assert rows.shape == (4, 5)
    torch.testing.assert_close(rows[0, :3], logits[0, :3, 0].softmax(dim=0))
    torch.testing.assert_close(rows[3], logits[1, :, 1].softmax(dim=0))
    assert bool((rows[:2, 3:] == 0).all())
