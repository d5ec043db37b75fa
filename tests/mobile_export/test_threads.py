"""More threads are recommended where they pay, and what is recommended was measured."""

import pytest

from mobile_export.programs.threads import measure_threads, recommended

from .conftest import MAX_TOKENS


@pytest.mark.parametrize(
    ("one", "two", "threads"),
    [
        ((1.0, 4.0), (0.6, 2.2), 2),  # faster at both lengths
        ((1.0, 4.0), (0.95, 3.8), 1),  # hardly faster
        ((1.0, 4.0), (1.6, 2.4), 1),  # what the long text gains the short one loses
        ((1.0, 4.0), (1.0, 2.4), 2),
        ((1.0, 4.0), (1.1, 5.0), 1),
    ],
)
def test_the_fewest_threads_that_are_about_the_fastest(one: tuple, two: tuple, threads: int) -> None:
    latency = {str(n): dict(zip(("12", "64"), times, strict=True)) for n, times in ((1, one), (2, two))}
    assert recommended(latency) == threads


def test_threads_of_a_program_are_measured(program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    found = measure_threads(program("bert", scheme="int8"), lengths=(12, MAX_TOKENS, MAX_TOKENS + 1), rounds=2)
    assert list(found["latency_ms"]) == ["1", "2"] and found["recommended"] == recommended(found["latency_ms"])
    assert all(list(times) == ["12", str(MAX_TOKENS)] for times in found["latency_ms"].values())
    assert all(ms > 0 for times in found["latency_ms"].values() for ms in times.values())


def test_one_core_gets_one_thread(program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0})
    faster = lambda request: {str(count): {"12": 1 / count} for count in request["counts"]}  # noqa: E731
    monkeypatch.setattr("mobile_export.programs.threads.in_fresh_process", faster)
    assert measure_threads(program("bert", scheme="int8"))["recommended"] == 1
