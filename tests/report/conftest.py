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


def _metric(dev: float, test: float, half: float = 0.016) -> dict[str, Any]:
    return {"dev": dev, "test": test, "ci95": [round(test - half, 4), round(test + half, 4)]}


def _stage(name: str, nonzero: int, prunable: float, total: float, metric: dict, seconds: float, **more: Any) -> dict:
    return {
        "name": name,
        "parameters": 22_713_216,
        "nonzero_parameters": nonzero,
        "sparsity_prunable": prunable,
        "sparsity_total": total,
        "metric": metric,
        "seconds": seconds,
        **more,
    }


def _latency(median: float) -> dict[str, Any]:
    return {"median": median, "p10": round(median * 0.95, 3), "p90": round(median * 1.17, 3), "runs": 120}


def _program(name: str, size: int, download: int, short: float, long: float, metric: dict, **more: Any) -> dict:
    return {
        "file": f"{name}/model.pte",
        "bytes": size,
        "download_bytes": download,
        "latency_ms": {"12": _latency(short), "64": _latency(long)},
        "threads": 1,
        "metric": metric,
        **more,
    }


def sample() -> dict[str, Any]:
    """A report with every key, required and additive. Its numbers are invented, of the size that runs have."""
    return {
        "schema_version": 1,
        "created": "2026-11-21T11:30:00Z",
        "task": {
            "name": "phone_commands",
            "kind": "classification",
            "metric": "accuracy",
            "train_examples": 1987,
            "eval_split": "test",
            "eval_examples": 412,
            "dev_examples": 401,
            "labels": 19,
            "higher_is_better": True,
            "metric_scale": 100,
            "baseline": {"name": "bag of words", "metric": _metric(0.7132, 0.7063)},
            "notes": ["No near-duplicate crosses the splits."],
        },
        "model": {
            "name": "all-MiniLM-L6-v2",
            "parameters": 22_713_216,
            "prunable_parameters": 10_764_288,
            "licence": "Apache-2.0",
        },
        "stages": [
            _stage("dense", 22_713_216, 0.0, 0.0, {**_metric(0.9251, 0.9223), "ci95_dev": [0.8978, 0.9476]}, 73.2),
            _stage("ticket", 19_483_929, 0.3, 0.1422, _metric(0.9127, 0.9102), 204.7, note="3 rounds of 10 points"),
            _stage("distilled", 19_483_929, 0.3, 0.1422, _metric(0.9227, 0.9199), 61.4),
            _stage(
                "quantized", 19_483_929, 0.3, 0.1422, _metric(0.9202, 0.9175), 3.8, note="int8, embeddings included"
            ),
            _stage("program", 19_483_929, 0.3, 0.1422, _metric(0.9201, 0.9174), 11.2),
        ],
        "programs": {
            "dense": _program(
                "dense",
                91_012_345,
                83_401_000,
                2.31,
                9.84,
                _metric(0.9252, 0.9224),
                label="stock fp32",
                peak_rss_bytes=214_958_080,
                agreement_with_eager=1.0,
                delegated_fraction=0.7125,
                delegated_pieces=44,
                leftover_ops={"aten::layer_norm": 13, "aten::where": 6, "aten::any": 6, "aten::view_copy": 24},
                sha256="ab" * 32,
            ),
            "ticket": _program(
                "android",
                23_702_001,
                19_310_777,
                1.02,
                2.37,
                _metric(0.9203, 0.9173),
                label="phone int8",
                peak_rss_bytes=None,
                agreement_with_eager=0.9951,
                delegated_fraction=0.9821,
                delegated_pieces=2,
                leftover_ops={"quantized_decomposed::embedding_byte": 1},
            ),
        },
        "verdict": {
            "winning_ticket": False,
            "rule": "a ticket wins if its mean over the seeds is within one standard deviation of the dense model's",
            "drop_points": 0.49,
            "ci95": [-0.73, 1.71],
            "size_ratio": 3.8399,
            "download_ratio": 4.3189,
            "memory_ratio": None,
            "speed_ratio": {"12": 2.2647, "64": 4.1519},
            "seeds": {
                "dense": {"values": [0.9223, 0.9199, 0.9248], "mean": 0.92233, "std": 0.00245},
                "ticket": {"values": [0.9102, 0.9078, 0.9126], "mean": 0.9102, "std": 0.0024},
            },
            "controls": {"random_mask": _metric(0.8603, 0.8544), "random_init": None},
        },
        "environment": {"python": "3.12", "threads": 2, "versions": {"torch": "2.15.0"}, "gpu": None},
        "not_measured": {
            "programs.ticket.peak_rss_bytes": "the machine gives no resident memory of a finished process",
            "verdict.memory_ratio": "one of the two peaks was not measured",
            "verdict.controls.random_init": "run with --controls",
        },
        "search": [
            {"round": 0, "sparsity_prunable": 0.0, "metric_dev": 0.9253, "seconds": 73.2, "ci95": [0.8979, 0.9477]},
            {"round": 1, "sparsity_prunable": 0.1, "metric_dev": 0.9226, "seconds": 66.1, "ci95": [0.8953, 0.9452]},
            {"round": 2, "sparsity_prunable": 0.2, "metric_dev": 0.9177, "seconds": 69.3, "ci95": [0.8903, 0.9402]},
            {"round": 3, "sparsity_prunable": 0.3, "metric_dev": 0.9128, "seconds": 69.4, "chosen": True},
        ],
        "training_curves": {
            "dense": [{"step": 60 * i, "metric_dev": m, "loss": loss} for i, m, loss in _curve(0.9254)],
            "ticket": [{"step": 60 * i, "metric_dev": m, "loss": loss} for i, m, loss in _curve(0.9129)],
        },
        "recipe": {
            "command": "python -m compress.run --target android --seeds 3",
            "yaml": "target: android\nseeds: 3\n",
        },
        "apk": {
            "file": "android/ticket-demo-debug.apk",
            "bytes": 31_204_112,
            "parts": {"model": 23_702_001, "app": 902_111},
        },
        "licences": [{"name": "all-MiniLM-L6-v2", "licence": "Apache-2.0"}],
    }


def _curve(end: float) -> list[tuple[int, float, float]]:
    return [(i, round(end - 0.31 * 0.45**i, 4), round(0.11 + 2.4 * 0.5**i, 4)) for i in range(1, 7)]


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
