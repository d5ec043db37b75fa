"""Rows of several seeds become one line with mean and deviation."""

from benchmarks.seeds import summary


def test_a_line_for_each_recipe_and_data_set() -> None:
    row = {"recipe": "tiny", "data": "sst2", "dense": 90.0, "program": 89.0, "drop": 1.0, "mb": 2.0}
    rows = [row, row | {"program": 91.0, "drop": -1.0}, row | {"recipe": "balanced"}, row | {"data": "trec"}]
    assert summary(rows) == [
        "sst2 balanced, 1 seed: dense 90.00, program 89.00, drop 1.00, mb 2.00",
        "sst2 tiny, 2 seeds: dense 90.00 ± 0.00, program 90.00 ± 1.41, drop 0.00 ± 1.41, mb 2.00 ± 0.00",
        "trec tiny, 1 seed: dense 90.00, program 89.00, drop 1.00, mb 2.00",
    ]
