"""The signed APK, opened again with other programs than those that made it."""

import dataclasses
import hashlib
import re
import shutil
import subprocess
import zlib
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import pytest

from compress.errors import ExportError, PocketTicketError
from mobile_export.apk import Apk, build_apk
from mobile_export.app.parts import npm_runtime
from mobile_export.app.zip import PAGE, places

pytestmark = pytest.mark.slow
FILES = ("model.pte", "vocab.txt", "golden.json", "manifest.json")


def printed(*command: object) -> str:
    """What a program prints."""
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def apk(tools, bundles: Path, tmp_path_factory: pytest.TempPathFactory) -> Apk:
    """The demo app around the tiny classification bundle."""
    return build_apk(bundles / "classification", tmp_path_factory.mktemp("apk") / "demo.apk")


def test_signed_with_the_schemes_2_and_3(apk: Apk, tools) -> None:
    report = printed(tools.apksigner, "verify", "--verbose", "--min-sdk-version", "26", apk.path)
    schemes = dict(re.findall(r"using v(\d) scheme .*: (true|false)", report))
    assert schemes["2"] == schemes["3"] == "true"
    assert "Number of signers: 1" in report


def test_a_changed_byte_breaks_the_signature(apk: Apk, tools, tmp_path: Path) -> None:
    data = bytearray(apk.path.read_bytes())
    data[next(p for p in places(apk.path) if p.name.endswith("model.pte")).offset + 100] ^= 1
    (tmp_path / "changed.apk").write_bytes(data)
    done = subprocess.run([str(tools.apksigner), "verify", str(tmp_path / "changed.apk")], capture_output=True)
    assert done.returncode != 0


def test_asks_for_no_permission_and_names_its_versions(apk: Apk, tools) -> None:
    badging = printed(tools.aapt2, "dump", "badging", apk.path)
    assert "uses-permission" not in badging
    assert "sdkVersion:'26'" in badging and "targetSdkVersion:'36'" in badging
    assert "package: name='org.pocketticket.demo'" in badging
    assert "launchable-activity: name='org.pocketticket.demo.MainActivity'" in badging
    assert "native-code: 'arm64-v8a' 'x86_64'" in badging
    assert printed(tools.aapt2, "dump", "permissions", apk.path).strip() == "package: org.pocketticket.demo"
    assert "debuggable" not in printed(tools.aapt2, "dump", "xmltree", "--file", "AndroidManifest.xml", apk.path)


def test_libraries_are_the_runtimes_and_begin_on_16_kib_pages(apk: Apk) -> None:
    libraries = [p for p in places(apk.path) if p.name.endswith(".so")]
    assert {p.name for p in libraries} == {
        f"lib/{abi}/{name}"
        for abi in ("arm64-v8a", "x86_64")
        for name in ("libexecutorch.so", "libfbjni.so", "libc++_shared.so")
    }
    assert all(not p.compressed and p.offset % PAGE == 0 for p in libraries)
    with ZipFile(apk.path) as archive:
        for abi, (library,) in npm_runtime().libraries.items():
            assert archive.read(f"lib/{abi}/libexecutorch.so") == library.read_bytes()
        for entry in archive.infolist():
            if entry.filename.endswith(".so"):
                assert loads_on_16_kib_pages(archive.read(entry)), entry.filename
        assert archive.getinfo("resources.arsc").compress_type == ZIP_STORED


def loads_on_16_kib_pages(elf: bytes) -> bool:
    """Every PT_LOAD segment of a 64-bit ELF file is aligned to at least 16 KiB."""
    start, size, count = (
        int.from_bytes(elf[32:40], "little"),
        int.from_bytes(elf[54:56], "little"),
        int.from_bytes(elf[56:58], "little"),
    )
    headers = [elf[start + i * size : start + (i + 1) * size] for i in range(count)]
    return all(int.from_bytes(h[48:56], "little") >= PAGE for h in headers if h[:4] == b"\x01\0\0\0")


def test_holds_exactly_the_bundle_deflated(apk: Apk, bundles: Path) -> None:
    with ZipFile(apk.path) as archive:
        assert archive.testzip() is None
        inside = {n.removeprefix("assets/bundle/") for n in archive.namelist() if n.startswith("assets/")}
        assert inside == set(FILES)
        for name in FILES:
            assert archive.read(f"assets/bundle/{name}") == (bundles / "classification" / name).read_bytes()
        model = archive.getinfo("assets/bundle/model.pte")
        best = len(zlib.compress((bundles / "classification" / "model.pte").read_bytes(), 9))
        assert model.compress_size <= best


