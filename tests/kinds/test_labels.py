"""Several labels a text: thresholds are the best there are, metrics are scikit-learn's, and each label is by itself."""

import random
import warnings
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import expit, logit
from sklearn import metrics as sklearn

from compress.data.task import Example, Task
from compress.evaluation.statistics import bootstrap, paired_bootstrap
from compress.kinds import TASK_TYPES
from compress.kinds.labels import Labels, exact_match, macro_f1, mean_average_precision, micro_f1
from compress.kinds.thresholds import FEWEST, best_threshold, label_thresholds
from compress.models.anatomy import classification_head_of
from compress.models.load import load_for
from compress.training.distillation import soft_binary_cross_entropy

KIND = TASK_TYPES["multilabel"]
NAMES = ("happy", "sad", "loud", "never")
WORDS = {"happy": "glad", "sad": "gloomy", "loud": "shouting"}


def examples(count: int, seed: int) -> tuple[Example, ...]:
    """Texts that name their labels by words; about one in eight has none, and none has the last label."""
    chance, found = random.Random(seed), []
    for _ in range(count):
        has = [chance.random() < 0.5 for _ in WORDS]
        words = [word for word, there in zip(WORDS.values(), has, strict=True) if there]
        found.append(Example(f"a {' and '.join(words)} thing", None, (*map(int, has), 0)))
    return tuple(found)


def task_of(train: int = 60) -> Task:
    return Task("t", "multilabel", "micro_f1", NAMES, examples(train, 0), examples(40, 1), examples(40, 2), "")


SOME = st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0])


@st.composite
def scored(draw: st.DrawFn, scores: st.SearchStrategy[float] = SOME):
    """Scores and truth (N, L), with ties, and with labels that all or no texts have."""
    shape = draw(st.integers(1, 30)), draw(st.integers(1, 4))
    return draw(arrays(np.float64, shape, elements=scores)), draw(arrays(np.int64, shape, elements=st.integers(0, 1)))


def f1(probabilities: np.ndarray, truth: np.ndarray, threshold: float) -> float:
    chosen = probabilities >= threshold
    counted = chosen.sum() + truth.sum()
    return 2 * (chosen & (truth > 0)).sum() / counted if counted else 0.0


@settings(deadline=None)
@given(scored(st.floats(0, 1)) | scored())
def test_no_other_threshold_is_better(given: tuple[np.ndarray, np.ndarray]) -> None:
    probabilities, truth = (part.ravel() for part in given)
    chosen = best_threshold(probabilities, truth)
    assert 0 <= chosen <= 1
    ends = np.unique(np.append(probabilities, 0.0))
    tried = [(a + b) / 2 for a, b in pairwise(ends) if b - a > 1.01e-2 * b * (1 - b)]
    assert f1(probabilities, truth, chosen) >= max((f1(probabilities, truth, t) for t in tried), default=0) - 1e-12


@settings(deadline=None)
@given(scored(st.sampled_from([0.01, 0.3, 0.5, 0.98])), st.integers(0, 99))
def test_noise_of_other_processors_changes_no_decision(given: tuple[np.ndarray, np.ndarray], seed: int) -> None:
    logits, truth = logit(given[0].ravel()), given[1].ravel()
    truth[0] = 1
    noise = np.random.default_rng(seed).uniform(-4e-3, 4e-3, size=(2, len(logits)))
    decisions = [p >= best_threshold(p, truth) for p in expit(logits + noise)]
    assert (decisions[0] == decisions[1]).all()


@settings(deadline=None)
@given(scored(st.floats(0, 1)))
def test_a_label_with_few_texts_has_the_common_threshold(given: tuple[np.ndarray, np.ndarray]) -> None:
    probabilities, truth = (np.tile(part, (2, 1)) for part in given)
    common = best_threshold(probabilities.ravel(), truth.ravel())
    for label, threshold in enumerate(label_thresholds(probabilities, truth)):
        own = truth[:, label].sum() >= FEWEST
        assert threshold == (best_threshold(probabilities[:, label], truth[:, label]) if own else common)


