"""Measuring on a phone, against an adb that answers as the real one does."""

import json
import stat
from pathlib import Path

import pytest
from sample_report import sample

from compress.errors import ExportError, PocketTicketError, ToolError
from compress.report import write_report
from mobile_export.app.adb import measure_on_device, read_result
from mobile_export.measure import main

RESULT = {
    "format": 1,
    "model": {"name": "phone_commands", "sha256": "ab" * 32, "bytes": 5_900_000},
    "threads": 1,
    "warm_up": 20,
    "runs": 200,
    "latency_ms": {"12": {"median": 0.81, "p10": 0.79, "p90": 0.95}, "64": {"median": 3.2, "p10": 3.1, "p90": 3.9}},
    "device": {
        "maker": "Google",
        "model": "Pixel 7",
        "android": "14",
        "abi": "arm64-v8a",
        "cores": 8,
        "build": "BP2A",
        "governor": None,
    },
    "thermal": ["none", "light"],
    "power_save": [False, True],
    "screen_on": [True, True],
}
# A small adb: keeps what it was asked in $HERE/asked, prints what the files beside it say, and fills in the run's name.
FAKE = r"""#!/bin/sh
here=$(dirname "$0")
echo "$*" >> "$here/asked"
[ "$1" = "-s" ] && shift 2
case "$1" in
  devices) cat "$here/devices" ;;
  install) cat "$here/install"; grep -q Success "$here/install" || exit 1 ;;
  shell)
    while [ "$1" != benchmark ] && [ $# -gt 0 ]; do shift; done
    echo "$2" > "$here/name"
    printf 'Starting: Intent { cmp=org.pocketticket.demo/.Measure (has extras) }\n'
    printf 'Status: ok\nLaunchState: COLD\nActivity: org.pocketticket.demo/.MainActivity\n'
    printf 'TotalTime: 412\nWaitTime: 415\nComplete\n' ;;
  logcat)
    polls=$(cat "$here/polls" 2>/dev/null || echo 0); echo $((polls + 1)) > "$here/polls"
    printf -- '--------- beginning of main\n'
    lines=1; [ "$polls" -ge 2 ] && lines=99
    head -n $lines "$here/log" | sed "s/NAME/$(cat "$here/name")/" ;;
esac
"""


@pytest.fixture
def phone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the fake adb at the head of PATH, and one well-behaved phone."""
    folder = tmp_path / "bin"
    folder.mkdir()
    adb = folder / "adb"
    adb.write_text(FAKE)
    adb.chmod(adb.stat().st_mode | stat.S_IXUSR)
    (folder / "devices").write_text("List of devices attached\n3A151FDH2000XX\tdevice\n\n")
    (folder / "install").write_text("Performing Streamed Install\nSuccess\n")
    text = json.dumps(RESULT)
    (folder / "log").write_text(
        f"benchmark NAME ok 1/2 {text[:150]}\nbenchmark older ok 1/1 {{}}\nbenchmark NAME ok 2/2 {text[150:]}\n"
    )
    (folder / "app.apk").write_bytes(b"PK")
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.delenv("ANDROID_HOME", raising=False)
    return folder


def measure(phone: Path, **options) -> dict:
    """Measures without waiting between the looks at the log."""
    return measure_on_device(phone / "app.apk", wait=lambda _: None, **options)


def test_installs_measures_and_reads_the_pieces(phone: Path) -> None:
    result = measure(phone, runs=50)
    assert result["latency_ms"] == RESULT["latency_ms"]
    assert result["device"] == {**RESULT["device"], "serial": "3A151FDH2000XX"}
    asked = (phone / "asked").read_text().splitlines()
    assert asked[0] == "devices"
    assert asked[1] == f"-s 3A151FDH2000XX install -r {phone / 'app.apk'}"
    assert (result["power_save"], result["screen_on"]) == ([False, True], [True, True])
    assert " -n org.pocketticket.demo/org.pocketticket.demo.Measure " in asked[2]
    assert asked[2].endswith(f"--es benchmark {(phone / 'name').read_text().strip()} --ei runs 50")
    assert sum("logcat" in line for line in asked) == 3, "an incomplete result is waited for"


@pytest.mark.parametrize(
    ("devices", "serial", "sentence"),
    [
        ("", None, "no phone is connected"),
        ("A\tdevice\nB\tdevice\n", None, "2 phones are connected; choose one by its serial number: A, B"),
        ("A\tunauthorized\n", None, "A: the phone is unauthorized; accept the debugging question"),
        ("A\tdevice\n", "B", "B: the phone is not connected"),
    ],
)
def test_phones_that_cannot_be_used(phone: Path, devices: str, serial: str | None, sentence: str) -> None:
    (phone / "devices").write_text("List of devices attached\n" + devices)
    with pytest.raises(PocketTicketError, match=sentence):
        measure(phone, serial=serial)


@pytest.mark.parametrize(
    ("printed", "remedy"),
    [
        (
            "adb: failed to install app.apk: Failure [INSTALL_FAILED_UPDATE_INCOMPATIBLE: signatures do not match]",
            "adb uninstall",
        ),
        ("adb: failed to install app.apk: Failure [INSTALL_FAILED_NO_MATCHING_ABIS: res=-113]", "--abi arm64-v8a"),
    ],
)
def test_refused_installs_say_what_to_do(phone: Path, printed: str, remedy: str) -> None:
    (phone / "install").write_text(printed + "\n")
    with pytest.raises(PocketTicketError, match=remedy):
        measure(phone)


def test_the_apps_own_failure_is_passed_on(phone: Path) -> None:
    (phone / "log").write_text("benchmark NAME error 1/1 The model is switched off; the Model screen says why.\n")
    with pytest.raises(ExportError, match="could not measure: The model is switched off"):
        measure(phone)


def test_an_app_that_stays_silent_ends_the_wait(phone: Path) -> None:
    (phone / "log").write_text("something else\n")
    with pytest.raises(ExportError, match="no result within 0 seconds"):
        measure(phone, timeout_s=0)


def test_without_adb(phone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ToolError, match="apt-get install adb"):
        measure(phone)


def test_a_result_that_is_none(phone: Path) -> None:
    with pytest.raises(ExportError, match="no readable result"):
        read_result('benchmark x ok 1/1 {"threads": 1}', "x")
    assert read_result("benchmark y ok 1/1 {}", "x") is None


def test_a_measurement_becomes_a_row_of_the_report(phone: Path, tmp_path: Path, capsys) -> None:
    report = sample()
    run = tmp_path / "run"
    (run / "android").mkdir(parents=True)
    (run / "android" / "demo.apk").write_bytes(b"PK")
    report["programs"]["ticket"]["sha256"] = RESULT["model"]["sha256"]
    write_report(report, run)
    assert main(["--device", "adb", "--run", str(run)]) == 0
    assert "12 tokens: median 0.81 ms" in capsys.readouterr().out
    row = json.loads((run / "report.json").read_text())["programs"]["ticket on Google Pixel 7"]
    assert row["latency_ms"] == RESULT["latency_ms"]
    assert row["metric"]["test"] is None
    assert "Pixel 7" in (run / "report.html").read_text(encoding="utf-8")

    report["programs"]["ticket"]["sha256"] = "cd" * 32
    write_report(report, run)
    (phone / "polls").unlink()
    assert main(["--device", "adb", "--run", str(run)]) == 2
    assert "another program than this run's" in capsys.readouterr().err
