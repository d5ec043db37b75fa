"""Measurements on real phones, as further rows of a report's programs.

A run keeps them in `phones.json`, so that they are still there when the report is written anew.
"""

from pathlib import Path
from typing import Any

from compress.errors import PocketTicketError
from compress.files import read_json, write_json

_FILE = "phones.json"
_ELSEWHERE = "measured once, by the run, not on the phone"


def add_measurement(run: Path, measured: dict[str, Any]) -> None:
    """Keep what a phone measured (see mobile_export.app.adb) with the run in folder `run`; a phone's newest one counts.

    Raises PocketTicketError if the phone ran another program than the run's.
    """
    own = read_json(run / "report.json")["programs"]["ticket"]["sha256"]
    if measured["model"]["sha256"] != own:
        raise PocketTicketError(
            "the app on the phone holds another program than this run's",
            where=str(run),
            remedy="measure with the APK that this run built",
        )
    phones = [p for p in _read(run) if p["device"] != measured["device"]]
    write_json(run / _FILE, [*phones, measured])


def with_phones(report: dict[str, Any], run: Path) -> dict[str, Any]:
    """The report with one more program for each phone measured: the ticket's file, the phone's latencies."""
    programs, reasons = dict(report["programs"]), dict(report.get("not_measured", {}))
    for measured in _read(run):
        device = measured["device"]
        name = f"ticket on {device['maker']} {device['model']}".replace(".", " ")
        programs[name] = programs["ticket"] | {
            "label": f"phone program on {device['maker']} {device['model']}, Android {device['android']}",
            "latency_ms": measured["latency_ms"],
            "threads": measured["threads"],
            "peak_rss_bytes": None,
            "runtime_rss_bytes": None,
            "peak_rss_growth_bytes": None,
            "first_answer_ms": None,
            "metric": {"dev": None, "test": None, "ci95": None},
            "agreement_with_eager": None,
        }
        reasons[f"programs.{name}"] = _ELSEWHERE
    return report | {"programs": programs, "not_measured": reasons}


def _read(run: Path) -> list[dict[str, Any]]:
    file = run / _FILE
    return read_json(file) if file.is_file() else []
