"""Scores of whole units: what the loss would lose, and the choice by them."""

import copy
from collections.abc import Callable

import pytest
import torch
from architectures import CONFIGS, made, with_layers
from transformers import AutoModelForSequenceClassification

from compress.models.anatomy import first_with_its_weights, layers_of
from compress.models.architectures import ARCHITECTURES, architecture_of
from compress.models.surgery import full_structure, remove
from compress.models.surgery import with_layers as only_layers
from compress.shrink.units import (
    UnitScores,
    choose_layers,
    choose_structure,
    magnitude_scores,
    random_scores,
    taylor_scores,
    trials,
)


def test_the_best_units_of_the_layers_stay() -> None:
    scores = [UnitScores(torch.tensor([3.0, 1, 2, 4]), torch.tensor([1.0, 5, 2])) for _ in range(3)]
    structure = choose_structure(scores, layers=[0, 2], heads=[2, 2], neurons=[1, 1])
    assert structure.layers == (0, 2)
    assert structure.heads == ((0, 3), (0, 3))
    assert structure.neurons == ((1,), (1,))


@pytest.mark.parametrize("kind", CONFIGS)
def test_a_dead_unit_scores_zero_and_live_ones_do_not(kind: str) -> None:
    torch.manual_seed(0)
    model = made(AutoModelForSequenceClassification, copy.deepcopy(CONFIGS[kind]))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    layer = layers_of(model)[0]
    with torch.no_grad():
        layer.attention_output.weight[:, : layer.head_size] = 0  # nothing of head 0 is read
        for part in (layer.query, layer.key, layer.value):
            part.weight[: layer.head_size] = 0
            if part.bias is not None:
                part.bias[: layer.head_size] = 0
        layer.feed_forwards[-1].outer.weight[:, 3] = 0
        layer.feed_forwards[-1].inner.weight[3] = 0
        if layer.feed_forwards[-1].inner.bias is not None:
            layer.feed_forwards[-1].inner.bias[3] = 0
    ids = torch.randint(5, 50, (4, 9))
    losses = (model(input_ids=ids, labels=torch.tensor([0, 1, 0, 1])).loss for _ in range(2))
    scores = taylor_scores(model, losses)
    assert scores[0].heads[0] == 0
    assert scores[0].heads[1] > 0
    assert scores[0].neurons[3] == 0
    shared = first_with_its_weights(layers_of(model))[1] == 0
    assert (scores[1].heads > 0).all() or (shared and torch.equal(scores[1].heads, scores[0].heads))
    assert all(p.grad is None for p in model.parameters())


def test_magnitude_ranks_units_by_their_weights_and_random_by_nothing() -> None:
    torch.manual_seed(0)
    model = made(AutoModelForSequenceClassification, copy.deepcopy(CONFIGS["bert"]))
    layer = layers_of(model)[1]
    with torch.no_grad():
        layer.value.weight[: layer.head_size] += 5
        layer.feed_forwards[-1].outer.weight[:, 7] += 5
    scores = magnitude_scores(model)
    assert scores[1].heads.argmax() == 0 and scores[1].neurons.argmax() == 7
    first, again, other = (random_scores(model, seed) for seed in (0, 0, 1))
    assert all(torch.equal(a.neurons, b.neurons) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0].neurons, other[0].neurons)


@pytest.mark.parametrize(("kept", "expected"), [(6, (0, 1, 2, 3, 4, 5)), (3, (1, 3, 5)), (2, (2, 5)), (1, (5,))])
def test_layers_with_the_same_weights_go_evenly(kept: int, expected: tuple[int, ...]) -> None:
    model = made(AutoModelForSequenceClassification, with_layers("albert", 6))
    assert choose_layers(model, kept, [lambda: pytest.fail("nothing needs to be tried")]) == expected


def test_random_scores_are_the_same_wherever_weights_are() -> None:
    model = made(AutoModelForSequenceClassification, copy.deepcopy(CONFIGS["albert"]))
    first, second = random_scores(model, 0)
    assert torch.equal(first.heads, second.heads) and torch.equal(first.neurons, second.neurons)


def four_layers(kind: str) -> torch.nn.Module:
    torch.manual_seed(0)
    model = made(AutoModelForSequenceClassification, with_layers(kind, 4))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return model


def one_by_one(model: torch.nn.Module, count: int, losses: list[Callable[[], float]]) -> tuple[int, ...]:
    """The same choice with every layer computed for every batch."""
    kept = tuple(range(len(layers_of(model))))
    while len(kept) > count:
        mean = {}
        for gone in kept[architecture_of(model).norm_first :]:
            rest = tuple(i for i in kept if i != gone)
            with only_layers(model, rest):
                mean[rest] = sum(loss() for loss in losses)
        kept = min(mean, key=mean.__getitem__)
    return kept


@torch.inference_mode()
@pytest.mark.parametrize("kind", [kind for kind, row in ARCHITECTURES.items() if not row.shares_layers])
def test_layers_are_chosen_as_if_all_were_computed_and_the_model_stays(kind: str) -> None:
    """Batches that are alike: a race can't lose the best. The trials are counted, and their losses are the same."""
    model = four_layers(kind)
    ids, labels, seen = torch.randint(5, 50, (8, 9)), torch.arange(8) % 2, []

    def loss() -> float:
        seen.append(float(model(input_ids=ids, labels=labels).loss))
        return seen[-1]

    before = model(input_ids=ids).logits
    for count in (3, 2, 1):
        wanted, slowly = one_by_one(model, count, [loss]), set(seen)
        seen.clear()
        steps: list[int] = []
        assert choose_layers(model, count, [loss] * 5, steps.append) == wanted
        assert sum(steps) <= trials(4, count, 5)  # where the first layer stays, fewer
        assert slowly <= set(seen)
        seen.clear()
    assert torch.equal(model(input_ids=ids).logits, before)


@torch.inference_mode()
def test_a_layer_that_looks_best_on_the_first_batches_alone_stays() -> None:
    model, disagreed = AutoModelForSequenceClassification.from_config(copy.deepcopy(CONFIGS["bert"])).eval(), 0
    for seed in range(40):
        torch.manual_seed(seed)
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
        batches = torch.randint(5, 50, (7, 1, 9))
        losses = [lambda ids=ids: float(model(input_ids=ids, labels=torch.tensor([0])).loss) for ids in batches]
        everywhere = one_by_one(model, 1, losses)
        assert choose_layers(model, 1, losses) == everywhere  # of two layers both are tried on all batches
        disagreed += one_by_one(model, 1, losses[::4]) != everywhere
    assert disagreed  # so that the race had something to lose


def test_a_choice_within_a_choice_is_one_of_the_unpruned_model() -> None:
    """Cutting twice, with indices into what is left, is cutting once with their translation."""
    torch.manual_seed(0)
    config = copy.deepcopy(CONFIGS["bert"])
    model = made(AutoModelForSequenceClassification, config)
    heads, neurons = len(full_structure(model).heads[0]), len(full_structure(model).neurons[0])
    first = choose_structure(random_scores(model, 0), layers=[1], heads=[heads], neurons=[neurons - 3])
    twice = remove(copy.deepcopy(model), first)
    second = choose_structure(random_scores(twice, 1), layers=[0], heads=[1], neurons=[neurons // 2])
    once = remove(copy.deepcopy(model), second.within(first))
    ids = torch.randint(5, 50, (2, 9))
    assert torch.equal(remove(twice, second)(input_ids=ids).logits, once(input_ids=ids).logits)
