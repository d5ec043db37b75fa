"""How many threads pay: a program with one and with more, in turns, and the fewest that are about the fastest."""

import os
from collections.abc import Mapping, Sequence
from statistics import geometric_mean, median
from typing import Any

from mobile_export.programs.fresh import in_fresh_process, portable
from mobile_export.programs.latency import LENGTHS, rounds_of
from mobile_export.programs.program import Program

COUNTS = (1, 2)
WORTH = 1.10  # more threads must be that many times as fast: they take cores from the app and charge from the battery

Medians = Mapping[str, Mapping[str, float]]  # threads → length → ms


def measure_threads(
    program: Program, *, lengths: Sequence[int] = LENGTHS, counts: Sequence[int] = COUNTS, rounds: int = 6
) -> dict[str, Any]:
    """{"recommended": threads, "latency_ms": {threads: {length: median ms}}} of a program on this machine.

    Lengths that the program does not take are left out, as are more threads than there are cores. Raises ExportError
    when the measuring process fails.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    request = {
        "what": "threads",
        "program": portable(program),
        "lengths": [n for n in lengths if program.min_tokens <= n <= program.max_tokens] or [program.max_tokens],
        "counts": [count for count in counts if count <= cores] or [min(counts)],
        "threads": max(counts),
        "rounds": rounds,
    }
    latency = in_fresh_process(request)
    return {"recommended": recommended(latency), "latency_ms": latency}


def recommended(latency: Medians) -> int:
    """The fewest threads than which no more are WORTH times as fast, in the geometric mean over the lengths."""
    means = {int(count): geometric_mean(times.values()) for count, times in latency.items()}
    return min(count for count, mean in means.items() if mean <= WORTH * min(means.values()))


def threads_worker(request: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """What `measure_threads` asks a process of its own for."""
    from mobile_export.programs.runtime import LoadedProgram, set_threads

    taken: dict[int, dict[int, list[float]]] = {count: {} for count in request["counts"]}
    for _ in range(request["rounds"]):
        for count, times in taken.items():
            set_threads(count)  # a program keeps the threads that there were when it was loaded
            program = {"it": LoadedProgram(**request["program"])}
            for length in request["lengths"]:
                times.setdefault(length, []).extend(rounds_of(program, length, 1)["it"])
            del program
    return {str(count): {str(n): median(ms) for n, ms in times.items()} for count, times in taken.items()}
