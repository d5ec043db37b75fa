"""Measure on a real phone: install the demo app, let it run its own benchmark, and read the result from its log.

The app has no permission to write where adb can read, and needs none: it prints its JSON to Android's log under a name
that this run has made up, so that an older result is never taken for the new one.
"""

import json
import os
import re
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from compress.errors import ExportError, PocketTicketError, ToolError
from mobile_export.app.code import namespace

TAG = "PocketTicket"
_LINE = re.compile(r"benchmark (\S+) (ok|error) (\d+)/(\d+) (.*)")


def measure_on_device(
    apk: Path,
    *,
    serial: str | None = None,
    runs: int = 200,
    timeout_s: float = 600,
    wait: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:
    """Installs `apk` on the phone, runs its benchmark, and returns what it measured.

    Keys: latency_ms {"12": {"median", "p10", "p90"}, …}, threads, runs, warm_up, model {"name", "sha256", "bytes"},
    device {"maker", "model", "android", "abi", "cores", "build", "governor", "serial"}, and thermal, power_save and
    screen_on, each [before, after]. `serial` is needed when
    several phones are connected. Raises ToolError without adb, PocketTicketError for a phone that can't be used, and
    ExportError if the app reports a failure or nothing within `timeout_s` seconds.
    """
    phone = Adb(find_adb(), serial)
    phone.choose()
    phone.install(Path(apk))
    name = secrets.token_hex(6)
    phone.start_benchmark(name, runs)
    deadline = time.monotonic() + timeout_s
    while (result := read_result(phone.log(), name)) is None:
        if time.monotonic() > deadline:
            raise ExportError(
                f"the app has written no result within {timeout_s:.0f} seconds",
                where=phone.serial or "adb",
                remedy="keep the phone unlocked with the app in front and try again",
            )
        wait(1.0)
    result["device"]["serial"] = phone.serial
    return result


def find_adb() -> Path:
    """adb of ANDROID_HOME or of PATH."""
    home = os.environ.get("ANDROID_HOME") or os.environ.get("ANDROID_SDK_ROOT")
    candidates = [Path(home) / "platform-tools" / "adb"] if home else []
    found = next((p for p in candidates if p.is_file()), None) or shutil.which("adb")
    if found is None:
        raise ToolError(
            "adb, which talks to the phone, is not on this machine",
            where="adb",
            remedy="on Debian run `apt-get install adb`, elsewhere install Android's platform tools",
        )
    return Path(found)


def read_result(log: str, name: str) -> dict[str, Any] | None:
    """The result printed under `name`, put together from its pieces; None while it is incomplete.

    Raises ExportError with the app's own sentence if it failed, or if what it printed is no result.
    """
    pieces: dict[int, str] = {}
    word, total = "", 0
    for line in log.splitlines():
        if (match := _LINE.search(line)) and match[1] == name:
            word, total = match[2], int(match[4])
            pieces[int(match[3])] = match[5]
    if not total or len(pieces) < total:
        return None
    text = "".join(pieces[i] for i in sorted(pieces))
    if word == "error":
        raise ExportError(
            f"the app could not measure: {text.rstrip('.')}",
            where="phone",
            remedy="open the app's Model screen on the phone",
        )
    try:
        result = json.loads(text)
        shown = {"latency_ms", "threads", "runs", "warm_up", "model", "device", "thermal"}
        also = {"power_save", "screen_on"} & set(result)  # older apps do not say them
        return {key: result[key] for key in sorted(shown | also)}
    except (ValueError, KeyError) as error:
        raise ExportError(
            f"the phone's log holds no readable result ({error})",
            where="adb logcat",
            remedy="install the app again with this version of pocket-ticket",
        ) from error


class Adb:
    """The few commands of adb that a measurement needs."""

    def __init__(self, executable: Path, serial: str | None) -> None:
        self.executable, self.serial = executable, serial

    def _call(self, *words: str | Path, doing: str) -> str:
        chosen = ["-s", self.serial] if self.serial else []
        try:
            done = subprocess.run(
                [str(self.executable), *chosen, *map(str, words)],
                capture_output=True,
                text=True,
                errors="replace",
                timeout=300,
            )
        except subprocess.TimeoutExpired as error:
            raise PocketTicketError(
                f"{doing} took more than five minutes",
                where="adb",
                remedy="look at the phone: it may ask for your consent",
            ) from error
        if done.returncode != 0:
            message = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
            raise PocketTicketError(f"{doing} failed: {message}", where="adb", remedy=_remedy(message))
        return done.stdout

    def choose(self) -> None:
        """Finds the phone to use."""
        rows = [line.split("\t") for line in self._devices().splitlines()[1:] if "\t" in line]
        states = {row[0]: row[1].strip() for row in rows}
        if self.serial is None:
            if len(states) != 1:
                raise PocketTicketError(
                    "no phone is connected" if not states else f"{len(states)} phones are connected",
                    where="adb devices",
                    remedy="connect one and switch on USB debugging"
                    if not states
                    else f"choose one by its serial number: {', '.join(states)}",
                )
            self.serial = next(iter(states))
        state = states.get(self.serial, "not connected")
        if state != "device":
            raise PocketTicketError(
                f"the phone is {state}",
                where=self.serial,
                remedy="accept the debugging question on its screen" if state == "unauthorized" else "connect it again",
            )

    def _devices(self) -> str:
        chosen, self.serial = self.serial, None
        try:
            return self._call("devices", doing="listing the phones")
        finally:
            self.serial = chosen

    def install(self, apk: Path) -> None:
        """Installs or updates the app."""
        if not apk.is_file():
            raise PocketTicketError("no such APK", where=str(apk), remedy="build it with pocket-ticket apk")
        self._call("install", "-r", apk, doing="installing the app")

    def start_benchmark(self, name: str, runs: int) -> None:
        """Opens the app with the wish to measure."""
        activity = f"{namespace()}/{namespace()}.Measure"  # a door that only adb's shell may open
        printed = self._call(
            "shell",
            "am",
            "start",
            "-W",
            "-n",
            activity,
            "--es",
            "benchmark",
            name,
            "--ei",
            "runs",
            str(runs),
            doing="starting the app",
        )
        if "Error" in printed:  # am prints errors and still exits with 0
            raise PocketTicketError(
                f"starting the app failed: {printed.strip().splitlines()[-1]}",
                where="adb",
                remedy="unlock the phone and try again",
            )

    def log(self) -> str:
        """What the app has printed so far."""
        return self._call("logcat", "-d", "-v", "raw", "-s", f"{TAG}:I", doing="reading the phone's log")


def _remedy(message: str) -> str:
    if "UPDATE_INCOMPATIBLE" in message or "VERSION_DOWNGRADE" in message:
        return f"remove the app that is there: adb uninstall {namespace()}"
    if "NO_MATCHING_ABIS" in message:
        return "build the APK with the phone's ABI, such as --abi arm64-v8a"
    if "INSUFFICIENT_STORAGE" in message:
        return "make room on the phone"
    return "look at the phone's screen and try again"
