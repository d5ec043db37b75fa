"""The programs of this machine that build the app: a JDK, and aapt2 and apksigner from Debian or an Android SDK."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from compress.errors import PocketTicketError, ToolError

DEBIAN = {
    "java": "openjdk-17-jdk-headless",
    "javac": "openjdk-17-jdk-headless",
    "keytool": "openjdk-17-jdk-headless",
    "aapt2": "aapt",
    "apksigner": "apksigner",
}


@dataclass(frozen=True)
class Tools:
    """Where each program lies. `d8` is None without an Android SDK: then dx makes the dex file."""

    java: Path
    javac: Path
    keytool: Path
    aapt2: Path
    apksigner: Path
    d8: Path | None


def find_tools() -> Tools:
    """Looks in JAVA_HOME, then ANDROID_HOME's newest build tools, then PATH.

    Raises ToolError naming everything that is missing and the packages that bring it.
    """
    found = {name: path for name in DEBIAN if (path := _find(name)) is not None}
    missing = [name for name in DEBIAN if name not in found]
    if missing:
        packages = sorted({DEBIAN[name] for name in missing})
        raise ToolError(
            f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} needed to build the app and not on "
            "this machine",
            where="PATH, JAVA_HOME, ANDROID_HOME",
            remedy=f"on Debian run `apt-get install {' '.join(packages)}`, elsewhere install a JDK 17 and "
            "the Android SDK and set ANDROID_HOME",
        )
    return Tools(**found, d8=_in_sdk("d8"))


def missing_tools() -> str | None:
    """What has to be installed before the app can be built, in a sentence; None when nothing is missing."""
    packages = {**DEBIAN, "mvn": "maven", "npm": "npm"}
    missing = [name for name in packages if _find(name) is None]
    if not missing:
        return None
    install = " ".join(sorted({packages[name] for name in missing}))
    return f"{', '.join(missing)} not found; on Debian: apt-get install {install}"


def _find(name: str) -> Path | None:
    java_home = os.environ.get("JAVA_HOME")
    if java_home and (Path(java_home) / "bin" / name).is_file():
        return Path(java_home) / "bin" / name
    found = _in_sdk(name) or shutil.which(name)
    return Path(found) if found else None


def _in_sdk(name: str) -> Path | None:
    home = os.environ.get("ANDROID_HOME") or os.environ.get("ANDROID_SDK_ROOT")
    if not home:
        return None
    candidates = [p for p in Path(home).glob(f"build-tools/*/{name}") if p.is_file()]
    return max(candidates, key=lambda p: [int(n) for n in re.findall(r"\d+", p.parent.name)], default=None)


def call(command: list[str | Path], *, doing: str, cwd: Path | None = None) -> str:
    """Runs a program and returns what it printed. Raises PocketTicketError with its first message if it fails."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, cwd=cwd, env=environment)
    if done.returncode != 0:
        lines = [line for line in (done.stderr + "\n" + done.stdout).splitlines() if line.strip()]
        wanted = [line for line in lines if "error" in line.lower()] or lines or ["no message"]
        raise PocketTicketError(f"{doing} failed: {wanted[0].strip()}", where=Path(str(command[0])).name)
    return done.stdout
