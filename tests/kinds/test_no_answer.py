"""Questions of which some have no answer: SQuAD v2.0's scores, the decision, its threshold, and how they are read."""

import json
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress.data.load import load_task
from compress.data.task import Answer, Example, Task
from compress.errors import DataError
from compress.kinds import TASK_TYPES, task_type_of
from compress.kinds.no_answer import best_threshold, scores_or_none
from compress.kinds.questions import LONGEST_ANSWER, scores
from compress.pipeline.stages.scoring import decided
from compress.recipe.sections import DataSection

WORDS = ("the", "plot", "drags", "again", "nonlinear", "ok", "Paris", "!")


def example(chance: random.Random, longest: int = 60) -> Example:
    words = chance.choices(WORDS, k=chance.randint(3, longest))
    passage, first = " ".join(words), chance.randrange(len(words))
    answer = " ".join(words[first : first + chance.randint(1, 3)])
    start = len(" ".join(words[:first])) + (first > 0)
    return Example("what drags ?", passage, (Answer(answer, start),) if chance.random() < 0.6 else ())


def task_of(chance: random.Random, metric: str = "answer_f1", count: int = 30) -> Task:
    rows = (Example("who ?", "nobody knows", ()), *(example(chance) for _ in range(count)))
    return Task("t", "qa", metric, (), rows, rows, rows, "")


@pytest.mark.parametrize(
    ("answer", "truths", "exact", "f1"),
    [
        ("", [], 1, 1),
        ("Paris", [], 0, 0),
        ("", ["Paris"], 0, 0),
        ("the", [], 1, 1),  # an answer of articles alone has no words
        ("", ["a"], 1, 1),  # as has such a truth
        ("the city of Paris", ["Paris", "a"], 0, 0.5),
    ],
)
def test_scores_are_the_official_ones(answer: str, truths: list[str], exact: float, f1: float) -> None:
    assert scores_or_none(answer, truths) == (exact, pytest.approx(f1))


@given(st.lists(st.sampled_from(WORDS), min_size=1), st.lists(st.sampled_from(WORDS[1:7]), min_size=1))
def test_an_answerable_question_is_scored_as_ever(answer: list[str], truths: list[str]) -> None:
    assert scores_or_none(" ".join(answer), truths) == scores(" ".join(answer), truths)


SCORE = st.sampled_from([0.0, 0.3, 1.0])


@given(st.lists(st.tuples(st.one_of(st.integers(-4, 4).map(float), st.just(np.inf)), SCORE, SCORE), min_size=1))
def test_no_other_threshold_is_better(rows: list[tuple[float, float, float]]) -> None:
    ahead, answered, left = np.array(rows).T

    def total(threshold: float) -> float:
        return float(np.where(ahead > threshold, left, answered).sum())

    best = max(total(t) for t in np.arange(-6, 6, 0.25))
    assert total(best_threshold(ahead, answered, left)) == pytest.approx(best)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("metric", ["answer_f1", "exact_match"])
def test_decisions_equal_a_search_of_every_window(seed: int, metric: str, tokenizer) -> None:
    """Whatever the windows: no answer is compared by its lowest sum, and dev's threshold is the best there is."""
    chance, random_logits = random.Random(seed), np.random.default_rng(seed)
    task = task_of(chance, metric)
    form = task_type_of(task)
    split = form.encode(task.dev, task, tokenizer, 24, "windows")
    assert split.windowed
    rows = [random_logits.normal(size=(len(ids), 2)).astype(np.float32) for ids in split.rows["input_ids"]]
    for of_row in rows:
        of_row[0] += chance.choice([0, 2, 4])
    raw = form.gather(enumerate(rows), split)

    def searched(text: int, threshold: float) -> str:
        spans, passage = [], task.dev[text].second
        for row in split.rows_of()[text]:
            logits, places = rows[row], split.places[row]
            for start in range(len(logits)):
                for end in range(start, min(start + LONGEST_ANSWER, len(logits))):
                    if places[start, 0] >= 0 and places[end, 0] >= 0:
                        spans.append((logits[start, 0] + logits[end, 1], passage[places[start, 0] : places[end, 1]]))
        none = min(rows[row][0].sum() for row in split.rows_of()[text])
        total, answer = max(spans, key=lambda span: span[0])
        return "" if none - total > threshold else answer

    def mean(answers: list[str]) -> float:
        pairs = [scores_or_none(a, [t.text for t in e.answers]) for a, e in zip(answers, task.dev, strict=True)]
        return float(np.mean(pairs, axis=0)[int(metric == "answer_f1")])

    threshold = float(form.threshold(raw, split)[0])
    answers = [searched(i, threshold) for i in range(len(task.dev))]
    assert {bool(answer) for answer in answers} == {True, False}
    assert form.score(form.decided(raw, np.array([threshold])), split, metric) == pytest.approx(mean(answers))
    tried = [mean([searched(i, t) for i in range(len(task.dev))]) for t in np.arange(-6, 6, 0.5)]
    assert form.score_on_dev(raw, split, metric) >= max(tried) - 1e-9


