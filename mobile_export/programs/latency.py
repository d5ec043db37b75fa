"""Bytes, latency and memory of programs, measured on the files themselves.

Latency is measured side by side: all programs in one fresh process, their order rotated, so that a busy machine treats
them alike. Memory is measured in one fresh process per program.
"""

import contextlib
import os
import statistics
import time
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from compress.errors import ExportError
from mobile_export.programs.fresh import in_fresh_process, portable
from mobile_export.programs.program import Program

LENGTHS = (12, 64)
MEMORY_TOKENS = 64
RUNS_A_ROUND = 10  # timed runs of a program in its turn
STARTS = 5  # timed starts of a program, cold and warm each


def measure(
    programs: Mapping[str, Program], *, lengths: Sequence[int] = LENGTHS, threads: int = 1, rounds: int = 20
) -> dict[str, dict[str, Any]]:
    """Everything measured of each program: report.json's `programs` entries but for the metric, which needs data.

    Keys: file, bytes, download_bytes, latency_ms, threads, peak_rss_bytes, runtime_rss_bytes, peak_rss_growth_bytes,
    first_answer_ms, delegated_fraction, delegated_pieces, leftover_ops, idle_neurons. Raises ExportError when a
    measuring process fails.
    """
    timed = _timed(programs, lengths, threads, rounds)
    return {
        name: {
            "file": program.path.name,
            "bytes": program.bytes,
            "download_bytes": download_bytes(program.path),
            **timed[name],
            "threads": threads,
            **peak_memory(program, threads=threads),
            "delegated_fraction": program.census.delegated_fraction,
            "delegated_pieces": program.census.pieces,
            "leftover_ops": dict(program.census.leftovers),
            "idle_neurons": program.idle_neurons,
        }
        for name, program in programs.items()
    }


def download_bytes(path: Path) -> int:
    """What the file takes in a download: its bytes deflated at level 9, as in an APK."""
    compressor, total = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS), 0
    with Path(path).open("rb") as file:
        while block := file.read(1 << 20):
            total += len(compressor.compress(block))
    return total + len(compressor.flush())


def latency(
    programs: Mapping[str, Program], *, lengths: Sequence[int] = LENGTHS, threads: int = 1, rounds: int = 20
) -> dict[str, dict[str, dict[str, float] | None]]:
    """Milliseconds per inference of one text: name → length → {"median", "p10", "p90"}; None: not its length.

    Every round runs each program 10 times after 3 unmeasured runs; the order moves on by one each round.
    """
    timed = _timed(programs, lengths, threads, rounds)
    return {name: entry["latency_ms"] for name, entry in timed.items()}


def _timed(
    programs: Mapping[str, Program], lengths: Sequence[int], threads: int, rounds: int
) -> dict[str, dict[str, Any]]:
    """Name → {"latency_ms", "first_answer_ms"}, all in one fresh process.

    first_answer_ms: from the file to the answer to a text of 12 tokens, medians of 5: "warm" with the file in the
    system's memory, "cold" with the file put out of it (None where the system can't do that).
    """
    request = {
        "what": "time",
        "programs": {name: portable(program) for name, program in programs.items()},
        "lengths": list(lengths),
        "threads": threads,
        "rounds": rounds,
    }
    return in_fresh_process(request)


def peak_memory(program: Program, *, tokens: int = MEMORY_TOKENS, threads: int = 1) -> dict[str, int]:
    """Bytes of resident memory of a fresh process that loads the runtime and runs the program at `tokens` tokens.

    peak_rss_bytes: the whole process at its peak, Python and torch included. runtime_rss_bytes: the same process before
    the program is loaded. peak_rss_growth_bytes: the difference, which is the program's own share.
    """
    request = {"what": "memory", "program": portable(program), "threads": threads}
    return in_fresh_process({**request, "tokens": min(tokens, program.max_tokens)})


def time_worker(request: Mapping[str, Any]) -> dict[str, Any]:
    from mobile_export.programs.runtime import LoadedProgram, set_threads

    set_threads(request["threads"])
    programs = {name: LoadedProgram(**given) for name, given in request["programs"].items()}
    timed = {length: rounds_of(programs, length, request["rounds"]) for length in request["lengths"]}
    return {
        name: {
            "latency_ms": {str(length): _summary(times[name]) for length, times in timed.items()},
            "first_answer_ms": _start(given),
        }
        for name, given in request["programs"].items()
    }


def rounds_of(programs: Mapping[str, Any], length: int, rounds: int) -> dict[str, list[float]]:
    """Loaded programs by name → ms of each timed run at one length, in turning order; [] where it takes none such."""
    able = [name for name, program in programs.items() if program.min_tokens <= length <= program.max_tokens]
    inputs = {name: programs[name].tensors(_text(length)) for name in able}
    times: dict[str, list[float]] = {name: [] for name in programs}
    for number in range(rounds):
        start = number % max(1, len(able))
        for name in able[start:] + able[:start]:
            run, given = programs[name].execute, inputs[name]
            for _ in range(3):
                run(given)
            for _ in range(RUNS_A_ROUND):
                begin = time.perf_counter()
                run(given)
                times[name].append((time.perf_counter() - begin) * 1e3)
    return times


def _summary(milliseconds: list[float]) -> dict[str, float] | None:
    if len(milliseconds) < 2:
        return None
    tenths = statistics.quantiles(milliseconds, n=10, method="inclusive")
    return {"median": statistics.median(milliseconds), "p10": tenths[0], "p90": tenths[-1]}


def _text(length: int) -> dict[str, list[int]]:
    return {"input_ids": [2 + position * 37 % 97 for position in range(length)]}  # which ids hardly matters to time


def memory_worker(request: Mapping[str, Any]) -> dict[str, int]:
    from mobile_export.programs.runtime import LoadedProgram, load_runtime, set_threads

    load_runtime()
    set_threads(request["threads"])
    _forget_peak()
    before = _resident("VmRSS")
    program = LoadedProgram(**request["program"])
    given = program.tensors(_text(request["tokens"]))
    for _ in range(3):
        program.execute(given)
    peak = _resident("VmHWM")
    return {"peak_rss_bytes": peak, "runtime_rss_bytes": before, "peak_rss_growth_bytes": max(0, peak - before)}


def _start(program: Mapping[str, Any]) -> dict[str, float | None]:
    from mobile_export.programs.runtime import LoadedProgram

    given = {**program, "sha256": None}  # a check would read the file into memory

    def once() -> float:
        begin = time.perf_counter()
        loaded = LoadedProgram(**given)
        loaded.execute(loaded.tensors(_text(min(LENGTHS[0], loaded.max_tokens))))
        return (time.perf_counter() - begin) * 1e3

    cold = [once() for _ in range(STARTS) if _forget_file(given["path"])]
    warm = [once() for _ in range(STARTS)]
    return {"cold": statistics.median(cold) if cold else None, "warm": statistics.median(warm)}


def _forget_file(path: str) -> bool:
    """Ask the system to drop a file from its memory. Returns whether this system can do it."""
    if not hasattr(os, "posix_fadvise"):
        return False
    with Path(path).open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return True


def _forget_peak() -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # the kernel starts its record of the peak again


def _resident(key: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) * 1024
    raise ExportError(f"this system does not report {key}", remedy="measure memory on Linux")
