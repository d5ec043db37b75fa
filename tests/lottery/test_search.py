import copy
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from compress.errors import ModelError, PocketTicketError, TrainingError
from compress.lottery import CRITERIA, Mask, Rewind, RoundRecord, find_ticket
from compress.lottery.observe import GradientWatch, state_of
from compress.lottery.search import prunable_by_default

ROUNDS = {"sparsity": 0.8, "rounds": 4}


class Spy:
    """Trains as the small task does, and remembers what the module was when each training began."""

    def __init__(self, small: SimpleNamespace) -> None:
        self.small, self.starts, self.rounds = small, [], []

    def __call__(self, module, round):
        self.starts.append(state_of(module))
        self.rounds.append(round)
        self.small.train(module, round)


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def masked(state: dict[str, torch.Tensor], mask: Mask) -> dict[str, torch.Tensor]:
    return {name: tensor * mask[name] if name in mask else tensor for name, tensor in state.items()}


def test_each_round_begins_at_theta_0_masked_bit_for_bit(small):
    """open_lth's theorem: weights at each level = level-0 weights × mask; biases and running statistics rewound too."""
    module, train = small.make_net(), Spy(small)
    initial = state_of(module)
    ticket = find_ticket(module, train, small.evaluate, **ROUNDS)
    masks = [Mask.dense(prunable_by_default(module)), *(r.mask for r in ticket.rounds)]
    assert len(train.starts) == len(masks) == 5
    for start, mask in zip(train.starts, masks, strict=True):
        assert same(start, masked(initial, mask))
    assert same(ticket.start, train.starts[-1])


def test_density_follows_the_schedule_exactly(small):
    module = small.make_net()
    ticket = find_ticket(module, small.train, small.evaluate, **ROUNDS)
    total = ticket.mask.total
    assert [total - r.mask.kept for r in ticket.rounds] == [round(total * s) for s in (0.2, 0.4, 0.6, 0.8)]
    assert [r.trained_sparsity for r in ticket.rounds] == [0.0, *(r.sparsity for r in ticket.rounds[:-1])]
    assert [s for s, _ in ticket.curve()] == [0.0, *(r.sparsity for r in ticket.rounds)]
    assert [r.steps for r in ticket.rounds] == [12] * 4 and ticket.steps == 12
    for name, parameter in prunable_by_default(module).items():
        assert not parameter[~ticket.mask[name]].any() and parameter[ticket.mask[name]].all()


def test_survivors_are_the_largest_trained_weights(small):
    """One round of it by hand."""
    spy, twin = Spy(small), small.make_net().train()
    ticket = find_ticket(small.make_net(), spy, sparsity=0.5, rounds=1, train_found=False)
    torch.manual_seed(spy.rounds[0].seed)
    small.train(twin, spy.rounds[0])
    trained = torch.cat([p.detach().abs().flatten() for p in prunable_by_default(twin).values()])
    threshold = trained.sort().values[round(0.5 * len(trained)) - 1]
    assert all(torch.equal(p.detach().abs() > threshold, ticket.mask[n]) for n, p in prunable_by_default(twin).items())


def test_without_training_the_found_ticket_the_module_is_the_ticket(small):
    module = small.make_net()
    ticket = find_ticket(module, small.train, small.evaluate, **ROUNDS, train_found=False)
    assert same(state_of(module), ticket.start) and ticket.metric is None and ticket.steps == 0
    assert len(ticket.curve()) == 4


@pytest.mark.parametrize("rewind", ["initial", "step:3", "learning_rate", "none"])
@pytest.mark.parametrize("criterion", ["magnitude", "random", "taylor", "movement_pruning"])
@pytest.mark.parametrize("killed_after", [1, 3, 4])
def test_resumed_equals_uninterrupted_bit_for_bit(small, tmp_path, rewind, criterion, killed_after):
    settings = {**ROUNDS, "rewind": rewind, "criterion": criterion, "seed": 5}
    whole = small.make_net()
    expected = find_ticket(whole, small.train, small.evaluate, **settings)

    class Killed(Exception):
        pass

    def save(record: RoundRecord) -> None:
        record.save(tmp_path / f"{record.number}.safetensors")
        if record.number == killed_after:
            raise Killed

    with pytest.raises(Killed):
        find_ticket(small.make_net(), small.train, small.evaluate, **settings, on_round=save)
    records = [RoundRecord.load(tmp_path / f"{n + 1}.safetensors") for n in range(killed_after)]
    torch.manual_seed(99)  # whatever the interrupted process left behind
    module, spy = small.make_net(), Spy(small)
    resumed = find_ticket(module, spy, small.evaluate, **settings, resume_from=records)
    assert len(spy.rounds) == 5 - killed_after
    assert same(state_of(module), state_of(whole)) and same(resumed.start, expected.start)
    assert resumed.mask.hash == expected.mask.hash and resumed.metric == expected.metric
    for a, b in zip(resumed.rounds, expected.rounds, strict=True):
        assert (a.mask, a.metric, a.steps, a.trained_sparsity) == (b.mask, b.metric, b.steps, b.trained_sparsity)