def test_dex_is_sound_and_holds_no_kotlin_reflection(apk: Apk, tmp_path: Path) -> None:
    if shutil.which("dexdump") is None:
        pytest.skip("needs dexdump (Debian: apt-get install dexdump)")
    with ZipFile(apk.path) as archive:
        archive.extract("classes.dex", tmp_path)
    listing = printed("dexdump", "-f", tmp_path / "classes.dex")  # checks checksums and structure first
    classes = set(re.findall(r"Class descriptor  : 'L([^;]+);'", listing))
    assert {
        "org/pocketticket/demo/MainActivity",
        "org/pytorch/executorch/Module",
        "com/facebook/jni/HybridData",
    } <= classes
    # KClass is an empty interface that the standard library's exceptions mention; nothing implements it.
    assert not [
        c
        for c in classes - {"kotlin/reflect/KClass"}
        if c.startswith(("kotlin/reflect/", "kotlin/coroutines/", "kotlinx/", "android/", "androidx/"))
    ]
    assert len([c for c in classes if c.startswith("kotlin/")]) < 150, "the shrinker has left the standard library in"
    assert not [c for c in classes if c.startswith(("org/junit/", "org/robolectric/"))]


def test_the_split_adds_up(apk: Apk) -> None:
    assert apk.bytes == apk.path.stat().st_size == apk.model_bytes + apk.native_bytes + apk.code_bytes
    assert apk.sha256 == hashlib.sha256(apk.path.read_bytes()).hexdigest()
    assert apk.code_bytes < 500_000 and apk.native_bytes > 50_000_000


def test_same_bundle_and_key_give_the_same_bytes(apk: Apk, bundles: Path, tmp_path: Path) -> None:
    again = build_apk(bundles / "classification", tmp_path / "again.apk")
    assert again.sha256 == apk.sha256
    other = build_apk(bundles / "tokens", tmp_path / "other.apk")
    assert other.sha256 != apk.sha256


def test_the_code_comes_out_the_same_from_an_empty_cache(apk: Apk, bundles: Path, tmp_path: Path, monkeypatch) -> None:
    """Compiled anew: only downloads and the key are kept."""
    from mobile_export.cache import cache_dir

    for kept in ("parts", "runtime", "debug.p12"):
        (tmp_path / "cache").mkdir(exist_ok=True)
        (tmp_path / "cache" / kept).symlink_to(cache_dir() / kept)
    monkeypatch.setenv("POCKET_TICKET_CACHE", str(tmp_path / "cache"))
    assert build_apk(bundles / "classification", tmp_path / "anew.apk").sha256 == apk.sha256


def test_own_key_one_abi_and_the_official_aar(tools, apk: Apk, bundles: Path, tmp_path: Path, monkeypatch) -> None:
    store, runtime = tmp_path / "own.p12", npm_runtime()
    printed(
        tools.keytool,
        "-genkeypair",
        "-keystore",
        store,
        "-storetype",
        "PKCS12",
        "-storepass",
        "secret1",
        "-alias",
        "own",
        "-keyalg",
        "RSA",
        "-keysize",
        "2048",
        "-dname",
        "CN=Somebody else",
    )
    with ZipFile(tmp_path / "official.aar", "w") as aar:
        aar.write(runtime.classes, "classes.jar")
        aar.write(runtime.libraries["arm64-v8a"][0], "jni/arm64-v8a/libexecutorch.so")
    monkeypatch.setenv("POCKET_TICKET_KEYSTORE_PASSWORD", "secret1")
    built = build_apk(
        bundles / "classification",
        tmp_path / "own.apk",
        abis=("arm64-v8a",),
        keystore=store,
        runtime_aar=tmp_path / "official.aar",
    )
    assert "CN=Somebody else" in printed(tools.apksigner, "verify", "--print-certs", built.path)
    assert built.abis == ("arm64-v8a",) and built.native_bytes < apk.native_bytes / 2
    assert dataclasses.asdict(built)["path"] == tmp_path / "own.apk"
    with pytest.raises(PocketTicketError, match="no ExecuTorch library for x86_64"):
        build_apk(bundles / "classification", tmp_path / "x.apk", runtime_aar=tmp_path / "official.aar")


def test_a_damaged_bundle_is_refused_before_anything_is_built(bundles: Path, tmp_path: Path) -> None:
    broken = shutil.copytree(bundles / "classification", tmp_path / "broken")
    (broken / "model.pte").write_bytes((broken / "model.pte").read_bytes()[:-1] + b"!")
    with pytest.raises(ExportError, match="hash is not the one in"):
        build_apk(broken, tmp_path / "x.apk")
    assert not (tmp_path / "x.apk").exists()
