"""A fine-tuned checkpoint keeps its head where its outputs are the data's labels by name, in any order or case."""

import copy
import random
from pathlib import Path

import pytest
import torch
from architectures import CONFIGS
from transformers import (
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
)

from compress.data.task import Example, Kind, Task
from compress.models.fused import divide_
from compress.models.head import rows_of
from compress.models.load import examine, load_for, named_by, notes_on

NAMES = ("kitchen", "Garden", "attic", "CELLAR", "front door")
HOW = {"max_tokens": 16, "seed": 0}
CASES = (str, str.lower, str.upper, str.title)


def task_of(labels: tuple[str, ...], kind: Kind = "classification", metric: str = "accuracy") -> Task:
    label = {"tokens": (0,), "regression": 0.5, "multilabel": (0,) * len(labels)}.get(kind, 0)
    examples = (Example("a", None, label), Example("b", None, label))
    return Task("rooms", kind, metric, labels, examples, examples, examples, "0")


def checkpoint(
    kind: str,
    folder: Path,
    names: tuple[str, ...] | None,
    auto: type = AutoModelForSequenceClassification,
    **more: object,
) -> torch.nn.Module:
    """A random model with a head, saved; `names` are those of its outputs."""
    torch.manual_seed(random.Random(str(folder)).randrange(1000))
    config = copy.deepcopy(CONFIGS[kind])
    if names is not None:
        config.id2label, config.label2id = dict(enumerate(names)), {name: i for i, name in enumerate(names)}
    for key, value in more.items():
        setattr(config, key, value)
    model = auto.from_config(config).eval()
    model.save_pretrained(folder)
    return divide_(model)


def logits(model: torch.nn.Module, seed: int) -> torch.Tensor:
    ids = torch.randint(2, 50, (5, 9), generator=torch.Generator().manual_seed(seed))
    with torch.inference_mode():
        return model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits


def is_own(model: torch.nn.Module, own: torch.nn.Module, order: list[int] | None = None) -> bool:
    """Whether `model` is the checkpoint, bit for bit, but for the order of its outputs; logits may round otherwise.

    A processor's kernels may add in another order for the last few columns of a matrix.
    """
    weights, expected = model.state_dict(), own.state_dict()
    width = own.num_labels
    last = [name for name, tensor in expected.items() if "embeddings" not in name and tensor.shape[0] == width]
    same = all(
        torch.equal(weights[name], tensor[order] if order and name in last else tensor)
        for name, tensor in expected.items()
    )
    reordered = logits(own, 1)[..., order] if order else logits(own, 1)
    return len(last) == 2 and same and torch.allclose(logits(model, 1), reordered, rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", CONFIGS)
@pytest.mark.parametrize("seed", range(4))
def test_a_heads_rows_come_in_the_order_of_the_datas_labels(kind: str, seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    names = tuple(rng.sample(NAMES, rng.randint(2, 5)))
    order = rng.sample(range(len(names)), len(names))
    spelled = rng.choice(CASES)
    own = checkpoint(kind, tmp_path, names)
    task = named_by(task_of(tuple(spelled(names[i]) for i in order)), str(tmp_path))
    assert task.labels == tuple(names[i] for i in order)
    model = load_for(task, str(tmp_path), **HOW)
    assert is_own(model, own, order)
    assert [model.config.id2label[i] for i in range(len(names))] == list(task.labels)
    assert examine(task, str(tmp_path), **HOW)[0].state == "kept"
    assert any("own head fits" in note for note in notes_on(task, str(tmp_path), **HOW))


@pytest.mark.parametrize("kind", ["bert", "distilbert"])
@pytest.mark.parametrize("seed", range(3))
def test_labels_of_words_are_matched_too(kind: str, seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    names = ("O", "B-x", "I-x", "B-y", "I-y")
    shuffled = tuple(rng.sample(names, 5))
    own = checkpoint(kind, tmp_path, shuffled, AutoModelForTokenClassification)
    model = load_for(named_by(task_of(names, "tokens", "entity_f1"), str(tmp_path)), str(tmp_path), **HOW)
    assert is_own(model, own, [shuffled.index(name) for name in names])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("made_up", [True, False])
def test_numbers_in_the_data_are_the_checkpoints_classes(made_up: bool, seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    count = rng.randint(2, 12)
    names = tuple(f"LABEL_{i}" if made_up else f"room {i * 7 % 13}" for i in range(count))
    own = checkpoint("bert", tmp_path, names)
    numbers = tuple(map(str, range(count)))
    data = rng.choice([numbers, tuple(sorted(numbers)), numbers[::-1]])  # "10" comes before "2" where they are sorted
    task = named_by(task_of(data), str(tmp_path))
    assert task.labels == (data if made_up else tuple(names[int(number)] for number in data))
    assert any("names its classes" in note for note in task.notes) != made_up
    assert is_own(load_for(task, str(tmp_path), **HOW), own, [int(number) for number in data])


@pytest.mark.parametrize("kind", CONFIGS)
@pytest.mark.parametrize("why", ["names", "number", "another head", "numbers of scores"])
def test_a_head_that_does_not_fit_is_new_and_said(kind: str, why: str, tmp_path: Path) -> None:
    labels = ("kitchen", "garden")
    if why == "names":
        checkpoint(kind, tmp_path, ("kitchen", "harbor"))
    elif why == "number":
        checkpoint(kind, tmp_path, None, num_labels=3)
    elif why == "another head":
        checkpoint(kind, tmp_path, labels, AutoModelForTokenClassification)
    else:
        checkpoint(kind, tmp_path, None, num_labels=1, problem_type="regression")
    task = named_by(task_of(labels), str(tmp_path))
    first, again = (load_for(task, str(tmp_path), **HOW) for _ in range(2))
    other = load_for(task, str(tmp_path), **{**HOW, "seed": 1})
    assert examine(task, str(tmp_path), **HOW)[0].state == "new" and task.labels == labels
    assert torch.equal(logits(first, 0), logits(again, 0)) and not torch.equal(logits(first, 0), logits(other, 0))
    notes = " ".join(notes_on(task, str(tmp_path), **HOW))
    assert "own head" not in notes
    if why in ("names", "number"):
        assert "a new head begins with random values" in notes


@pytest.mark.parametrize("seed", range(3))
def test_classes_that_the_data_lacks_are_kept_after_its_own(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    present = rng.sample(range(5), rng.randint(2, 4))
    own = checkpoint("bert", tmp_path, NAMES)
    task = named_by(task_of(tuple(NAMES[i] for i in present)), str(tmp_path))
    assert task.labels[: len(present)] == tuple(NAMES[i] for i in present) and set(task.labels) == set(NAMES)
    order = [NAMES.index(name) for name in task.labels]
    assert is_own(load_for(task, str(tmp_path), **HOW), own, order)
    assert any("the head keeps" in note for note in task.notes)


@pytest.mark.parametrize("kind", CONFIGS)
def test_heads_for_answers_and_numbers_are_kept(kind: str, tmp_path: Path) -> None:
    own = checkpoint(kind, tmp_path / "number", None, num_labels=1)
    task = task_of((), "regression", "pearson_spearman")
    assert examine(task, str(tmp_path / "number"), **HOW)[0].state == "kept"
    assert is_own(load_for(task, str(tmp_path / "number"), **HOW), own)
    checkpoint(kind, tmp_path / "qa", None, AutoModelForQuestionAnswering)
    assert examine(task_of((), "qa", "answer_f1"), str(tmp_path / "qa"), **HOW)[0].state == "kept"


@pytest.mark.parametrize("problem", [None, "single_label_classification", "multi_label_classification"])
def test_a_head_of_several_labels_a_text_is_not_one_of_classes(problem: str | None, tmp_path: Path) -> None:
    checkpoint("bert", tmp_path, ("kitchen", "garden"), problem_type=problem)
    state = examine(task_of(("garden", "kitchen")), str(tmp_path), **HOW)[0].state
    assert state == ("start" if problem and problem.startswith("multi") else "kept")


@pytest.mark.parametrize(
    ("labels", "names", "rows"),
    [
        (("a", "A"), ("A", "a"), (1, 0)),  # as written before without case
        (("a", "b"), ("A", "a"), None),
        (("b", "a"), ("A", "B"), (1, 0)),
        (("x", "X"), ("X", "y"), None),
        (("1", "0"), ("LABEL_0", "label_1"), (1, 0)),
        (("LABEL_1", "LABEL_0"), ("0", "1"), (1, 0)),
        ((" garden", "kitchen"), ("kitchen", "Garden "), (1, 0)),
    ],
)
def test_names_match_only_one_to_one(
    labels: tuple[str, ...], names: tuple[str, ...], rows: tuple[int, ...] | None
) -> None:
    assert rows_of(labels, names) == rows
