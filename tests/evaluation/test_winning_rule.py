import numpy as np
import pytest

from compress.evaluation.statistics import paired_bootstrap
from compress.evaluation.winning_rule import judge, paired_sentence

STEPS = {"dense_steps": 100, "ticket_steps": 100}
DENSE = [0.90, 0.92, 0.91]  # mean 0.91, standard deviation 0.01


@pytest.mark.parametrize(
    ("ticket", "winning", "words"),
    [
        ([0.93, 0.92, 0.91], True, "as good as the dense model or better"),
        ([0.901, 0.901, 0.901], True, "within one standard deviation"),
        ([0.899, 0.899, 0.899], False, "Not a winning ticket"),
    ],
)
def test_the_papers_rule(ticket, winning, words):
    verdict = judge(DENSE, ticket, sparsity=0.6, **STEPS)
    assert verdict.winning is winning and words in verdict.sentence and "60.0%" in verdict.sentence


def test_where_lower_is_better_the_rule_is_mirrored():
    assert judge(DENSE, [0.8] * 3, sparsity=0.5, higher_is_better=False, **STEPS).winning
    verdict = judge(DENSE, [0.95] * 3, sparsity=0.5, higher_is_better=False, **STEPS)
    assert verdict.winning is False and "0.0400 worse" in verdict.sentence


def test_one_seed_and_a_longer_training_leave_it_open():
    one = judge([0.9], [0.95], sparsity=0.5, **STEPS)
    assert one.winning is None and "one seed" in one.reason and one.reason in one.sentence
    longer = judge(DENSE, DENSE, sparsity=0.5, dense_steps=100, ticket_steps=101)
    assert longer.winning is None and "101 steps" in longer.reason
    assert judge(DENSE, DENSE, sparsity=0.5, dense_steps=100, ticket_steps=99).winning


def test_paired_sentences():
    labels = np.arange(400) % 2
    dense, ticket = labels.copy(), labels.copy()
    accuracy = lambda p, y: float((p == y).mean())  # noqa: E731
    dense[:20], ticket[10:30] = 1 - dense[:20], 1 - ticket[10:30]
    equal = paired_bootstrap(ticket, dense, labels, accuracy)
    assert "can be chance" in paired_sentence(equal, 400)
    worse = labels.copy()
    worse[:80] = 1 - worse[:80]
    below = paired_sentence(paired_bootstrap(worse, dense, labels, accuracy), 400)
    assert "0.1500 below" in below and "more than the choice of examples" in below
