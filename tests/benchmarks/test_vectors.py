"""The measurement of text vectors: the page comes from the numbers, the static table from the encoder."""

import pytest

from benchmarks.vectors import POINTS, page


def result(value: float) -> dict:
    entry = {"value": value, "drop": 1.0, "ci95": [-0.5, 2.5]}
    programs = {
        name: {"bytes": 4_500_000, "sets": {"STS-B test": entry}} for name in ("as it comes, fp32", "ticket, 5MB")
    }
    return {
        "date": "2026-01-01",
        "most": 9,
        "texts": 11_000,
        "programs": programs,
        "metrics": {"STS-B test": "spearman"},
    }


def test_the_page_shows_each_program_and_what_it_lost() -> None:
    shown = page({"minilm": result(0.812)})
    assert "| as it comes, fp32 | 4.50 | 81.2 |" in shown
    assert "| ticket, 5MB | 4.50 | 81.2 (lost −0.5 to 2.5) |" in shown and "about 11,000 texts" in shown


@pytest.mark.parametrize("point", POINTS)
def test_points_are_recipes(point: str, tmp_path) -> None:
    from benchmarks.vectors import recipe_of

    made = recipe_of("bge-small-en-v1.5", point, tmp_path / "texts.txt", 0)
    assert made.ticket.kind == "structure" and made.quantize.scheme == "int4" and made.embedding.pooling == "cls"
