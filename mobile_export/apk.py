"""A bundle and the demo app's sources → a signed APK, on a machine without Gradle and without an Android SDK.

python -m mobile_export.apk --bundle runs/demo/android --output demo.apk
"""

import os
import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from compress.console import Parser, exit_code
from compress.errors import ExportError, PocketTicketError
from compress.files import file_sha256
from mobile_export.app.code import build_code
from mobile_export.app.parts import Runtime, fetch, npm_runtime, version
from mobile_export.app.signing import Key, debug_key, sign
from mobile_export.app.tools import find_tools
from mobile_export.app.zip import PAGE, Entry, places, write_zip
from mobile_export.bundle.check import bundle_files, check_bundle

ABIS = ("arm64-v8a", "x86_64")


@dataclass(frozen=True)
class Apk:
    """A finished APK and what its bytes are made of; the parts add up to `bytes`.

    `model_bytes`: the deflated bundle. `native_bytes`: the shared libraries of all ABIs and their alignment.
    `code_bytes`: dex, resources, signature and the zip's own directory.
    """

    path: Path
    bytes: int
    model_bytes: int
    native_bytes: int
    code_bytes: int
    abis: tuple[str, ...]
    sha256: str


def build_apk(
    bundle: Path,
    output: Path,
    *,
    abis: tuple[str, ...] = ABIS,
    keystore: Path | None = None,
    runtime_aar: Path | None = None,
) -> Apk:
    """Builds the demo app around a bundle (DIR/android of a run) and signs it.

    `keystore`: a key store whose password is in POCKET_TICKET_KEYSTORE_PASSWORD and whose only key signs; default is a
    debug key that is made once per user. `runtime_aar`: the official executorch-android AAR instead of the npm package.
    The same bundle, sources and RSA key give the same bytes.

    Raises ExportError for a bundle that is incomplete, damaged or not for this app, ToolError for a missing program,
    PocketTicketError if a part has a wrong hash or a program fails.
    """
    bundle, output = Path(bundle), Path(output)
    manifest = check_bundle(bundle)
    tools = find_tools()
    key = _key(keystore) if keystore else debug_key(tools)
    with tempfile.TemporaryDirectory(dir=_parent(output), prefix=".apk-") as folder:
        work = Path(folder)
        runtime = _from_aar(runtime_aar, work) if runtime_aar else npm_runtime()
        code = build_code(tools, runtime)
        entries = [
            *_resources(code.resources),
            Entry("classes.dex", code.dex.read_bytes()),
            *_libraries(runtime, abis),
            *_assets(bundle, bundle_files(manifest)),
        ]
        write_zip(work / "unsigned.apk", entries)
        sign(tools, work / "unsigned.apk", work / "signed.apk", key, int(version("minSdk")))
        apk = _measure(work / "signed.apk", output, abis)
        (work / "signed.apk").replace(output)
    return apk


def _parent(output: Path) -> Path:
    output.parent.mkdir(parents=True, exist_ok=True)
    return output.parent


def _key(keystore: Path) -> Key:
    if not Path(keystore).is_file():
        raise PocketTicketError("no such key store", where=str(keystore), remedy="give --keystore an existing file")
    if "POCKET_TICKET_KEYSTORE_PASSWORD" not in os.environ:
        raise PocketTicketError(
            "the key store's password is not set",
            where=str(keystore),
            remedy="put it into the environment variable POCKET_TICKET_KEYSTORE_PASSWORD",
        )
    return Key(Path(keystore), None, "env:POCKET_TICKET_KEYSTORE_PASSWORD")


def _resources(linked: Path) -> list[Entry]:
    with ZipFile(linked) as archive:
        return [Entry(name, archive.read(name)) for name in archive.namelist() if not name.endswith("/")]


def _assets(bundle: Path, names: Sequence[str]) -> list[Entry]:
    return [Entry(f"assets/bundle/{name}", (bundle / name).read_bytes()) for name in names]


