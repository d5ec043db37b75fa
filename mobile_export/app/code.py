"""Kotlin sources and resources → classes.dex and compiled resources, without Gradle.

aapt2 compiles the resources, kotlinc and javac the code, ProGuard drops what is never reached and writes Java 8 class
files (ExecuTorch's are newer than dx understands), d8 or dx makes the dex file. The result is kept in the cache under a
hash of everything that went in, so that a build with another model takes a few seconds.
"""

import hashlib
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree
from zipfile import ZipFile

from mobile_export.app.parts import LOCK, PROJECT, Runtime, fetch, version
from mobile_export.app.tools import Tools, call
from mobile_export.cache import cache_dir, made_once

MAIN = PROJECT / "app" / "src" / "main"
LIBRARY = PROJECT / "textmodel" / "src" / "main"
RULES = (PROJECT / "textmodel" / "consumer-rules.pro", PROJECT / "app" / "proguard-rules.pro")
_ANDROID = "http://schemas.android.com/apk/res/android"
# Lambdas and string templates as classes and calls: dx knows no invokedynamic.
KOTLIN_FLAGS = [
    "-jvm-target",
    "1.8",
    "-no-stdlib",
    "-no-reflect",
    "-Werror",
    "-Xlambdas=class",
    "-Xsam-conversions=class",
    "-Xstring-concat=inline",
    "-Xno-param-assertions",
    "-Xno-call-assertions",
]


@dataclass(frozen=True)
class Code:
    """What the sources became: the dex file, and an APK that holds only the manifest and the resources."""

    dex: Path
    resources: Path
    generated: Path  # the folder with R.java, for tests


def namespace() -> str:
    """The app's package, as the Gradle file says it."""
    text = (PROJECT / "app" / "build.gradle.kts").read_text()
    return re.findall(r'namespace = "([\w.]+)"', text)[0]


def build_code(tools: Tools, runtime: Runtime) -> Code:
    """Compiles the app, or takes it from the cache. Raises PocketTicketError if a compiler refuses."""
    folder = made_once(cache_dir() / "code" / _key(tools, runtime), lambda work: _compile(tools, runtime, work))
    return Code(folder / "classes.dex", folder / "resources.apk", folder / "generated")


