"""Measurements have the shape that report.json promises and are taken of the files themselves."""

import zlib
from pathlib import Path

import pytest

from compress.errors import ExportError
from mobile_export.programs.latency import download_bytes, measure

from .conftest import MAX_TOKENS


def test_everything_is_measured(program) -> None:
    programs = {"dense": program("bert", "stock"), "ticket": program("bert", scheme="int8")}
    found = measure(programs, lengths=(12, MAX_TOKENS + 1), rounds=2)
    assert list(found) == ["dense", "ticket"]
    for name, entry in found.items():
        times = entry["latency_ms"]["12"]
        assert 0 < times["p10"] <= times["median"] <= times["p90"]
        assert entry["latency_ms"][str(MAX_TOKENS + 1)] is None  # longer than the program takes
        assert entry["bytes"] == programs[name].path.stat().st_size and entry["threads"] == 1
        assert entry["peak_rss_bytes"] - entry["runtime_rss_bytes"] == entry["peak_rss_growth_bytes"] > 0
        assert entry["first_answer_ms"]["warm"] > 0 and (entry["first_answer_ms"]["cold"] or 1) > 0
        assert entry["delegated_pieces"] == programs[name].census.pieces
    assert found["ticket"]["delegated_fraction"] > found["dense"]["delegated_fraction"]


def test_download_is_the_deflated_file(tmp_path: Path) -> None:
    data = b"".join(number.to_bytes(4, "big") for number in range(700_000))
    (tmp_path / "a").write_bytes(data)
    packed = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    assert download_bytes(tmp_path / "a") == len(packed.compress(data) + packed.flush())


@pytest.mark.slow
def test_a_failing_process_gets_a_sentence(program) -> None:
    made = program("bert", scheme="int8")
    copy = made.path.with_name("damaged.pte")
    copy.write_bytes(b"x" * 100)
    from dataclasses import replace

    with pytest.raises(ExportError, match=r"measuring time failed .*hash does not match the recorded one"):
        measure({"ticket": replace(made, path=copy)}, rounds=2)
