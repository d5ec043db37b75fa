import pytest
import torch

from compress.errors import PocketTicketError, TrainingError
from compress.lottery.criteria import CRITERIA, Snapshot, criterion_named, score

INITIAL = torch.tensor([1.0, -2.0, 3.0, -1.0])
FINAL = torch.tensor([2.0, 1.0, -1.0, -4.0])
WEIGHTS = Snapshot(
    INITIAL, FINAL, gradient=torch.tensor([0.5, 2.0, 1.0, 0.0]), drift=torch.tensor([1.0, -1.0, 0.0, 2.0])
)


@pytest.mark.parametrize(
    ("name", "expected"),
    {
        "magnitude": [2, 1, 1, 4],
        "large_final": [2, 1, 1, 4],
        "small_final": [-2, -1, -1, -4],
        "large_initial": [1, 2, 3, 1],
        "small_initial": [-1, -2, -3, -1],
        "large_initial_large_final": [1, 1, 1, 1],
        "small_initial_small_final": [-2, -2, -3, -4],
        "magnitude_increase": [1, -1, -2, 3],
        "weight_change": [1, 3, 4, 3],
        "large_final_same_sign": [2, 0, 0, 4],
        "large_final_different_sign": [0, 1, 1, 0],
        "magnitude_increase_same_sign": [1, -3, -4, 3],
        "taylor": [1, 2, 1, 0],
        "movement_pruning": [1, -1, 0, 2],
    }.items(),
)
def test_formula(name, expected):
    assert CRITERIA[name](WEIGHTS).tolist() == expected


def test_random_repeats_and_depends_on_seed_and_name_only():
    draw = lambda **kwargs: CRITERIA["random"](Snapshot(INITIAL, FINAL, **kwargs)).tolist()  # noqa: E731
    torch.manual_seed(1)
    first = draw(name="w", seed=3)
    torch.manual_seed(2)
    assert first == draw(name="w", seed=3)
    assert first != draw(name="v", seed=3) and first != draw(name="w", seed=4)


def test_scores_are_checked():
    with pytest.raises(TrainingError, match=r"w: .*NaN"):
        score(CRITERIA["magnitude"], {"w": Snapshot(INITIAL, FINAL * float("nan"))})
    with pytest.raises(PocketTicketError, match="shape"):
        score(lambda weights: weights.final[:1], {"w": WEIGHTS})
    with pytest.raises(PocketTicketError, match="gradient"):
        score(CRITERIA["taylor"], {"w": Snapshot(INITIAL, FINAL)})
    with pytest.raises(PocketTicketError, match="'magnitud'"):
        criterion_named("magnitud")
