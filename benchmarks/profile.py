"""Where an inference spends its time, operator by operator, as ExecuTorch's own profiler (ETDump, Inspector) saw it.

    python -m benchmarks.profile runs/balanced/dense runs/balanced/shrunk runs/faster/shrunk --output docs/profile.md

Each model is lowered to its int8 program, run at each length with the profiler on, and its operators summed by kind.
"""

import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from statistics import fmean, median
from typing import TYPE_CHECKING

from benchmarks.peers.compare import machine
from benchmarks.peers.models import MAX_TOKENS, Subject, texts_of
from benchmarks.peers.page import table
from compress.console import Parser, exit_code
from compress.errors import ExportError
from compress.files import write_atomic
from mobile_export.programs.program import Program
from mobile_export.programs.quiet import quiet

if TYPE_CHECKING:
    from executorch.devtools.inspector import Event

LENGTHS = (12, 32, 64, 128)
WARM_UP = 5  # runs before those that count
XNNPACK = {  # the beginning of XNNPACK's name of an operator → what the encoder does with it, in the page's order
    "Fully Connected (NC, QDU8, F32, QC8W)": "int8 Linears, the rounding of their inputs included",
    "Fully Connected (NC, F32)": "means of the norms, as fp32 Linears with one output",
    "Batch Matrix Multiply": "attention: queries · keys, weights · values",
    "Softmax": "softmax",
    "GELU": "GELU",
    "Transpose": "heads to the front and back: transposes",
    "Static Reshape": "heads to the front and back: reshapes",
}
ELEMENTWISE = "additions, products, roots, conversions"
OUTSIDE = "outside XNNPACK: gathers and slices of tables"
BETWEEN = "in no operator's time"
KINDS = (*XNNPACK.values(), ELEMENTWISE, OUTSIDE, BETWEEN)
WHOLE = "Method::execute"  # ExecuTorch's own event of one inference
NOTES = (
    "One thread. Each cell is the mean over the fastest quarter of {runs} runs with the profiler: a column sums "
    "to its inference; the last row is the median of as many runs without the profiler, taken in turns with them.",
    f"{BETWEEN[0].upper()}{BETWEEN[1:]}: XNNPACK's profiler cuts every operator's time to whole µs, so that up to 1 µs "
    "of each is missing above; ExecuTorch has XNNPACK reshape and set up every operator again on every call; and the "
    "profiler itself takes time.",
)


@dataclass(frozen=True)
class Profile:
    """One program at one length: µs per inference by kind, with the profiler and without, and operators by kind."""

    parts: Mapping[str, float]
    counts: Mapping[str, int]
    profiled: float
    plain: float


def profile(program: Program, ids: Sequence[int], *, runs: int) -> Profile:
    """Run a program on one text (T,), with and without the profiler in turns, on one thread.

    Raises ExportError where this ExecuTorch has no profiler.
    """
    import torch

    from mobile_export.programs.runtime import LoadedProgram, load_runtime, set_threads

    load_runtime()
    set_threads(1)
    inputs, plain = [torch.tensor([list(ids)])], []
    bare = LoadedProgram.of(program)
    with quiet(), tempfile.TemporaryDirectory() as temporary:
        from executorch.devtools import Inspector
        from executorch.extension.pybindings import portable_lib

        watched = portable_lib._load_for_executorch(str(program.path), enable_etdump=True)
        if not watched.has_etdump():
            raise ExportError("this ExecuTorch was built without its profiler", remedy="use the published package")
        for _ in range(WARM_UP + runs):
            watched.run_method("forward", tuple(inputs))
            began = time.perf_counter()
            bare.execute(inputs)
            plain.append(1e6 * (time.perf_counter() - began))
        dump = Path(temporary) / "profile.etdp"
        watched.write_etdump_result_to_file(str(dump))
        blocks = Inspector(etdump_path=str(dump)).event_blocks
    events = next(block.events for block in blocks if block.name == "Execute")
    return summary(events, median(plain[WARM_UP:]))


