"""The bundle's very program on an emulated ARM processor: other kernels, other rounding, the same answers?

QEMU runs Debian's arm64 Python with a wheel of the ExecuTorch runtime in it (executorch-numpy-runtime: no torch). Both
are downloaded once into the user's cache folder: the wheels must have the hashes in arm_wheels.txt, apt checks Debian's
signatures. Nothing is installed on this machine: apt gets folders, sources and an architecture of its own.
"""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from sys import executable
from typing import Any

import numpy as np

from compress.errors import ExportError, ToolError
from mobile_export.cache import cache_dir, made_once

CORES = ("cortex-a53", "cortex-a76")  # without and with dot product instructions: different int8 kernels
EMULATORS = ("qemu-aarch64-static", "qemu-aarch64")
SUITE = "trixie"  # the first Debian whose Python is new enough for the runtime's wheel
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
PACKAGES = (
    *("python3.13-minimal", "libpython3.13-minimal", "libpython3.13-stdlib"),
    *("libc6", "libgcc-s1", "libstdc++6", "zlib1g", "libexpat1", "libffi8", "libbz2-1.0", "liblzma5"),
)
WHEELS = Path(__file__).with_name("arm_wheels.txt")
WORKER = Path(__file__).with_name("arm_worker.py")
PLATFORM = ("--python-version=3.13", "--implementation=cp", "--abi=cp313", "--platform=manylinux_2_28_aarch64")


def cores_of(text: str) -> tuple[str, ...]:
    """The cores of a comma-separated list. What contains "=" is a property of the core before it: "max,sme=off".

    Raises ToolError for a list without a core, or a property without one.
    """
    cores: list[str] = []
    for word in filter(None, (word.strip() for word in text.split(","))):
        if "=" not in word:
            cores.append(word)
        elif cores:
            cores[-1] += f",{word}"
        else:
            raise ToolError(f"'{word}' has no core before it", where="--cpu", remedy=f"such as {','.join(CORES)}")
    if not cores:
        raise ToolError("no core is named", where="--cpu", remedy=f"such as {','.join(CORES)}")
    return tuple(cores)


def arm_answers(
    program: Path, *, core: str, inputs: Sequence[str], texts: Sequence[Mapping[str, Any]]
) -> Iterator[list[np.ndarray]]:
    """One list of fp32 outputs (1, L), (1, T, L) or (1, T) per text with the ids `inputs`, as `core` computes them.

    Raises ToolError for missing tools or a core that the emulator lacks, ExportError when the program does not run.
    """
    command, environment = emulated(WORKER, core=core, emulator=find_emulator())
    request = {
        "program": str(Path(program).resolve()),
        "inputs": list(inputs),
        "texts": [{name: text[name] or [0] * len(text["input_ids"]) for name in inputs} for text in texts],
    }
    with tempfile.TemporaryFile("w+") as sent, tempfile.TemporaryFile("w+") as said:
        json.dump(request, sent)
        sent.seek(0)
        with subprocess.Popen(
            command, stdin=sent, stdout=subprocess.PIPE, stderr=said, text=True, env=environment
        ) as running:
            try:
                for line in running.stdout or ():
                    yield [np.asarray(answer, np.float32) for answer in json.loads(line)]
            except BaseException:  # such as GeneratorExit: the caller needs no more
                running.kill()
                raise
        if running.returncode != 0:
            said.seek(0)
            raise _failure(core, program, running.returncode, said.read())


def emulated(
    worker: Path, *, core: str, emulator: str, options: Sequence[str] = ()
) -> tuple[list[str], dict[str, str]]:
    """The command that runs a Python file on an emulated `core`, and its whole environment.

    Raises ToolError where the arm64 Python can't be downloaded.
    """
    system = arm_system()
    python = [str(system / "usr/bin/python3.13"), "-SP", str(worker)]
    return [emulator, "-cpu", core, *options, "-L", str(system), *python], environment_of(system)


def environment_of(system: Path) -> dict[str, str]:
    """The emulated Python's whole environment: nothing of this machine's own Python settings may reach it."""
    return {"PYTHONPATH": str(system / "site"), "OPENBLAS_NUM_THREADS": "1"}


def _failure(core: str, program: Path, code: int, said: str) -> Exception:
    last = next((line for line in reversed(said.splitlines()) if line.strip()), "no message").strip()
    if "unable to find CPU model" in said or "Property" in last or "Expected key=value" in last:
        return ToolError(
            f"the emulator has no such core ({last})",
            where=f"--cpu {core}",
            remedy="see `qemu-aarch64-static -cpu help`",
        )
    return ExportError(
        f"the program does not run on {core} (exit status {code}, {last[:200]})",
        where=str(program),
        remedy="report it with the versions in manifest.json",
    )


