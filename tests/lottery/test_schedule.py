import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress.errors import PocketTicketError
from compress.lottery import sparsities
from compress.lottery.schedule import SCHEDULES, slowed


def test_schedules_are_the_papers():
    assert sparsities("points_of_original", 0.7, 7) == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7])
    densities = [1 - s for s in sparsities("share_of_remaining", 1 - 0.8**3, 3)]
    assert densities == pytest.approx([0.8, 0.64, 0.512])
    assert sparsities("one_shot", 0.9, 5) == [0.9]
    assert sparsities("cubic", 0.8, 4) == pytest.approx([0.8 * (1 - (1 - r / 4) ** 3) for r in (1, 2, 3, 4)])


@pytest.mark.parametrize("schedule", SCHEDULES)
@given(sparsity=st.floats(0, 0.99), rounds=st.integers(1, 30))
def test_every_schedule_grows_and_ends_where_it_shall(schedule, sparsity, rounds):
    steps = sparsities(schedule, sparsity, rounds)
    assert steps[-1] == sparsity or steps[-1] == pytest.approx(sparsity, abs=1e-12)
    assert steps == sorted(steps)


@pytest.mark.parametrize(
    ("schedule", "sparsity", "rounds"),
    [
        ("cubical", 0.5, 3),
        ("cubic", 1.0, 3),
        ("cubic", -0.1, 3),
        ("cubic", 0.5, 0),
        ([0.5, 0.3], 0.3, 2),
        ([0.2], 0.5, 1),
        ([], 0.5, 1),
    ],
)
def test_nonsense_is_refused(schedule, sparsity, rounds):
    with pytest.raises(PocketTicketError):
        sparsities(schedule, sparsity, rounds)


def test_half_rate_is_frankle_and_carbins():
    steps = [1 - 0.8**n for n in (1, 2, 3)]
    assert slowed(steps, 0.5) == pytest.approx([1 - 0.9**n for n in (1, 2, 3)])
    assert slowed(steps, 1) == pytest.approx(steps) and slowed(steps, 0) == [0, 0, 0]
