"""Whole or not at all."""

from pathlib import Path

import pytest

from compress.errors import PocketTicketError
from compress.files import fingerprint, read_json, write_atomic, write_json
from compress.pipeline.run_dir import RunDir


def test_a_stage_appears_only_when_it_is_complete(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "run")
    with pytest.raises(RuntimeError), run.writing("dense", "f1") as folder:
        (folder / "a").write_text("half")
        raise RuntimeError
    assert not run.stage("dense").exists()
    with run.writing("dense", "f1") as folder:
        assert (folder / "a").read_text() == "half"  # the same inputs: goes on from what is there
        (folder / "b").write_text("rest")
    assert run.is_complete("dense", "f1")
    assert not run.is_complete("dense", "f2")
    with run.writing("dense", "f2") as folder:
        assert not (folder / "a").exists()
    assert not (run.stage("dense") / "a").exists()
    assert run.is_complete("dense", "f2")


def test_leftovers_of_other_inputs_are_removed(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    with pytest.raises(RuntimeError), run.writing("dense", "f1") as folder:
        (folder / "a").write_text("half")
        raise RuntimeError
    with run.writing("dense", "f2") as folder:
        assert not (folder / "a").exists()


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    write_json(file, {"a": 1})
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(file, {"a": float("nan")})
    with pytest.raises(UnicodeEncodeError):
        write_atomic(file, "\ud800")
    assert read_json(file) == {"a": 1}
    assert list(tmp_path.iterdir()) == [file]


def test_damaged_json_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text("{")
    with pytest.raises(PocketTicketError, match="delete the folder"):
        read_json(file)


def test_fingerprint_ignores_key_order_only() -> None:
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})
