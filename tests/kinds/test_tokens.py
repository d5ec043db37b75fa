"""Words, pieces and entities: what is labeled is what is found again, by us and by a program that knows no words."""

from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

from compress.data.load import load_task
from compress.data.task import Example, Task
from compress.kinds import TASK_TYPES
from compress.kinds.tokens import entities, entity_f1
from compress.recipe.sections import DataSection

from .conftest import one_hot

LABELS = ("O", "B-loc", "I-loc", "B-per", "I-per")
FORM = TASK_TYPES["tokens"]


def task_of(*examples: Example) -> Task:
    rows = tuple(examples)
    return Task("t", "tokens", "entity_f1", LABELS, rows, rows, rows, "")


def tagged(text: str, tags: str) -> Example:
    return Example(text, None, tuple(LABELS.index(tag) for tag in tags.split()))


HARD = (
    tagged("@ada_l met O'Neil-Smith in St. Louis/Mo. !", "B-per O B-per O B-loc I-loc O"),
    tagged("don't 👍🏽 go to 東京 ... ok", "O O O O B-loc O O"),
    tagged("Ada Bob \u200b Rome", "B-per B-per O B-loc"),
)


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        ("O B-per I-per O", [(1, 3, "per")]),
        ("B-per B-per", [(0, 1, "per"), (1, 2, "per")]),
        ("I-loc I-loc O I-per", [(0, 2, "loc"), (3, 4, "per")]),  # stray ones begin an entity
        ("B-per I-loc", [(0, 1, "per"), (1, 2, "loc")]),
        ("O O", []),
    ],
)
def test_entities_of_tags(tags: str, found: list) -> None:
    assert list(entities(tags.split())) == found


def test_entity_f1_counts_whole_entities() -> None:
    assert entity_f1(np.array([[1, 2, 3], [1, 1, 1]]), np.empty(2)) == pytest.approx(
        2 * (2 / 3) * (1 / 2) / (2 / 3 + 1 / 2)
    )
    assert entity_f1(np.array([[0, 0, 0]]), np.empty(1)) == 0.0


def answered(split) -> np.ndarray:
    """The predictions of a model that repeats the training labels, and gives B-per where there is none."""
    rows = [[LABELS.index("B-per") if i < 0 else i for i in row] for row in split.rows["labels"]]
    return np.stack([FORM.prediction(one_hot(row, len(LABELS)), split, i) for i, row in enumerate(rows)])


def test_what_is_labeled_is_found_again(tokenizer) -> None:
    split = FORM.encode(HARD, task_of(*HARD), tokenizer, 64)
    # a zero-width character has no piece: its word is answered with O, which it is
    np.testing.assert_array_equal(answered(split), split.labels)
    assert FORM.score(answered(split), split, "entity_f1") == 1.0


def test_words_that_are_cut_off_are_answered_with_none(tokenizer) -> None:
    example = tagged("one two three four Rome", "O O O O B-loc")
    split = FORM.encode([example, *HARD], task_of(example, *HARD), tokenizer, 5)
    assert len(split.long) == 3
    assert answered(split)[0].tolist()[:5] == [0, 0, 0, 0, 0]
    assert FORM.metric_inputs(answered(split), split)[0].tolist() == [0, 0, 1]


def test_a_program_that_knows_no_words_finds_the_same_entities(tokenizer) -> None:
    """The app groups pieces into the tokenizer's own words and takes the first piece's label of each."""
    split = FORM.encode(HARD, task_of(*HARD), tokenizer, 64)
    for i, example in enumerate(HARD):
        encoded = tokenizer(example.text_a, return_offsets_mapping=True)
        parts = [p for p in range(len(encoded["input_ids"])) if encoded.word_ids()[p] is not None]
        words = [list(group) for _, group in groupby(parts, key=lambda p: encoded.word_ids()[p])]
        tags = [LABELS[split.rows["labels"][i][word[0]]] for word in words]
        offsets = encoded["offset_mapping"]
        found = [example.text_a[offsets[words[a][0]][0] : offsets[words[b - 1][-1]][1]] for a, b, _ in entities(tags)]
        own = example.text_a.split(" ")
        wanted = [" ".join(own[a:b]) for a, b, _ in entities([LABELS[j] for j in example.label])]
        assert found == wanted


def test_real_entities_are_found_again(tokenizer, shared_data: Path) -> None:
    task = load_task(DataSection(source=str(shared_data / "wnut17")), seed=0)
    assert (task.kind, task.metric, len(task.labels), len(task.test)) == ("tokens", "entity_f1", 13, 1287)
    split = FORM.encode(task.test, task, tokenizer, 128)
    outside = task.labels.index("O")
    rows = [[outside if i < 0 else i for i in row] for row in split.rows["labels"]]
    predictions = np.stack([FORM.prediction(one_hot(row, 13), split, i) for i, row in enumerate(rows)])
    assert FORM.score(predictions, split, "entity_f1") > 0.999
    baseline = FORM.baseline_metric_inputs(task, {"dev": FORM.encode(task.dev, task, tokenizer, 128), "test": split})
    assert 0.01 < entity_f1(baseline["test"], split.labels) < 0.4  # emerging entities: most were never seen
