"""Scores of whole units: what the loss would lose, and the choice by them."""

import copy

import pytest
import torch
from architectures import CONFIGS
from transformers import AutoModelForSequenceClassification

from compress.lottery.structured import UnitScores, choose_structure, taylor_scores
from compress.models.anatomy import layers_of


def test_the_best_units_of_the_first_layers_stay() -> None:
    scores = [UnitScores(torch.tensor([3.0, 1, 2, 4]), torch.tensor([1.0, 5, 2])) for _ in range(3)]
    structure = choose_structure(scores, layers=2, heads=0.5, neurons=0.1)
    assert structure.layers == (0, 1)
    assert structure.heads == ((0, 3), (0, 3))
    assert structure.neurons == ((1,), (1,))


@pytest.mark.parametrize("kind", CONFIGS)
def test_a_dead_unit_scores_zero_and_live_ones_do_not(kind: str) -> None:
    torch.manual_seed(0)
    model = AutoModelForSequenceClassification.from_config(copy.deepcopy(CONFIGS[kind])).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    layer = layers_of(model)[0]
    with torch.no_grad():
        layer.attention_output.weight[:, : layer.head_size] = 0  # nothing of head 0 is read
        for part in (layer.query, layer.key, layer.value):
            part.weight[: layer.head_size] = 0
            part.bias[: layer.head_size] = 0
        layer.feed_forwards[-1].outer.weight[:, 3] = 0
        layer.feed_forwards[-1].inner.weight[3] = 0
        layer.feed_forwards[-1].inner.bias[3] = 0
    ids = torch.randint(5, 50, (4, 9))
    losses = (model(input_ids=ids, labels=torch.tensor([0, 1, 0, 1])).loss for _ in range(2))
    scores = taylor_scores(model, losses)
    assert scores[0].heads[0] == 0
    assert scores[0].heads[1] > 0
    assert scores[0].neurons[3] == 0
    assert (scores[1].heads > 0).all()
    assert all(p.grad is None for p in model.parameters())
