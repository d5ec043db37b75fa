"""How many instructions an inference takes: a cost that a busy machine can't hide.

    python -m benchmarks.instructions --output docs/instructions.md          # the models that benchmarks.peers makes
    python -m benchmarks.instructions RUN/dense RUN/shrunk --output PAGE.md
    python -m benchmarks.instructions --check                                # fails where the default models take more
    python -m benchmarks.instructions --arch arm64                           # without valgrind

Counted are our int8 programs, on one thread: on this machine's kind of processor by valgrind's callgrind, and on ARM
cores by the emulator QEMU. Takes some minutes.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.instructions import callgrind, emulated
from benchmarks.instructions.callgrind import Counts
from benchmarks.peers.environments import PEERS
from benchmarks.peers.models import MAX_TOKENS, Subject, subject
from benchmarks.peers.page import table
from compress.console import Parser, exit_code
from compress.errors import PocketTicketError
from compress.files import read_json, write_atomic, write_json
from mobile_export.programs.arm import CORES

LENGTHS = (12, 32, 64, 128)
BASELINE = Path(__file__).with_name("baseline.json")
SLACK = 0.01  # how much more than the baseline is not yet a regression: compilers and C libraries differ a little


class Processor(NamedTuple):
    """What can be counted on: the versions on which its counts depend, and how to count."""

    arch: str
    versions: Callable[[], dict[str, str]]
    count: Callable[[Mapping[str, Path], Sequence[int]], Counts]


PROCESSORS = {"host": Processor("host", callgrind.versions, callgrind.count)} | {
    core: Processor("arm64", emulated.versions, partial(emulated.count, core)) for core in CORES
}
TITLES = {"host": "This machine's kind of processor, by valgrind"} | {core: f"ARM {core}, by QEMU" for core in CORES}
NOTES = {
    "host": "Valgrind's processor has AVX2 and no AVX-512, so these are XNNPACK's AVX2 kernels.",
    "cortex-a53": "A core without dot product instructions, as in cheap and older phones.",
    "cortex-a76": "A core with dot product instructions: other int8 kernels, about half the instructions.",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0, 1 for more instructions than the baseline's, or 2 with one sentence on what is wrong."""
    parser = Parser(prog="python -m benchmarks.instructions", description=__doc__)
    parser.add_argument("models", nargs="*", type=Path, metavar="MODEL_DIR", help="saved models (default: see above)")
    parser.add_argument("--arch", choices=["host", "arm64"], help="count on these processors only (default: on all)")
    parser.add_argument("--lengths", type=int, nargs="+", default=LENGTHS, metavar="TOKENS")
    parser.add_argument("--output", type=Path, help="the page")
    parser.add_argument("--check", action="store_true", help=f"compare the default models with {BASELINE.name}")
    parser.add_argument("--update", action="store_true", help=f"write {BASELINE.name} anew for what is counted")
    given = parser.parse_args(arguments)
    if given.models and (given.check or given.update):
        parser.error("the baseline is of the default models: give no MODEL_DIR")
    return exit_code(lambda: _run(given))


def _run(given: argparse.Namespace) -> int:
    known = read_json(BASELINE)
    about = countable(given.arch, known if given.check else None)
    with tempfile.TemporaryDirectory() as temporary:
        if given.models:
            models = [Subject("-".join(folder.resolve().parts[-2:]), folder) for folder in given.models]
        else:
            models = [subject(name, None, PEERS / "models") for name in ("dense", "ticket")]
        programs = _programs(models, Path(temporary))
        found = {name: PROCESSORS[name].count(programs, given.lengths) for name in about}
    text = page(found, about, {model.name: "/".join(model.folder.resolve().parts[-2:]) for model in models})
    if given.output:
        write_atomic(given.output, text)
    print(given.output or text)
    if given.update:
        new = {name: {"versions": about[name], "instructions": found[name]} for name in found}
        write_json(BASELINE, known | new)
    if not given.check:
        return 0
    worse = [one for name in found for one in regressions(found[name], known[name]["instructions"], name)]
    for sentence in worse:
        print(f"pocket-ticket: {sentence}", file=sys.stderr)
    return 1 if worse else 0


def countable(arch: str | None, baseline: Mapping[str, Any] | None) -> dict[str, dict[str, str]]:
    """The processors of `arch` (None: all) that can be counted on, with the versions on which their counts depend.

    With a `baseline`, to compare with, those on which that is impossible are left out and named on stderr, unless
    `arch` asks for them or none is left. Raises PocketTicketError for missing tools or a baseline of other versions.
    """
    about: dict[str, dict[str, str]] = {}
    reasons: list[PocketTicketError] = []
    for name in (name for name, processor in PROCESSORS.items() if arch in (None, processor.arch)):
        try:
            about[name] = _versions(name, baseline)
        except PocketTicketError as error:
            if baseline is None or arch is not None:
                raise
            print(f"– not compared on {name}: {error}", file=sys.stderr)
            reasons.append(error)
    if not about:
        raise reasons[0]
    return about


def _versions(name: str, baseline: Mapping[str, Any] | None) -> dict[str, str]:
    here = PROCESSORS[name].versions()
    if baseline is not None and (known := baseline[name]["versions"]) != here:
        raise PocketTicketError(
            f"the baseline on {name} is of {known}, here are {here}", where=BASELINE.name, remedy="write it anew"
        )
    return here


def regressions(found: Counts, known: Mapping[str, Mapping[str, int]], processor: str) -> list[str]:
    """One sentence for each count that is more than SLACK above the baseline's."""
    return [
        f"on {processor} the {name} model takes {now:,} instructions at {length} tokens, "
        f"{100 * (now / before - 1):.1f} % more than the {before:,} of the baseline"
        for name, counts in found.items()
        for length, now in counts.items()
        if (before := known.get(name, {}).get(str(length))) and now > before * (1 + SLACK)
    ]


def page(found: Mapping[str, Counts], about: Mapping[str, Mapping[str, str]], models: Mapping[str, str]) -> str:
    """The counts of each processor in Markdown, in millions."""
    parts = [
        "# Millions of instructions per inference",
        f"Written by `python -m benchmarks.instructions` on {date.today().isoformat()}. Our int8 programs, one thread, "
        "Python's own call included. Counts of different instruction sets are not comparable, and none is a time.",
    ]
    for processor, of_models in found.items():
        lengths = sorted({length for counts in of_models.values() for length in counts})
        rows = [["model", "", *(f"{length} tokens" for length in lengths)]]
        rows += [
            [name, f"`{models[name]}`", *(f"{counts[n] / 1e6:.1f}" for n in lengths)]
            for name, counts in of_models.items()
        ]
        said = ", ".join(f"{name} {number}" for name, number in about[processor].items())
        parts += [f"## {TITLES[processor]}", table(rows), f"{NOTES[processor]} Versions: {said}."]
    return "\n\n".join(parts) + "\n"


def _programs(models: Sequence[Subject], folder: Path) -> dict[str, Path]:
    from mobile_export.lowering.lower import lower
    from mobile_export.programs.quiet import quiet

    paths = {model.name: folder / f"{model.name}.pte" for model in models}
    for model in models:
        with quiet():
            lower(model.folder, paths[model.name], max_tokens=MAX_TOKENS, pair=False)
    return paths


if __name__ == "__main__":
    sys.exit(main())