def _key(tools: Tools, runtime: Runtime) -> str:
    digest = hashlib.sha256(f"{runtime.sha256} {tools.d8} {tools.aapt2}".encode())
    files = [p for root in (LIBRARY, MAIN) for p in sorted(root.rglob("*")) if p.is_file()]
    own = Path(__file__).parent
    extra = [
        *RULES,
        PROJECT / "gradle" / "libs.versions.toml",
        LOCK,
        own / "code.py",
    ]
    for file in files + extra:
        digest.update(f"{file.name} {file.stat().st_size}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:32]


def _compile(tools: Tools, runtime: Runtime, work: Path) -> None:
    parts = fetch("runtime", "platform", "framework", "compiler", "shrinker", "dexer")
    platform = parts["platform"][0]
    libraries = [runtime.classes, *(jar_of(p, work) for p in parts["runtime"])]
    build_resources(tools, parts["framework"][0], work)
    classes, library = work / "classes", work / "library"
    # by itself, so that the app sees nothing of it but what any other app sees
    sources = sorted((LIBRARY / "kotlin").rglob("*.kt"))
    kotlinc(tools, parts["compiler"], sources, [platform, *libraries], library, module="textmodel")
    kotlinc(
        tools,
        parts["compiler"],
        sorted((MAIN / "kotlin").rglob("*.kt")) + sorted((work / "generated").rglob("*.java")),
        [platform, library, *libraries],
        classes,
    )
    call(
        [
            tools.javac,
            "--release",
            "8",
            "-Xlint:-options",
            "-d",
            classes,
            *sorted((work / "generated").rglob("*.java")),
        ],
        doing="compiling the resource names",
    )
    shrunk = work / "shrunk.jar"
    _shrink(tools, parts["shrinker"], [classes, library, *libraries], [platform, _java_base(tools)], shrunk)
    _dex(tools, parts["dexer"], platform, shrunk, work)
    for leftover in (shrunk, work / "manifest.xml", work / "res.zip"):
        leftover.unlink(missing_ok=True)
    shutil.rmtree(classes)
    shutil.rmtree(library)
    shutil.rmtree(work / "aars", ignore_errors=True)


def jar_of(part: Path, work: Path) -> Path:
    """The part itself, or the classes in an AAR."""
    if part.suffix != ".aar":
        return part
    target = work / "aars" / f"{part.stem}.jar"
    target.parent.mkdir(exist_ok=True)
    with ZipFile(part) as archive:
        target.write_bytes(archive.read("classes.jar"))
    return target


def build_resources(tools: Tools, framework: Path, work: Path) -> None:
    """manifest + res/ → work/resources.apk and work/generated/…/R.java."""
    # Gradle puts the package into the manifest as it merges; here nobody else does.
    ElementTree.register_namespace("android", _ANDROID)
    manifest = ElementTree.parse(MAIN / "AndroidManifest.xml")
    manifest.getroot().set("package", namespace())
    manifest.write(work / "manifest.xml", encoding="utf-8", xml_declaration=True)
    call([tools.aapt2, "compile", "--dir", MAIN / "res", "-o", work / "res.zip"], doing="compiling the resources")
    call(
        [
            tools.aapt2,
            "link",
            "-I",
            framework,
            "--manifest",
            work / "manifest.xml",
            "-o",
            work / "resources.apk",
            "--java",
            work / "generated",
            "--min-sdk-version",
            version("minSdk"),
            "--target-sdk-version",
            version("targetSdk"),
            "--version-code",
            version("appVersionCode"),
            "--version-name",
            version("appVersionName"),
            work / "res.zip",
        ],
        doing="linking the resources",
    )


def kotlinc(
    tools: Tools,
    compiler: list[Path],
    sources: list[Path],
    classpath: list[Path],
    output: Path,
    *,
    module: str = "app",
) -> None:
    """Runs the Kotlin compiler's main class directly; warnings are errors."""
    call(
        [
            tools.java,
            "-Xmx1g",
            "-cp",
            os.pathsep.join(map(str, compiler)),
            "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler",
            *KOTLIN_FLAGS,
            "-module-name",
            module,
            "-classpath",
            os.pathsep.join(map(str, classpath)),
            "-d",
            output,
            *sources,
        ],
        doing="compiling the Kotlin code",
    )


def _java_base(tools: Tools) -> Path:
    """java.lang and its kin, which android-all leaves to the machine's own JDK."""
    return tools.javac.resolve().parent.parent / "jmods" / "java.base.jmod"


def _shrink(tools: Tools, shrinker: list[Path], inputs: list[Path], platforms: list[Path], output: Path) -> None:
    rules = output.with_suffix(".pro")
    injars = "".join(f"-injars '{p}'(!META-INF/**,!module-info.class,!**.kotlin_builtins)\n" for p in inputs)
    known = "".join(f"-libraryjars '{p}'(!**.jar;!META-INF/**,!module-info.class)\n" for p in platforms)
    rules.write_text(
        f"{injars}-outjars '{output}'\n{known}"
        "-target 1.8\n-dontoptimize\n-dontobfuscate\n-dontnote **\n" + "".join(f"-include '{file}'\n" for file in RULES)
    )
    call(
        [tools.java, "-Xmx1g", "-cp", os.pathsep.join(map(str, shrinker)), "proguard.ProGuard", f"@{rules}"],
        doing="shrinking the code",
    )
    rules.unlink()


def _dex(tools: Tools, dexer: list[Path], platform: Path, jar: Path, work: Path) -> None:
    if tools.d8 is not None:
        call(
            [tools.d8, "--release", "--min-api", version("minSdk"), "--lib", platform, "--output", work, jar],
            doing="making the dex file with d8",
        )
    else:
        call(
            [
                tools.java,
                "-cp",
                os.pathsep.join(map(str, dexer)),
                "com.android.dx.command.Main",
                "--dex",
                f"--min-sdk-version={version('minSdk')}",
                f"--output={work / 'classes.dex'}",
                jar,
            ],
            doing="making the dex file with dx",
        )