def test_rewinding_to_step_k_begins_at_theta_k(small):
    spy, module = Spy(small), small.make_net()

    def train(module: nn.Module, round) -> None:
        spy.rounds.append(round)
        spy.starts.append(state_of(module))
        small.train(module, round, steps=12)

    ticket = find_ticket(module, train, **ROUNDS, rewind=Rewind.to_step(3))
    twin = small.make_net().train()
    torch.manual_seed(spy.rounds[0].seed)
    small.train(twin, spy.rounds[0], steps=3)
    for start, record in zip(spy.starts[1:], ticket.rounds, strict=True):
        assert same(start, masked(state_of(twin), record.mask))
    assert [r.start_step for r in spy.rounds] == [0, 3, 3, 3, 3]
    assert [r.steps for r in ticket.rounds] == [12, 9, 9, 9]


def test_rewinding_to_step_0_is_rewinding_to_theta_0(small):
    a = find_ticket(small.make_net(), small.train, small.evaluate, **ROUNDS, rewind="step:0")
    b = find_ticket(small.make_net(), small.train, small.evaluate, **ROUNDS, rewind="initial")
    assert a.mask == b.mask and same(a.start, b.start) and a.metric == b.metric


@pytest.mark.parametrize(("rewind", "fine_tune"), [("none", True), ("learning_rate:2", False)])
def test_without_weight_rewinding_training_goes_on(small, rewind, fine_tune):
    ends, spy = [], Spy(small)

    def train(module: nn.Module, round) -> None:
        spy(module, round)
        ends.append(state_of(module))

    ticket = find_ticket(small.make_net(), train, **ROUNDS, rewind=rewind)
    for end, start, record in zip(ends, spy.starts[1:], ticket.rounds, strict=False):
        assert same(start, masked(end, record.mask))
    assert [r.fine_tune for r in spy.rounds] == [False] + [fine_tune] * 4
    assert [r.start_step for r in spy.rounds] == [0] + [0 if fine_tune else 2] * 4
    assert [r.last for r in spy.rounds] == [False] * 4 + [True]


@pytest.mark.parametrize("criterion", sorted(CRITERIA))
@pytest.mark.parametrize("scope", ["global", "tensor", "layer", "kind"])
def test_masks_are_nested_for_every_criterion_and_scope(small, criterion, scope):
    ticket = find_ticket(small.make_net(), small.train, **ROUNDS, criterion=criterion, scope=scope, train_found=False)
    masks = [r.mask for r in ticket.rounds]
    assert not any((b[n] & ~a[n]).any() for a, b in pairwise(masks) for n in a)
    if scope in ("tensor", "layer"):
        assert all(int((~keep).sum()) == round(0.8 * keep.numel()) for keep in ticket.mask.values())


def test_the_output_layer_may_be_pruned_at_half_the_rate(small):
    schedule = [1 - 0.8**n for n in (1, 2, 3)]
    settings = {"sparsity": schedule[-1], "schedule": schedule, "scope": "tensor", "slower": {"5.weight": 0.5}}
    ticket = find_ticket(small.make_net(), small.train, **settings, train_found=False)
    for number, record in enumerate(ticket.rounds, 1):
        assert int((~record.mask["5.weight"]).sum()) == round((1 - 0.9**number) * 48)
        assert int((~record.mask["0.weight"]).sum()) == round((1 - 0.8**number) * 192)


def test_gradient_criteria_see_the_masked_gradients_of_the_training(small):
    seen = {}

    def spy_score(weights):
        seen[weights.name] = weights
        return CRITERIA["taylor"](weights)

    spy_score.uses = frozenset({"gradient", "drift"})
    ticket = find_ticket(small.make_net(), small.train, **ROUNDS, criterion=spy_score, train_found=False)
    last_trained = ticket.rounds[-2].mask
    for name, keep in last_trained.items():
        assert not seen[name].gradient[~keep].any() and not seen[name].drift[~keep].any()
        assert (seen[name].gradient[keep] > 0).float().mean() > 0.5


