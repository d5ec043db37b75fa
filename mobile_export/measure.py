"""Measure a finished run on a phone: `python -m mobile_export.measure --device adb --run DIR`."""

import sys
from pathlib import Path
from typing import Any

from compress.console import Parser, exit_code
from compress.errors import ExportError


def measure_phone(run: Path, *, serial: str | None = None, runs: int = 200) -> dict[str, Any]:
    """Measure a finished run's APK on a connected phone and add the row to the run's report. Returns the measurement.

    Raises ToolError without adb, PocketTicketError for a phone or run that can't be used.
    """
    from compress.files import read_json
    from compress.report import write_report
    from compress.report.phones import add_measurement, with_phones
    from mobile_export.app.adb import measure_on_device

    apk = next((run / "android").glob("*.apk"), None)
    if apk is None or not (run / "report.json").is_file():
        raise ExportError("there is no finished run with an APK", where=str(run), remedy="run pocket-ticket run first")
    measured = measure_on_device(apk, serial=serial, runs=runs)
    add_measurement(run, measured)
    write_report(with_phones(read_json(run / "report.json"), run), run)
    return measured


def main(arguments: list[str] | None = None) -> int:
    """The command: 0 with the measurement added to the report, 2 with one sentence."""
    parser = Parser(
        prog="pocket-ticket measure",
        description="Measure a run's program on a phone that adb sees, and add the row to the run's report.",
        epilog="example:\n  pocket-ticket measure --device adb --run runs/mine",
    )
    parser.add_argument("--device", choices=["adb"], required=True, help="how the phone is reached")
    parser.add_argument("--run", type=Path, required=True, metavar="DIR", help="the folder of a finished run")
    parser.add_argument("--serial", help="which phone, where several are connected")
    parser.add_argument("--runs", type=int, default=200, help="timed runs at each length (default: 200)")
    given = parser.parse_args(arguments)

    def work() -> None:
        measured = measure_phone(given.run, serial=given.serial, runs=given.runs)
        for tokens, times in measured["latency_ms"].items():
            print(f"{tokens} tokens: median {times['median']:.2f} ms, p90 {times['p90']:.2f} ms")
        print(f"added to {given.run / 'report.html'}")

    return exit_code(work)


if __name__ == "__main__":
    sys.exit(main())
