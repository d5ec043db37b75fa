"""Gates: open they change nothing, closed they remove a unit, and the price closes those that nothing holds open."""

import pytest
import torch
from architectures import CONFIGS, model_of

from compress.models.anatomy import first_with_its_weights, layers_of
from compress.models.surgery import Structure, full_structure, masked
from compress.shrink.gates import gate_scores, gated


def logits(model: torch.nn.Module) -> torch.Tensor:
    torch.manual_seed(1)
    with torch.no_grad():
        return model(input_ids=torch.randint(5, 50, (3, 9))).logits


@pytest.mark.parametrize("kind", CONFIGS)
def test_open_gates_change_nothing_and_closed_ones_mask(kind: str) -> None:
    model, full = model_of(kind), full_structure(model_of(kind))
    kept = Structure(full.layers, ((0,), full.heads[1]), (full.neurons[0], tuple(range(1, 32))))
    if first_with_its_weights(layers_of(model)) == [0, 0]:  # one gate closes both
        kept = Structure(full.layers, ((0,),) * 2, (tuple(range(1, 32)),) * 2)
    with gated(model) as gates:
        torch.testing.assert_close(logits(model), logits(model_of(kind)))
        with torch.no_grad():
            gates[0].heads[1] = 0
            gates[1].neurons[0] = 0
        closed = logits(model)
    torch.testing.assert_close(closed, logits(masked(model_of(kind), kept)), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(logits(model), logits(model_of(kind)))  # and they leave nothing behind


def test_the_price_closes_dead_units_and_the_loss_holds_others_open() -> None:
    model = model_of("bert")
    layer = layers_of(model)[0]
    with torch.no_grad():
        layer.attention_output.weight[:, : layer.head_size] = 0  # nothing of head 0 is read
        layer.feed_forwards[-1].outer.weight[:, [3, 17]] = 0
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    ids, labels = torch.randint(5, 50, (16, 9)), torch.randint(0, 2, (16,))
    scores = gate_scores(model, (model(input_ids=ids, labels=labels).loss for _ in range(25)), price=1.0)
    dead = scores[0].neurons[3]
    assert dead == scores[0].neurons[17] == scores[0].heads[0]  # closed by the price alone, all alike
    assert 0 < dead < 0.6  # 25 steps of 0.02
    assert (scores[0].neurons > dead).float().mean() > 0.2 and scores[0].heads[1] != dead
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert all(p.requires_grad and p.grad is None for p in model.parameters())