def test_training_points_at_the_first_token_where_there_is_no_answer(tokenizer) -> None:
    task = task_of(random.Random(1))
    split = task_type_of(task).encode(task.train, task, tokenizer, 24, "windows")
    pointed = np.array([split.rows["start_positions"], split.rows["end_positions"]]).T
    without = np.array([not task.train[i].answers for i in split.text_of])
    assert without.any() and (pointed[without] == 0).all()
    assert {i for i, (_, end) in zip(split.text_of, pointed, strict=True) if end} == {
        i for i, e in enumerate(task.train) if e.answers
    }


def test_the_threshold_of_dev_decides_on_test_and_models_agree_by_their_decisions() -> None:
    form = task_type_of(task_of(random.Random(0)))
    ours = np.array([[0, 3, 1.0], [0, 3, -1.0], [0, 3, -1.0], [0, 3, 1.0]])
    theirs = np.array([[5, 9, 0.5], [0, 3, -2.0], [4, 9, -1.0], [0, 3, -1.0]])
    assert form.agree(ours, theirs, None).tolist() == [True, True, False, False]
    assert form.decided(ours, np.array([2.0]))[:, 2].tolist() == [-1, -3, -3, -1]


def test_a_task_in_which_every_question_has_an_answer_is_as_it_was(tokenizer) -> None:
    rows = (Example("who ?", "Bob knows", (Answer("Bob", 0),)),)
    task = Task("t", "qa", "answer_f1", (), rows, rows, rows, "")
    form = task_type_of(task)
    assert form is TASK_TYPES["qa"]
    split = form.encode(rows, task, tokenizer, 24)
    predictions = {"dev": form.gather([(0, np.zeros((len(split.rows[0]["input_ids"]), 2)))], split)}

    class Read:
        task_type, splits = form, {"dev": split}

    assert decided(predictions, Read).keys() == {"dev"} and predictions["dev"].shape == (1, 2)


def test_the_baseline_leaves_questions_without_an_answer(tokenizer) -> None:
    chance = random.Random(0)
    rows = []
    for i in range(60):
        word, other = chance.sample(["red", "blue", "green", "pink", "gray"], 2)
        passage = f"It is {word} . Nobody saw it ."
        asked = word if i % 2 else other
        rows.append(Example(f"is it {asked} ?", passage, (Answer(f"It is {word} .", 0),) if i % 2 else ()))
    task = Task("t", "qa", "answer_f1", (), tuple(rows), tuple(rows), tuple(rows), "")
    form = task_type_of(task)
    split = form.encode(rows, task, tokenizer, 24)
    found = form.baseline_metric_inputs(task, {"dev": split, "test": split})
    assert found["test"].mean() == 1


def written(rows: list[dict], form: str, folder: Path) -> None:
    for split in ("train", "dev", "test"):
        if form == "squad":
            paragraphs = [{"context": r["context"], "qas": [{k: r[k] for k in r if k != "context"}]} for r in rows]
            (folder / f"{split}.json").write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}))
        else:
            (folder / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def rows_of(chance: random.Random, form: str, marked: bool) -> list[dict]:
    rows = []
    for e in [Example("who ?", "nobody", ()), *(example(chance) for _ in range(20))]:
        answers = [{"text": a.text, "answer_start": a.start} for a in e.answers]
        lists = {key: [a[key] for a in answers] for key in ("text", "answer_start")}
        row = {
            "question": f"{e.text_a} {len(rows)}",
            "context": e.text_b,
            "answers": lists if form == "datasets" else answers,
        }
        rows.append(row | ({"is_impossible": not answers} if marked else {}))
    return rows


@pytest.mark.parametrize("marked", [True, False])
@pytest.mark.parametrize("form", ["squad", "jsonl", "datasets"])
def test_questions_without_an_answer_are_read(form: str, marked: bool, tmp_path: Path) -> None:
    rows = rows_of(random.Random(2), form, marked)
    written(rows, form, tmp_path)
    task = load_task(DataSection(source=str(tmp_path)), seed=0)
    assert task.with_unanswerable
    assert [bool(e.answers) for e in task.train] == [
        bool(r["answers"]["text"] if form == "datasets" else r["answers"]) for r in rows
    ]


@pytest.mark.parametrize("has_answers", [True, False])
def test_a_mark_that_the_answers_contradict_is_refused(has_answers: bool, tmp_path: Path) -> None:
    rows = rows_of(random.Random(2), "jsonl", True)
    wrong = next(i for i, row in enumerate(rows) if bool(row["answers"]) == has_answers)
    rows[wrong]["is_impossible"] = has_answers
    written(rows, "jsonl", tmp_path)
    with pytest.raises(DataError, match=f"is_impossible is {has_answers}, but the question has"):
        load_task(DataSection(source=str(tmp_path)), seed=0)


def test_a_task_without_any_answer_is_refused(tmp_path: Path) -> None:
    written([{"question": "who ?", "context": "nobody", "answers": []}] * 5, "squad", tmp_path)
    with pytest.raises(DataError, match="no training question has an answer"):
        load_task(DataSection(source=str(tmp_path)), seed=0)


def test_real_questions_are_read_and_half_have_no_answer(shared_data: Path) -> None:
    task = load_task(DataSection(source=str(shared_data / "squad2"), train_limit=200, eval_limit=200), seed=0)
    counts = [sum(not e.answers for e in rows) for rows in (task.train, task.dev, task.test)]
    assert all(0.3 < count / 200 < 0.7 for count in counts)
