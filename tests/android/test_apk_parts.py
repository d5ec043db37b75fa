"""What the app is built from: versions in one place, hashes for everything, clear words where a tool is missing."""

import importlib.metadata
import json
import re
import struct
from pathlib import Path
from zipfile import ZipFile

import pytest

from compress.errors import ExportError, PocketTicketError, ToolError
from mobile_export.apk import build_apk, main
from mobile_export.app import parts
from mobile_export.app.parts import PROJECT, Part, catalog, coordinates_of, fetch, lock
from mobile_export.app.tools import find_tools
from mobile_export.app.zip import PAGE, Entry, places, write_zip
from mobile_export.bundle.check import check_bundle

VERSION = re.compile(r"""["':(@ ]v?\d+\.\d+(\.\d+)?[\w.-]*["')]""")


def test_the_lock_is_the_catalogs() -> None:
    for purpose, libraries in catalog()["bundles"].items():
        for library in libraries:
            assert coordinates_of(library) in lock()[purpose], "run python -m mobile_export.app.parts --lock"
    assert set(lock()) == {*catalog()["bundles"], "npm"}
    assert all(
        re.fullmatch(r"[0-9a-f]{64}", h)
        for purpose, parts in lock().items()
        if purpose != "npm"
        for h in parts.values()
    )
    assert lock()["npm"]["react-native-executorch"].startswith("sha512-")


def test_versions_stand_in_the_catalog_only() -> None:
    """No Gradle file and no build script names a version; plugins and dependencies all come from the catalog."""
    for file in PROJECT.rglob("*.gradle.kts"):
        text = file.read_text()
        found = [m.group() for m in VERSION.finditer(text) if m.group() != '"1.8"']
        assert not found, f"{file.name}: {found}"
        assert not re.findall(r"(?:Sdk|versionCode) = \d", text), file.name
    numbers = set(catalog()["versions"].values())
    for script in (Path(parts.__file__).parent).glob("*.py"):
        text = script.read_text()
        assert not [n for n in numbers if "." in n and f'"{n}"' in text], script.name
    modules = [(PROJECT / name / "build.gradle.kts").read_text() for name in ("app", "textmodel")]
    used = re.findall(r"libs\.versions\.(\w+)", "".join(modules))
    assert set(used) >= {"compileSdk", "minSdk", "targetSdk"} and set(used) <= set(catalog()["versions"])
    aliases = re.findall(r"(?:mplementation|api)\(libs\.([\w.]+)\)", "".join(modules))
    assert aliases and all(alias.replace(".", "-") in catalog()["libraries"] for alias in aliases)


def test_the_simulators_and_the_catalogs_sdks_agree() -> None:
    versions = catalog()["versions"]
    assert versions["compileSdk"] == versions["targetSdk"] == "36", "stores refuse an app for an older Android"
    assert versions["androidAll"].split("-")[0] == versions["androidNewest"].split("-")[0] == "16", "36 is Android 16"
    assert versions["minSdk"] == "26" and versions["androidOldest"].startswith("8.0.0"), "26 is Android 8"


def test_gradles_executorch_is_the_exporters() -> None:
    """A newer exporter may write what an older runtime can't read."""
    exporter = importlib.metadata.version("executorch")
    assert catalog()["versions"]["executorch"].split(".")[:2] == exporter.split(".")[:2]


def test_a_part_with_another_hash_is_never_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POCKET_TICKET_CACHE", str(tmp_path))
    part = Part("group:thing:jar:1.0", "0" * 64)
    part.path.parent.mkdir(parents=True)
    part.path.write_bytes(b"not it")
    monkeypatch.setattr(parts, "lock", lambda: {"runtime": {part.coordinates: part.sha256}})

    def maven(folder: str, *_: str) -> None:
        Path(folder, "out").mkdir()
        Path(folder, "out", part.downloaded_name).write_bytes(b"not it either")

    monkeypatch.setattr(parts, "_maven", maven)
    with pytest.raises(PocketTicketError, match=r"group:thing:jar:1\.0 has the hash [0-9a-f]{64}, the lock says 0{64}"):
        fetch("runtime")
    assert part.path.read_bytes() == b"not it"


