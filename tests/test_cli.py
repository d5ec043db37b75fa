"""One command line: what it knows, and one way to fail for every command."""

import os
import signal
import time
from contextlib import suppress

import pytest

from compress.cli import COMMANDS, main
from compress.console import exit_code


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"  {name} " in shown for name in COMMANDS)
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("pocket-ticket ")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    shown = capsys.readouterr().out
    assert ended.value.code == 0
    assert f"usage: pocket-ticket {name}" in shown and "example" in shown


@pytest.mark.parametrize("words", [["rum"], *([name, "--no-such-flag"] for name in COMMANDS)])
def test_a_wrong_word_is_one_sentence(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code: object = main(words)
    except SystemExit as ended:
        code = ended.code
    said = capsys.readouterr().err
    assert code == 2
    assert said.startswith("pocket-ticket: ") and said.count("\n") == 1, said


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "No space left on device", "run/file")])
def test_what_ends_a_command_is_one_sentence(error: BaseException, capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> None:
        raise error

    assert exit_code(work) == (130 if isinstance(error, KeyboardInterrupt) else 2)
    said = capsys.readouterr().err
    assert said.startswith("pocket-ticket: ") and said.count("\n") == 1, said


def test_an_interrupt_is_one_whatever_a_library_makes_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    """As torch does, which can't be imported again after an import of it was interrupted and the error was dropped."""

    def work() -> None:
        with suppress(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(10)
        raise ImportError("can't be imported twice")

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background ignore Ctrl-C
    try:
        assert exit_code(work) == 130 and "interrupted" in capsys.readouterr().err
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_an_interrupt_while_libraries_load_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("importlib.import_module", interrupted)
    assert main(["verify", "anywhere"]) == 130
    assert "interrupted" in capsys.readouterr().err