def summary(events: "Iterable[Event]", plain: float) -> Profile:
    """The profile that the Inspector's events of equally many runs give; their times are in ms."""
    whole: list[float] = []
    parts: dict[str, list[list[float]]] = {}
    for event in events:
        if event.name == WHOLE:
            whole = event.perf_data.raw
        elif kind := kind_of(event.name, delegated=event.is_delegated_op):
            parts.setdefault(kind, []).append(event.perf_data.raw)
    counted = sorted(range(WARM_UP, len(whole)), key=whole.__getitem__)
    fastest = counted[: max(1, len(counted) // 4)]

    def taken(times: Sequence[float]) -> float:
        return 1000 * fmean(times[run] for run in fastest)

    found = {kind: sum(map(taken, times)) for kind, times in parts.items()}
    found[BETWEEN] = taken(whole) - sum(found.values())
    return Profile(found, Counter({kind: len(times) for kind, times in parts.items()}), taken(whole), plain)


def kind_of(name: str, *, delegated: bool | None) -> str | None:
    """What an event of the profiler is for; None for one that only contains others."""
    if delegated:
        return next((kind for start, kind in XNNPACK.items() if name.startswith(start)), ELEMENTWISE)
    return OUTSIDE if re.match("native_call_", name) else None


def rows(found: Mapping[int, Profile]) -> list[list[str]]:
    """A heading, then per kind: how many operators, and per length µs and their share."""
    head = ["operators", "", *(f"{length} tokens, µs" for length in found)]
    counts = next(iter(found.values())).counts
    body = [
        [kind, str(counts[kind] or ""), *(_share(one.parts.get(kind, 0.0), one.profiled) for one in found.values())]
        for kind in KINDS
        if any(kind in one.parts for one in found.values())
    ]
    whole = ["**one inference, with the profiler**", str(sum(counts.values()))]
    plain = ["one inference, without it", "", *(f"{one.plain:.0f}" for one in found.values())]
    return [head, *body, [*whole, *(f"**{one.profiled:.0f}**" for one in found.values())], plain]


def page(found: Mapping[str, Mapping[int, Profile]], about: Sequence[str], runs: int) -> str:
    """The whole page: model → length → profile."""
    parts = ["# Where the time goes", *about]
    for name, profiles in found.items():
        parts += [f"## {name}", table(rows(profiles))]
    return "\n\n".join([*parts, "\n".join(f"- {note.format(runs=runs)}" for note in NOTES)]) + "\n"


def _share(part: float, whole: float) -> str:
    return f"{part:.0f} ({100 * part / whole:.0f} %)"


def _about(load: float) -> list[str]:
    found = machine(load)
    features = ", ".join(found["features"]) or "none of the usual extensions"
    return [
        f"Written by `python -m benchmarks.profile` on {date.today().isoformat()}: {found['processor']} ({features}), "
        f"{found['system']}; load before the run {found['load_before']}. executorch {version('executorch')}, "
        f"torch {version('torch')}. A server's processor: on a phone the shares differ.\nThe models are those of "
        "[Beside other engines](benchmarks.md), which has the commands that train them; then\n`python -m "
        "benchmarks.profile runs/balanced/dense runs/balanced/shrunk runs/faster/shrunk --output docs/profile.md`.",
    ]


def _profiles(model: Subject, lengths: Sequence[int], runs: int, folder: Path) -> dict[int, Profile]:
    from mobile_export.lowering.lower import lower

    program = lower(model.folder, folder / f"{model.name}.pte", max_tokens=MAX_TOKENS, pair=False)
    return {length: profile(program, texts_of(model, length, 1)[0], runs=runs) for length in lengths}


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0, or 2 with one sentence on what is wrong."""
    parser = Parser(prog="python -m benchmarks.profile", description=__doc__)
    parser.add_argument("models", nargs="+", type=Path, metavar="MODEL_DIR", help="saved models, such as RUN/dense")
    parser.add_argument("--lengths", type=int, nargs="+", default=LENGTHS, metavar="TOKENS")
    parser.add_argument("--runs", type=int, default=200, help="profiled runs at each length (default: 200)")
    parser.add_argument("--output", type=Path, required=True, help="the page")
    given = parser.parse_args(arguments)
    about = _about(os.getloadavg()[0])

    def work() -> None:
        with tempfile.TemporaryDirectory() as temporary:
            found = {
                f"`{'/'.join(folder.resolve().parts[-2:])}`": _profiles(
                    Subject(f"model-{number}", folder), given.lengths, given.runs, Path(temporary)
                )
                for number, folder in enumerate(given.models)
            }
        write_atomic(given.output, page(found, about, given.runs))
        print(given.output)

    return exit_code(work)


if __name__ == "__main__":
    sys.exit(main())
