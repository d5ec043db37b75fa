"""The parts that the app is built from: which versions, with which hashes, and where they lie on this machine.

Versions stand in the Gradle version catalog (android_demo/gradle/libs.versions.toml) and nowhere else. The lock beside
it holds the complete list of files that follows from them, each with its hash. Maven and npm only download; a file that
does not have the locked hash is never used.

    python -m mobile_export.app.parts --lock     resolve the catalog again and write the lock
"""

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from compress.console import Parser, exit_code
from compress.errors import PocketTicketError, ToolError
from compress.files import file_sha256, write_atomic
from mobile_export.cache import cache_dir, made_once

_HERE = Path(__file__).resolve()
# beside the packages in a checkout, inside this package in an installed wheel
PROJECT = next(p / "android_demo" for p in (_HERE.parents[2], _HERE.parents[1]) if (p / "android_demo").is_dir())
CATALOG = PROJECT / "gradle" / "libs.versions.toml"
LOCK = PROJECT / "gradle" / "parts.lock.toml"
NPM_PACKAGE = "react-native-executorch"
# Google publishes these only in its own repository; the simulator's tests bring stand-ins.
_NOT_IN_MAVEN_CENTRAL = ("androidx.test", "androidx.test.espresso")
_AARS = {"com.facebook.fbjni:fbjni"}


@cache
def catalog() -> dict[str, Any]:
    """The parsed version catalog."""
    return tomllib.loads(CATALOG.read_text())


def version(name: str) -> str:
    """A version of the catalog, such as version("minSdk")."""
    return catalog()["versions"][name]


@cache
def lock() -> dict[str, dict[str, str]]:
    """Per purpose, "group:artifact:type:version" → SHA-256; under "npm", package → its SHA-512 integrity string."""
    return tomllib.loads(LOCK.read_text())


@dataclass(frozen=True)
class Part:
    """One file of Maven Central with the hash it must have."""

    coordinates: str
    sha256: str

    @property
    def path(self) -> Path:
        _, artifact, kind, number = self.coordinates.split(":")
        return cache_dir() / "parts" / self.sha256[:16] / f"{artifact}-{number}.{kind}"

    @property
    def downloaded_name(self) -> str:
        group, artifact, kind, number = self.coordinates.split(":")
        return f"{group}.{artifact}-{number}.{kind}"  # what -Dmdep.prependGroupId leaves


def fetch(*purposes: str) -> dict[str, list[Path]]:
    """The files for some purposes (tables of the lock); Maven downloads those that are not in the cache yet.

    Raises ToolError if Maven is needed and missing or fails, PocketTicketError for a file whose hash is not the lock's.
    """
    wanted = {purpose: [Part(c, h) for c, h in lock()[purpose].items()] for purpose in purposes}
    missing = {p for parts in wanted.values() for p in parts if not _intact(p.path, p.sha256)}
    if missing:
        _download(sorted(missing, key=lambda p: p.coordinates))
    return {purpose: [p.path for p in parts] for purpose, parts in wanted.items()}


@cache
def _intact(file: Path, sha256: str) -> bool:
    return file.is_file() and file_sha256(file) == sha256


