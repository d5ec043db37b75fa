"""Texts over the limit: windows lose nothing, merging gives one prediction a text, and short texts stay as they are."""

import random
from itertools import pairwise

import numpy as np
import pytest

from compress.data.task import Answer, Example, Task
from compress.errors import RecipeError
from compress.kinds import TASK_TYPES
from compress.kinds.long_texts import HEAD, read, strategy_of, windows

WORDS = ("the", "plot", "unbelievably", "nonlinear", ";", "Łódź", ",", "東京", "antidisestablishmentarianism", "ok")
TAGS = ("O", "B-x", "I-x")


def sentence(random_: random.Random, length: int) -> str:
    return " ".join(random_.choice(WORDS) for _ in range(length))


def task_of(kind, examples: list[Example], labels: tuple[str, ...] = ()) -> Task:
    rows = tuple(examples)
    return Task("t", kind, "accuracy", labels, rows, rows, rows, "")


@pytest.mark.parametrize("room", [*range(1, 12), 126])
def test_windows_cover_every_token_with_overlap_and_end_at_the_last(room: int) -> None:
    for length in range(1, 6 * room):
        parts = windows(length, room)
        assert {t for part in parts for t in part} == set(range(length))
        assert parts[0].start == 0 and parts[-1].stop == length
        assert all(len(part) == min(room, length) for part in parts)
        assert all(b.start > a.start and a.stop - b.start >= room * 33 // 100 for a, b in pairwise(parts))


@pytest.mark.parametrize("pair", [False, True])
@pytest.mark.parametrize("strategy", ["cut", "head_tail", "windows"])
def test_rows_fit_and_short_texts_are_as_the_tokenizer_gives_them(tokenizer, strategy, pair: bool) -> None:
    random_ = random.Random(0)
    texts = [sentence(random_, random_.randint(1, 60)) for _ in range(60)]
    seconds = [sentence(random_, random_.randint(1, 60)) for _ in range(60)] if pair else None
    limit = 24
    rows = read((texts, seconds), tokenizer, limit, strategy)
    plain = tokenizer(texts, seconds, truncation="longest_first", max_length=limit)
    full = tokenizer(texts, seconds)["input_ids"]
    assert rows.long == tuple(i for i, ids in enumerate(full) if len(ids) > limit)
    assert 0 < len(rows.long) < len(texts)
    for row, text in enumerate(rows.text_of):
        ids = rows.inputs["input_ids"][row]
        assert ids == [full[text][p] for p in rows.positions[row]]
        assert len(ids) == min(limit, len(full[text]))
        assert (ids[0], ids[-1], ids.count(tokenizer.sep_token_id)) == (101, 102, 2 if pair else 1)
        if strategy == "cut" or text not in rows.long:
            assert all(rows.inputs[name][row] == plain[name][text] for name in rows.inputs)
    if strategy == "head_tail" and not pair:
        head = (limit - 2) * HEAD // 100
        for text in rows.long:
            ids, [row] = full[text], np.flatnonzero(rows.text_of == text)
            assert rows.inputs["input_ids"][row] == ids[: 1 + head] + ids[-1 - (limit - 2 - head) :]


def test_every_word_of_a_long_text_gets_the_label_of_its_best_window(tokenizer) -> None:
    random_, form = random.Random(1), TASK_TYPES["tokens"]
    examples = []
    for _ in range(40):
        length = random_.randint(1, 80)
        examples.append(Example(sentence(random_, length), None, tuple(random_.choices(range(3), k=length))))
    task = task_of("tokens", examples, TAGS)
    split = form.encode(examples, task, tokenizer, 32, "windows")
    assert split.windowed and len(split.long) < len(examples)
    logits = np.random.default_rng(0)
    of_row = [logits.normal(size=(len(ids), 3)).astype(np.float32) for ids in split.rows["input_ids"]]
    order = list(range(len(split)))
    random_.shuffle(order)
    found = form.gather(((row, of_row[row]) for row in order), split)
    full = form.encode(examples, task, tokenizer, 10_000)
    starts = read(([e.text_a for e in examples], None), tokenizer, 32, "windows").positions
    for text, rows in enumerate(split.rows_of()):
        for word, first in enumerate(full.places[text]):
            if first < 0:
                assert found[text, word] == 0
                continue
            holds = [row for row in rows if starts[row][1] <= first <= starts[row][-2]]
            best = max(holds, key=lambda row: min(first - starts[row][1], starts[row][-2] - first))
            place = first - starts[best][1] + 1
            assert found[text, word] == of_row[best][place].argmax()
    # a model that repeats the training labels is right everywhere: each word's label is trained, and found again
    truth = [np.eye(3, dtype=np.float32)[np.maximum(row, 0)] for row in split.rows["labels"]]
    merged = form.gather(enumerate(truth), split)
    counts = form.metric_inputs(merged, split)
    assert (counts[:, 0] == counts[:, 2]).all() and (counts[:, 1] == counts[:, 2]).all()


def test_an_answer_anywhere_in_a_long_passage_is_found(tokenizer) -> None:
    random_, form = random.Random(2), TASK_TYPES["qa"]
    examples = []
    for _ in range(60):
        words = sentence(random_, random_.randint(5, 90)).split()
        at = random_.randrange(len(words) - 1)
        passage, answer = " ".join(words), " ".join(words[at : at + 1])
        start = len(" ".join(words[:at])) + (at > 0)
        examples.append(Example("who drags ?", passage, (Answer(answer, start),)))
    task = task_of("qa", examples)
    split = form.encode(examples, task, tokenizer, 48, "windows")
    assert split.windowed

    def said(row: int) -> np.ndarray:
        """The logits of a model that repeats the training labels: [CLS] where the window has no answer."""
        logits = np.zeros((len(split.rows[row]["input_ids"]), 2), np.float32)
        logits[split.rows[row]["start_positions"], 0] = logits[split.rows[row]["end_positions"], 1] = 9
        return logits

    found = form.gather(((row, said(row)) for row in reversed(range(len(split)))), split)
    for example, (start, end) in zip(examples, found, strict=True):
        [answer] = example.answers
        assert (start, example.text_b[start:end]) == (answer.start, answer.text)
    cut = form.encode(examples, task, tokenizer, 48)
    lost = [i for i, end in enumerate(cut.rows["end_positions"]) if end == 0]
    assert lost and set(lost) <= set(cut.long)  # without windows answers are cut off


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_windows_vote_and_the_vote_of_one_is_its_own(tokenizer, kind) -> None:
    random_, form = random.Random(3), TASK_TYPES[kind]
    examples = [Example(sentence(random_, random_.randint(1, 60)), None, i % 2) for i in range(30)]
    split = form.encode(examples, task_of(kind, examples, ("a", "b")), tokenizer, 24, "windows")
    logits = np.random.default_rng(0).normal(size=(len(split), 2)).astype(np.float32)
    found = form.gather(enumerate(logits), split)
    for text, rows in enumerate(split.rows_of()):
        np.testing.assert_allclose(found[text], logits[rows].mean(axis=0), rtol=1e-6)
        assert len(rows) > 1 or (found[text] == logits[rows[0]]).all()
        assert all(split.rows[row]["labels"] == examples[text].label for row in rows)
    chosen = [7, 3, 20]
    part = split.only(chosen)
    rows = [row for text in chosen for row in split.rows_of()[text]]
    assert (form.gather(enumerate(logits[rows]), part) == found[chosen]).all()
    assert [chosen[i] for i in part.long] == [i for i in chosen if i in split.long]


def test_a_strategy_that_a_kind_can_not_have_is_refused() -> None:
    assert [strategy_of(kind, "auto") for kind in ("tokens", "qa", "classification", "pair", "mlm")] == [
        "windows",
        "windows",
        "cut",
        "cut",
        "cut",
    ]
    with pytest.raises(RecipeError, match="kind pair"):
        strategy_of("pair", "windows")