def _libraries(runtime: Runtime, abis: tuple[str, ...]) -> list[Entry]:
    """ExecuTorch's library and those it needs (fbjni and the C++ library), for each ABI."""
    unknown = [abi for abi in abis if abi not in runtime.libraries]
    if unknown or not abis:
        raise PocketTicketError(
            f"there is no ExecuTorch library for {', '.join(unknown) or 'no ABI at all'}",
            where="--abi",
            remedy=f"choose from {', '.join(runtime.libraries)}",
        )
    fbjni = next(p for p in fetch("runtime")["runtime"] if p.suffix == ".aar")
    entries = {}
    with ZipFile(fbjni) as archive:
        for abi in abis:
            for library in ("libfbjni.so", "libc++_shared.so"):
                entries[f"lib/{abi}/{library}"] = archive.read(f"jni/{abi}/{library}")
            for file in runtime.libraries[abi]:
                entries[f"lib/{abi}/{file.name}"] = file.read_bytes()
    return [Entry(name, data) for name, data in entries.items()]


def _from_aar(aar: Path, work: Path) -> Runtime:
    """Unpacks classes and libraries of an official AAR."""
    try:
        with ZipFile(aar) as archive:
            names = [n for n in archive.namelist() if n == "classes.jar" or re.fullmatch(r"jni/[\w-]+/[\w+.-]+\.so", n)]
            archive.extractall(work, names)
    except (OSError, BadZipFile) as error:
        raise PocketTicketError(
            "not a readable AAR",
            where=str(aar),
            remedy="give --runtime-aar the file executorch-android-….aar of Maven Central",
        ) from error
    if "classes.jar" not in names or len(names) == 1:
        raise PocketTicketError(
            "the AAR has no classes.jar or no libraries under jni/",
            where=str(aar),
            remedy="give --runtime-aar the official executorch-android AAR",
        )
    libraries = {abi.name: tuple(sorted(abi.glob("*.so"))) for abi in sorted((work / "jni").iterdir())}
    return Runtime(work / "classes.jar", libraries, file_sha256(Path(aar)))


def _measure(signed: Path, output: Path, abis: tuple[str, ...]) -> Apk:
    """Splits the bytes, and makes sure that signing has left the libraries on page boundaries."""
    found = list(places(signed))
    crooked = [p.name for p in found if p.name.endswith(".so") and (p.compressed or p.offset % PAGE)]
    if crooked:
        raise ExportError(
            f"{', '.join(crooked)} would not load on a phone with 16 KiB pages",
            where=str(output),
            remedy="use the apksigner of Debian or of Android's build tools 30 or newer",
        )
    size = signed.stat().st_size
    model = sum(p.stored_bytes for p in found if p.name.startswith("assets/bundle/"))
    ends = sorted(p.offset + p.stored_bytes for p in found)
    native = sum(
        p.offset + p.stored_bytes - max((e for e in ends if e <= p.offset), default=0)
        for p in found
        if p.name.endswith(".so")
    )
    return Apk(output, size, model, native, size - model - native, abis, file_sha256(signed))


def main(arguments: list[str] | None = None) -> int:
    """The command: 0 with the APK written, 2 with one sentence."""
    parser = Parser(
        prog="pocket-ticket apk",
        description="Build the demo app around a bundle.",
        epilog="example: pocket-ticket apk --bundle runs/mine/android --output mine.apk",
    )
    parser.add_argument("--bundle", type=Path, required=True, help="DIR/android of a run")
    parser.add_argument("--output", type=Path, required=True, help="the APK to write")
    parser.add_argument("--abi", default=",".join(ABIS), help="comma-separated; default: %(default)s")
    parser.add_argument("--keystore", type=Path, help="sign with this key store (default: a debug key, made once)")
    parser.add_argument("--runtime-aar", type=Path, help="the official executorch-android AAR")
    options = parser.parse_args(arguments)

    def work() -> None:
        apk = build_apk(
            options.bundle,
            options.output,
            abis=tuple(options.abi.split(",")),
            keystore=options.keystore,
            runtime_aar=options.runtime_aar,
        )
        print(
            f"{apk.path}: {apk.bytes / 1e6:.1f} MB = model {apk.model_bytes / 1e6:.1f} + native libraries "
            f"{apk.native_bytes / 1e6:.1f} ({', '.join(apk.abis)}) + code {apk.code_bytes / 1e6:.2f}; "
            f"sha256 {apk.sha256}"
        )

    return exit_code(work)


if __name__ == "__main__":
    sys.exit(main())