@settings(deadline=None)
@given(scored(st.sampled_from([-1.0, -0.5, 0.0, 0.5, 1.0])))
def test_metrics_are_scikit_learns(given: tuple[np.ndarray, np.ndarray]) -> None:
    margins, truth = given
    chosen, present = (margins >= 0).astype(int), truth.any(axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert micro_f1(margins, truth) == pytest.approx(sklearn.f1_score(truth.ravel(), chosen.ravel()))
        each = [sklearn.f1_score(truth[:, i], chosen[:, i]) for i in range(truth.shape[1])]
        occurring = present | chosen.any(axis=0)
        assert macro_f1(margins, truth) == pytest.approx(np.mean(each, where=occurring) if occurring.any() else 0.0)
        areas = [sklearn.average_precision_score(truth[:, i], margins[:, i]) for i in np.flatnonzero(present)]
        assert mean_average_precision(margins, truth) == pytest.approx(np.mean(areas) if areas else 0.0)
        assert exact_match(margins, truth) == pytest.approx(np.mean((chosen == truth).all(axis=1)))


@settings(deadline=None)
@given(scored(st.floats(-40, 40)), st.floats(0.5, 8))
def test_the_soft_loss_is_torchs_without_the_teachers_entropy(given, temperature: float) -> None:
    teacher, student = torch.tensor(given[0]), torch.tensor(given[0][::-1].copy() / 2, requires_grad=True)
    loss = soft_binary_cross_entropy(student, teacher, temperature)
    target = torch.sigmoid(teacher / temperature)
    cross = F.binary_cross_entropy_with_logits(student / temperature, target)
    [ours] = torch.autograd.grad(loss, student)
    [torchs] = torch.autograd.grad(cross * temperature**2, student)
    torch.testing.assert_close(ours, torchs)
    assert loss.item() >= -1e-9
    assert soft_binary_cross_entropy(teacher, teacher, temperature).item() == 0


def test_margins_keep_the_order_of_logits_and_dev_alone_decides_the_thresholds(tokenizer) -> None:
    task, random_ = task_of(), np.random.default_rng(0)
    splits = {s: KIND.encode(task.split(s), task, tokenizer, 32) for s in ("dev", "test")}
    logits = {s: random_.normal(size=(40, 4)).astype(np.float32) for s in splits}
    thresholds = KIND.threshold(logits["dev"], splits["dev"])
    settled = {split: KIND.decided(logits[split], thresholds) for split in splits}
    for split in splits:
        assert (logits[split].argsort(axis=0) == settled[split].argsort(axis=0)).all()
        assert ((1 / (1 + np.exp(-logits[split].astype(float))) >= thresholds) == (settled[split] >= 0)).all()
    assert KIND.score_on_dev(logits["dev"], splits["dev"], "micro_f1") == micro_f1(settled["dev"], splits["dev"].labels)
    assert KIND.agree(settled["dev"], settled["dev"], task).all()


def test_intervals_are_of_the_set_and_of_a_pair(tokenizer) -> None:
    task, random_ = task_of(), np.random.default_rng(0)
    test = KIND.encode(task.test, task, tokenizer, 32)
    good, bad = (
        (2 * test.labels - 1) * random_.choice([1, -1], size=test.labels.shape, p=[p, 1 - p]) for p in (1, 0.6)
    )
    for name, metric in Labels.metrics.items():
        found = bootstrap(bad, test.labels, metric, resamples=100)
        assert found.low < found.value < found.high, name
        assert paired_bootstrap(good, bad, test.labels, metric, resamples=100).low > 0, name


def test_a_models_loss_is_torchs_binary_cross_entropy(tokenizer, tiny_encoder) -> None:
    task = task_of()
    split = KIND.encode(task.dev, task, tokenizer, 32)
    model = load_for(task, str(tiny_encoder), max_tokens=32, seed=0)
    batch = KIND.collator(tokenizer)([split.rows[i] for i in range(len(split))])
    outputs = model(**batch)
    torch.testing.assert_close(outputs.loss, F.binary_cross_entropy_with_logits(outputs.logits, batch["labels"]))
    assert (batch["labels"].numpy() == split.labels).all() and not split.labels.all(axis=1).any()


@pytest.mark.parametrize("seed", range(3))
def test_a_fresh_head_answers_as_often_as_training_has_each_label(tokenizer, tiny_encoder, seed: int) -> None:
    train = tuple(replace(e, label=(*e.label_set, 1)) for e in examples(60, seed))
    task = replace(task_of(), labels=(*NAMES, "always"), train=train)
    model = load_for(task, str(tiny_encoder), max_tokens=32, seed=0)
    found = torch.sigmoid(classification_head_of(model).out.bias.detach()).numpy()
    shares = np.mean([e.label_set for e in train], axis=0)
    np.testing.assert_allclose(found[:3], shares[:3], atol=1e-6)
    assert shares[3:].tolist() == [0, 1] and found[3:] == pytest.approx([1 / 60, 59 / 60])


@pytest.mark.parametrize("change", ["none", "all have a label", "no words", "one label"])
def test_the_baseline_is_a_model_for_each_label(tokenizer, change: str) -> None:
    task = task_of()
    changed = {
        "none": lambda e: e,
        "all have a label": lambda e: Example(e.text_a, None, (*e.label_set[:3], 1)),
        "no words": lambda e: Example("…", None, e.label),
        "one label": lambda e: Example(e.text_a, None, e.label_set[:1]),
    }[change]
    rows = [tuple(map(changed, task.split(s))) for s in ("train", "dev", "test")]
    task = Task("t", "multilabel", "micro_f1", NAMES[: len(rows[0][0].label_set)], *rows, "")
    splits = {s: KIND.encode(task.split(s), task, tokenizer, 32) for s in ("dev", "test")}
    found = KIND.baseline_metric_inputs(task, splits)
    assert found["test"].shape == splits["test"].labels.shape and np.isfinite(found["test"]).all()
    if change != "no words":
        assert micro_f1(found["test"], splits["test"].labels) == 1.0


def test_unlabeled_texts_have_no_label_until_a_teacher_gives_some(tokenizer) -> None:
    task = task_of()
    assert not KIND.encode([Example("a thing", None, 0)], task, tokenizer, 32).labels.any()
    [soft] = KIND.pseudo_labels(np.array([[-1.0, 2.0, 0.5, -3.0]]))
    assert soft == pytest.approx((0.2689, 0.8808, 0.6225, 0.0474), abs=1e-4)