def _download(parts: list[Part]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        items = "".join(_item("artifactItem", p.coordinates) for p in parts)
        _maven(folder, "copy", f"<configuration><artifactItems>{items}</artifactItems></configuration>", "")
        for part in parts:
            found = Path(folder, "out", part.downloaded_name)
            _check_hash(found, part.sha256, file_sha256(found), part.coordinates)
            put(found, part.path)
    _intact.cache_clear()


def _check_hash(file: Path, expected: str, found: str, name: str) -> None:
    if found != expected:
        raise PocketTicketError(
            f"the downloaded {name} has the hash {found}, the lock says {expected}",
            where=str(file.name),
            remedy="after a change of the version catalog run `python -m mobile_export.app.parts --lock`, otherwise "
            "don't use this mirror",
        )


def put(source: Path, target: Path) -> None:
    """Copies a file into the cache so that nobody ever sees half of it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent)
    os.close(handle)
    shutil.copyfile(source, temporary)
    Path(temporary).chmod(0o644)
    Path(temporary).replace(target)


def _item(tag: str, coordinates: str, extra: str = "") -> str:
    group, artifact, kind, number = (escape(word) for word in coordinates.split(":"))
    return (
        f"<{tag}><groupId>{group}</groupId><artifactId>{artifact}</artifactId>"
        f"<version>{number}</version><type>{kind}</type>{extra}</{tag}>"
    )


def _maven(folder: str, goal: str, configuration: str, dependencies: str) -> None:
    """Runs one goal of Maven's dependency plugin on a throw-away pom.xml; files land in folder/out."""
    executable = shutil.which("mvn")
    if executable is None:
        raise ToolError(
            "Maven, which downloads the app's parts once, is not on this machine",
            where="mvn",
            remedy="install it (Debian: apt-get install maven)",
        )
    plugin = "org.apache.maven.plugins:maven-dependency-plugin"
    group, artifact = plugin.split(":")
    pom = Path(folder, "pom.xml")
    pom.write_text(
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>pocket-ticket</groupId><artifactId>parts</artifactId><version>1</version>"
        f"<build><plugins><plugin><groupId>{group}</groupId><artifactId>{artifact}</artifactId>"
        f"<version>{version('mavenDependencyPlugin')}</version>{configuration}</plugin></plugins></build>"
        f"<dependencies>{dependencies}</dependencies></project>"
    )
    command = [
        executable,
        "-B",
        "-q",
        "-f",
        str(pom),
        f"{plugin}:{version('mavenDependencyPlugin')}:{goal}",
        f"-DoutputDirectory={folder}/out",
        "-Dmdep.prependGroupId=true",
        "-Dmdep.useBaseVersion=true",
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        first = next((line for line in (done.stdout + done.stderr).splitlines() if "[ERROR]" in line), "no message")
        raise ToolError(
            f"Maven could not download the app's parts ({first.strip()})",
            where="mvn",
            remedy="check the network or ~/.m2/settings.xml, then run the same command again",
        )


@dataclass(frozen=True)
class Runtime:
    """ExecuTorch for Android: its Java classes and, per ABI, its shared libraries."""

    classes: Path
    libraries: dict[str, tuple[Path, ...]]
    sha256: str


def npm_runtime() -> Runtime:
    """The runtime of the npm package, downloaded by `npm pack` once and checked against the locked SHA-512."""
    integrity = lock()["npm"][NPM_PACKAGE]
    folder = cache_dir() / "runtime" / hashlib.sha256(integrity.encode()).hexdigest()[:16]
    made_once(folder, lambda work: _unpack_npm(integrity, work))
    libraries: dict[str, tuple[Path, ...]] = {so.parent.name: (so,) for so in sorted(folder.glob("*/libexecutorch.so"))}
    return Runtime(folder / "classes.jar", libraries, hashlib.sha256(integrity.encode()).hexdigest())


def _unpack_npm(integrity: str, unpacked: Path) -> None:
    root, native = "package/android/libs/classes.jar", "package/third-party/android/libs/executorch/"
    with tempfile.TemporaryDirectory() as temporary:
        archive = _npm_pack(temporary)
        if integrity_of(archive) != integrity:
            _check_hash(archive, integrity, integrity_of(archive), NPM_PACKAGE)
        with tarfile.open(archive) as tar:
            for member in tar:
                if member.isfile() and (member.name == root or member.name.startswith(native)):
                    target = unpacked / (member.name.removeprefix(native) if member.name != root else "classes.jar")
                    target.parent.mkdir(exist_ok=True)
                    source = tar.extractfile(member)
                    assert source is not None  # it is a file
                    with source, target.open("wb") as sink:
                        shutil.copyfileobj(source, sink)


def _npm_pack(folder: str) -> Path:
    executable = shutil.which("npm")
    if executable is None:
        raise ToolError(
            "npm, which downloads ExecuTorch's Android runtime once, is not on this machine",
            where="npm",
            remedy="install it (Debian: apt-get install npm) or pass --runtime-aar FILE",
        )
    package = f"{NPM_PACKAGE}@{version('reactNativeExecutorch')}"
    done = subprocess.run(
        [executable, "pack", package, "--pack-destination", folder, "--silent"],
        capture_output=True,
        text=True,
        cwd=folder,
    )
    archives = list(Path(folder).glob("*.tgz"))
    if done.returncode != 0 or len(archives) != 1:
        raise ToolError(
            f"npm could not download {package} ({done.stderr.strip()[-200:] or 'no message'})",
            where="npm",
            remedy="check the network and run the same command again, or pass --runtime-aar FILE",
        )
    return archives[0]


def integrity_of(file: Path) -> str:
    """npm's form of SHA-512."""
    with file.open("rb") as stream:
        return "sha512-" + base64.b64encode(hashlib.file_digest(stream, "sha512").digest()).decode()


def resolve_lock() -> str:
    """Resolves every bundle of the catalog with all that it depends on and returns the lock's new text."""
    text = "# Written by `python -m mobile_export.app.parts --lock` from libs.versions.toml: do not edit.\n"
    for purpose, names in catalog()["bundles"].items():
        rows = []
        with tempfile.TemporaryDirectory() as folder:
            not_here = "".join(
                f"<exclusion><groupId>{g}</groupId><artifactId>*</artifactId></exclusion>"
                for g in _NOT_IN_MAVEN_CENTRAL
            )
            roots = "".join(
                _item("dependency", coordinates_of(n), f"<exclusions>{not_here}</exclusions>") for n in names
            )
            _maven(folder, "copy-dependencies", "", roots)
            _maven(folder, "list", f"<configuration><outputFile>{folder}/list</outputFile></configuration>", roots)
            for line in sorted(Path(folder, "list").read_text().splitlines()):
                words = line.strip().split(" ")[0].split(":")
                if len(words) == 5:
                    coordinates = ":".join(words[:4])
                    file = Path(folder, "out", Part(coordinates, "").downloaded_name)
                    rows.append(f'"{coordinates}" = "{file_sha256(file)}"\n')
        text += f"\n[{purpose}]\n{''.join(rows)}"
    with tempfile.TemporaryDirectory() as folder:
        return text + f'\n[npm]\n{NPM_PACKAGE} = "{integrity_of(_npm_pack(folder))}"\n'


def coordinates_of(library: str) -> str:
    """ "group:artifact:type:version" of a library of the catalog."""
    entry = catalog()["libraries"][library]
    kind = "aar" if entry["module"] in _AARS else "jar"
    return f"{entry['module']}:{kind}:{version(entry['version']['ref'])}"


def main() -> int:
    """Write the lock of the catalog's libraries. Returns the exit code."""
    parser = Parser(prog="python -m mobile_export.app.parts", description=__doc__.splitlines()[0])
    parser.add_argument("--lock", action="store_true", required=True, help="resolve the catalog and write the lock")
    parser.parse_args()
    return exit_code(lambda: write_atomic(LOCK, resolve_lock()))


if __name__ == "__main__":
    sys.exit(main())
