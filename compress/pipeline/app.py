"""The demo app around a run's bundle."""

from typing import Any

from compress.errors import PocketTicketError
from compress.files import read_json, write_json
from compress.pipeline.run import Run

APK = "ticket-demo-debug.apk"


def build_app(run: Run) -> dict[str, Any] | str:
    """Build the demo app around the bundle, unless that is done: report.json's "apk", or why there is none."""
    from mobile_export.apk import build_apk
    from mobile_export.targets import TARGETS

    if run.task.kind == "mlm":
        return "the demo app has no screen for masked words"
    if not TARGETS[run.recipe.target].app:
        return f"the demo app is for android, and the target is {run.recipe.target}"
    file, about = run.bundle / APK, run.bundle / "apk.json"
    if file.is_file() and about.is_file():
        return read_json(about)
    try:
        with run.console.step("demo app", 1) as advance:
            apk = build_apk(run.bundle, file)
            advance(1)
    except PocketTicketError as error:
        return str(error)
    parts = {"model": apk.model_bytes, "native runtime": apk.native_bytes, "code": apk.code_bytes}
    found = {"file": f"android/{APK}", "bytes": apk.bytes, "parts": parts}
    write_json(about, found)
    return found