def arm_system() -> Path:
    """The folder with the arm64 Python and its `site`, downloaded once. Raises ToolError where that is impossible."""
    name = hashlib.sha256(WHEELS.read_bytes() + " ".join((SUITE, *PACKAGES)).encode()).hexdigest()[:16]
    return made_once(cache_dir().resolve() / "arm64" / name, _make_system)


def _make_system(system: Path) -> None:
    for folder in ("usr/lib", "site"):
        (system / folder).mkdir(parents=True)
    (system / "lib").symlink_to("usr/lib")
    with tempfile.TemporaryDirectory() as temporary:
        downloads = Path(temporary)
        for wheel in _wheels(downloads):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(system / "site")
        for package in _debian_packages(downloads):
            _run(["dpkg-deb", "--extract", str(package), str(system)], "unpack Debian's arm64 Python")


def _wheels(folder: Path) -> list[Path]:
    options = ("--quiet", "--no-deps", "--only-binary=:all:", "--require-hashes", *PLATFORM)
    command = [executable, "-m", "pip", "download", *options, "--requirement", str(WHEELS), "--dest", str(folder)]
    _run(command, "download the arm64 runtime")
    return sorted(folder.glob("*.whl"))


def _debian_packages(folder: Path) -> list[Path]:
    """The .deb files, by an apt that knows one source, one architecture, and no installed package."""
    mirror = _mirror()
    lists, status, sources, settings = (folder / name for name in ("lists", "status", "sources.list", "apt.conf"))
    (lists / "partial").mkdir(parents=True)
    (folder / "cache/archives/partial").mkdir(parents=True)
    status.touch()
    sources.write_text(f"deb [signed-by={KEYRING}] {mirror} {SUITE} main\n")
    settings.write_text(
        f'Dir::State "{folder}"; Dir::State::lists "{lists}"; Dir::State::status "{status}";\n'
        f'Dir::Cache "{folder / "cache"}"; Dir::Etc::sourcelist "{sources}"; Dir::Etc::sourceparts "/dev/null";\n'
        'APT::Architecture "arm64"; APT::Architectures { "arm64"; }; Acquire::Languages "none";\n'
        'APT::Sandbox::User "";\n'  # root's apt would hand over to a user who can't write here
    )
    environment = {**os.environ, "APT_CONFIG": str(settings)}
    _run(["apt-get", "--quiet", "--error-on=any", "update"], f"read Debian {SUITE}'s list of packages", environment)
    _run(["apt-get", "--quiet", "download", *PACKAGES], "download Debian's arm64 Python", environment, folder)
    return sorted(folder.glob("*.deb"))


def _mirror() -> str:
    """Where this machine's own apt gets Debian from."""
    wanted = ("--format", "$(REPO_URI) $(CODENAME)", "Identifier: Packages", "Origin: Debian")
    for line in _run(["apt-get", "indextargets", *wanted], "read this machine's package sources").splitlines():
        uri, _, codename = line.partition(" ")
        if uri and "-" not in codename:  # bookworm-security and bookworm-updates may lie elsewhere
            return uri
    raise ToolError(
        "apt on this machine has no Debian source, from which the arm64 Python comes",
        where="apt-get indextargets",
        remedy="run `apt-get update` once, on Debian or in a container of it",
    )


def find_emulator(names: Sequence[str] = EMULATORS, package: str = "qemu-user-static") -> str:
    """The path of the first of `names` that is on this machine. Raises ToolError, with Debian's `package` of them."""
    for name in names:
        if found := shutil.which(name):
            return found
    raise ToolError(
        "the emulator of ARM processors is not on this machine",
        where=names[0],
        remedy=f"install it (Debian: apt-get install {package})",
    )


def _run(
    command: list[str], purpose: str, environment: Mapping[str, str] | None = None, folder: Path | None = None
) -> str:
    """What a tool prints. Raises ToolError when it is missing or fails, with its last line."""
    name = " ".join(command[1:3]) if command[0] == executable else command[0]
    if shutil.which(command[0]) is None:
        raise ToolError(
            f"this tool, needed to {purpose}, is not on this machine",
            where=name,
            remedy="use Debian, or a container of it",
        )
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder)
    if done.returncode != 0:
        last = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "no message").strip()
        raise ToolError(
            f"could not {purpose} ({last[-200:]})",
            where=name,
            remedy="check the network and the tool's settings, then run the same command again",
        )
    return done.stdout
