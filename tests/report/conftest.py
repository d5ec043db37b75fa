"""A whole sample report, and a real browser behind a small pipe client (no driver, no socket)."""

import base64
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sample_report import sample

from compress.report import render_html

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# Chromium reads its commands from descriptor 3 and answers on 4: move the pipes there, by way of higher numbers, so
# that neither overwrites the other.
ON_PIPES = """
import fcntl, os, sys
commands, answers = (fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3])
os.dup2(commands, 3), os.dup2(answers, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


@pytest.fixture
def report() -> dict[str, Any]:
    return sample()


@pytest.fixture(scope="session")
def html() -> str:
    """The sample's page."""
    return render_html(sample())


class Browser:
    """Headless Chromium over its debugging pipe: NUL-separated JSON on file descriptors 3 (in) and 4 (out)."""

    def __init__(self, executable: str, profile: Path) -> None:
        read_commands, self._commands = os.pipe()
        self._answers, write_answers = os.pipe()
        flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
        flags += " --disable-component-update --disable-sync --hide-scrollbars --remote-debugging-pipe"
        flags += f" --user-data-dir={profile} about:blank"
        self._process = subprocess.Popen(
            [sys.executable, "-c", ON_PIPES, str(read_commands), str(write_answers), executable, *flags.split()],
            pass_fds=(read_commands, write_answers),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(read_commands)
        os.close(write_answers)
        self._reader = os.fdopen(self._answers, "rb")
        self._number, self._session = 0, None
        watchdog = threading.Timer(120, self._process.kill)  # a browser that hangs must not hang the suite
        watchdog.daemon = True
        watchdog.start()
        self._watchdog = watchdog
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def _receive(self) -> dict[str, Any]:
        data = bytearray()
        while (byte := self._reader.read(1)) != b"\0":
            assert byte, "the browser closed its pipe"
            data += byte
        answer = json.loads(data)
        if "method" in answer and hasattr(self, "events"):
            self.events.append(answer)
        return answer

    def open(self, page: Path, *, width: int, dark: bool, height: int = 900) -> None:
        """Load a page at a viewport width in CSS pixels; `events` then holds what happened since."""
        phone = width < 600
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.events.clear()
        self.call("Page.navigate", url=page.as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self._receive()

    def evaluate(self, expression: str) -> Any:
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def screenshot(self, file: Path) -> None:
        """The whole page as PNG."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)["data"]
        file.write_bytes(base64.b64decode(data))

    def close(self) -> None:
        self._watchdog.cancel()
        os.close(self._commands)
        self._process.terminate()
        self._process.wait(20)
        self._reader.close()


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    executable = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if executable is None:
        pytest.skip("no Chromium on this machine: install the package chromium to test the page in a real browser")
    running = Browser(executable, tmp_path_factory.mktemp("profile"))
    yield running
    running.close()