@pytest.mark.parametrize(("missing", "sentence"), [("mvn", "apt-get install maven"), ("npm", "apt-get install npm")])
def test_a_missing_downloader_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str, sentence: str
) -> None:
    monkeypatch.setenv("POCKET_TICKET_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match=sentence):
        fetch("dexer") if missing == "mvn" else parts.npm_runtime()


def test_missing_tools_are_named_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PATH", "JAVA_HOME", "ANDROID_HOME", "ANDROID_SDK_ROOT"):
        monkeypatch.setenv(name, str(tmp_path))
    with pytest.raises(ToolError) as caught:
        find_tools()
    assert "java, javac, keytool, aapt2, apksigner are needed" in str(caught.value)
    assert "apt-get install aapt apksigner openjdk-17-jdk-headless" in str(caught.value)


def test_the_newest_build_tools_of_an_sdk_are_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in ("9.0.0", "34.0.0", "35.0.1"):
        folder = tmp_path / "build-tools" / number
        folder.mkdir(parents=True)
        for name in ("aapt2", "apksigner", "d8"):
            (folder / name).touch()
    (tmp_path / "bin").mkdir()
    for name in ("java", "javac", "keytool"):
        (tmp_path / "bin" / name).touch()
    monkeypatch.setenv("ANDROID_HOME", str(tmp_path))
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    found = find_tools()
    assert found.d8 == tmp_path / "build-tools" / "35.0.1" / "d8" and found.aapt2.parent.name == "35.0.1"
    assert found.java == tmp_path / "bin" / "java"


def test_the_zip_is_the_same_whatever_the_order_and_aligned(tmp_path: Path) -> None:
    entries = [
        Entry("lib/b/x.so", b"\x7fELF" * 5000),
        Entry("assets/t", b"text " * 9000),
        Entry("lib/a/ü.so", b"y"),
        Entry("resources.arsc", b"123"),
        Entry("classes.dex", b""),
    ]
    write_zip(tmp_path / "1.zip", entries)
    write_zip(tmp_path / "2.zip", entries[::-1])
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()
    with ZipFile(tmp_path / "1.zip") as archive:
        assert archive.testzip() is None
        assert {e.name: archive.read(e.name) for e in entries} == {e.name: e.data for e in entries}
    data = (tmp_path / "1.zip").read_bytes()
    for place in places(tmp_path / "1.zip"):
        entry = next(e for e in entries if e.name == place.name)
        assert place.compressed == (entry.alignment == 0)
        if entry.alignment:
            assert place.offset % entry.alignment == 0
            assert data[place.offset : place.offset + place.stored_bytes] == entry.data
    assert Entry("lib/b/x.so", b"").alignment == PAGE == 1 << 14
    assert struct.pack("<H", 0xD935) in data


def bundle(folder: Path, **changes) -> Path:
    """A bundle's manifest alone, with some keys changed."""
    manifest = {
        "format": 1,
        "task": {"kind": "classification"},
        "tokenizer": {"kind": "wordpiece", "file": "v", "sha256": ""},
        "model": {"file": "m", "sha256": ""},
        "golden": {"file": "g", "sha256": ""},
    }
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").write_text(json.dumps({**manifest, **changes}))
    return folder


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"format": 2}, "format 2, the app reads format 1"),
        ({"task": {"kind": "mlm"}}, "no screen for tasks of the kind 'mlm'"),
        ({"task": {"kind": "embedding"}}, "no screen for tasks of the kind 'embedding'"),
        ({"tokenizer": {"kind": "bpe"}}, "can't tokenize like a 'bpe' tokenizer"),
        ({}, "breaks its schema at 'golden.sha256'"),
    ],
)
def test_bundles_that_are_refused(tmp_path: Path, changes: dict, sentence: str) -> None:
    with pytest.raises(ExportError, match=sentence):
        check_bundle(bundle(tmp_path / "b", **changes))


def test_the_command_says_it_in_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["--bundle", str(tmp_path), "--output", str(tmp_path / "x.apk")]) == 2
    assert capsys.readouterr().err.startswith(
        f"pocket-ticket: {tmp_path}/manifest.json: not a readable bundle manifest; give --bundle"
    )
    with pytest.raises(ExportError):
        build_apk(tmp_path, tmp_path / "x.apk")
