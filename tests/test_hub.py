"""A Hub id that does not exist, or a Hub that can't be reached: one question, one sentence."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from huggingface_hub import constants

from compress.cli import main

ASKED: list[str] = []


class Nothing(BaseHTTPRequestHandler):
    """A Hub without anything in it."""

    def do_GET(self) -> None:
        ASKED.append(self.path)
        self.send_response(401)
        self.send_header("X-Error-Code", "RepoNotFound")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Nothing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    ASKED.clear()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("given", [["--model", "nobody/nothing"], ["--data", "hf:nobody/nothing"]])
def test_an_unknown_id_is_one_question_and_one_sentence(
    given: list[str], hub: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", hub)
    assert main(["check", *given]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1 and "nobody/nothing: there is no such" in said[0] and "on the Hub" in said[0]
    assert len([path for path in ASKED if "nobody" in path]) == 1


@pytest.mark.parametrize("given", [["--model", "nobody/nothing"], ["--data", "hf:nobody/nothing"]])
def test_a_hub_that_cant_be_reached_is_said_after_one_try(
    given: list[str], hub: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert main(["check", *given]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1 and "nobody/nothing" in said[0] and "network" in said[0]