def test_drift_is_minus_the_sum_of_weight_times_gradient(small):
    seen, products = {}, []

    def spy_score(weights):
        seen[weights.name] = weights
        return weights.final.abs()

    def train(module: nn.Module, round) -> None:
        for step in range(3):
            module.zero_grad()
            module(torch.ones(4, 12) * step).square().mean().backward()
            weight = module[0].weight
            products.append(weight.detach() * weight.grad)
            with torch.no_grad():
                weight.sub_(0.1 * weight.grad)

    spy_score.uses = frozenset({"drift"})
    find_ticket(small.make_net(), train, sparsity=0.5, rounds=1, criterion=spy_score, train_found=False)
    assert torch.allclose(seen["0.weight"].drift, -sum(products))
    assert seen["0.weight"].gradient is None


def test_gradient_is_the_mean_at_first_and_then_forgets():
    parameter = nn.Parameter(torch.zeros(2))
    with GradientWatch(frozenset({"gradient"}), memory=3).watching({"w": parameter}) as watch:
        for size in (1.0, -2.0, 3.0, -6.0):
            parameter.grad = None
            (parameter * size).sum().backward()
    mean = (1 + 2 + 3) / 3
    assert watch.gradient["w"].tolist() == pytest.approx([mean + (6 - mean) / 3] * 2)
    assert watch.of("drift", "w", parameter) is None


def test_random_masks_follow_the_seed(small):
    found = [
        find_ticket(small.make_net(), small.train, **ROUNDS, criterion="random", seed=s, train_found=False).mask
        for s in (0, 0, 1)
    ]
    assert found[0] == found[1] != found[2]


def test_records_of_another_search_are_refused(small):
    ticket = find_ticket(small.make_net(), small.train, **ROUNDS, train_found=False)
    first, second = ticket.rounds[:2]

    def again(records, **settings):
        find_ticket(small.make_net(), small.train, **{**ROUNDS, **settings}, resume_from=records)

    for records, settings in [
        ([second], {}),
        ([first, replace(second, mask=first.mask)], {}),
        ([first], {"schedule": "cubic"}),
        ([first], {"rewind": "none"}),
        (ticket.rounds, {"schedule": "one_shot"}),
    ]:
        with pytest.raises(PocketTicketError, match="record of round"):
            again(records, **settings)
    with pytest.raises(ModelError):
        again([replace(first, mask=Mask({"w": torch.ones(3, dtype=torch.bool)}))])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rewind": "step"}, "'step' is not a way"),
        ({"rewind": "step:x"}, "not a way to rewind"),
        ({"rewind": "initial:3"}, "not a way to rewind"),
        ({"scope": "globe"}, "'globe'"),
        ({"slower": {"1.weight": 0.5}}, "not prunable"),
        ({"sparsity": 1.0}, "the sparsity is 1.0"),
        ({"parameters": {"w": nn.Parameter(torch.ones(2))}}, "no parameter 'w'"),
    ],
)
def test_settings_that_make_no_sense_are_refused_before_training(small, settings, message):
    def train(module, round):
        raise AssertionError("trained")

    with pytest.raises(PocketTicketError, match=message):
        find_ticket(small.make_net(), train, **{**ROUNDS, **settings})


def test_training_that_fails_says_so(small):
    def diverges(module, round):
        with torch.no_grad():
            module[0].weight.fill_(float("nan"))

    with pytest.raises(TrainingError, match=r"0\.weight"):
        find_ticket(small.make_net(), diverges, **ROUNDS)
    with pytest.raises(TrainingError, match="metric is nan"):
        find_ticket(small.make_net(), small.train, lambda module: float("nan"), **ROUNDS)
    with pytest.raises(TrainingError, match="after 12 steps, before step 13"):
        find_ticket(small.make_net(), small.train, **ROUNDS, rewind="step:13")
    with pytest.raises(PocketTicketError, match="LayerNorm"):
        find_ticket(nn.LayerNorm(3), small.train, **ROUNDS)


def test_only_the_named_parameters_are_pruned(small):
    module = small.make_net()
    ticket = find_ticket(module, small.train, parameters={"3.weight": module[3].weight}, **ROUNDS)
    assert list(ticket.mask) == ["3.weight"] and module[0].weight.all()


def test_a_tied_weight_is_one_weight(small):
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(12, 12), nn.Linear(12, 12)
            self.b.weight = self.a.weight
            self.out = nn.Linear(12, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.out(self.b(self.a(x).relu()).relu())

    torch.manual_seed(0)
    module = Tied()
    ticket = find_ticket(copy.deepcopy(module), small.train, small.evaluate, **ROUNDS)
    assert set(ticket.mask) == {"a.weight", "out.weight"}
    assert torch.equal(ticket.start["b.weight"], ticket.start["a.weight"])
    assert torch.equal(ticket.start["a.weight"], module.a.weight.detach() * ticket.mask["a.weight"])
