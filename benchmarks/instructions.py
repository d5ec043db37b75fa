"""How many instructions an inference takes: a cost that a busy machine can't hide, counted by valgrind's callgrind.

    python -m benchmarks.instructions --output docs/instructions.md          # the models that benchmarks.peers makes
    python -m benchmarks.instructions RUN/dense RUN/shrunk --output PAGE.md
    python -m benchmarks.instructions --check                                # fails where the default models take more

Counted are our int8 programs, on one thread, as valgrind's own processor runs them: AVX2 at most, so that XNNPACK
chooses its AVX2 kernels even where the machine has better ones. Needs valgrind, and some minutes.
"""

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path

from benchmarks.peers.compare import machine
from benchmarks.peers.environments import PEERS, ROOT
from benchmarks.peers.models import MAX_TOKENS, Subject, subject
from benchmarks.peers.page import table
from compress.errors import PocketTicketError, ToolError
from compress.run_dir import read_json, write_atomic, write_json

LENGTHS = (12, 32, 64, 128)
RUNS = 2  # counted inferences of each program at each length: all take the same
BASELINE = Path(__file__).with_name("instructions.json")
SLACK = 0.01  # how much more than the baseline is not yet a regression: compilers and C libraries differ a little
Counts = dict[str, dict[int, int]]  # model → length → instructions of one inference


def count(programs: Mapping[str, Path], lengths: Sequence[int]) -> Counts:
    """Count with callgrind. Raises ToolError where valgrind is missing or fails."""
    if shutil.which("valgrind") is None:
        raise ToolError(
            "the program that counts instructions is not on this machine",
            where="valgrind",
            remedy="install it (Debian: apt-get install valgrind)",
        )
    request = {"programs": {name: str(path) for name, path in programs.items()}, "lengths": list(lengths), "runs": RUNS}
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as temporary:
        dumps = Path(temporary) / "callgrind.out"
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={dumps}", sys.executable]
        command += ["-m", "benchmarks.instructions_worker"]
        done = subprocess.run(command, input=json.dumps(request), env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise ToolError(
                f"counting failed ({last[-200:]})", where="valgrind", remedy="check that valgrind runs here"
            )
        return counts_of([dump.read_text() for dump in dumps.parent.glob(f"{dumps.name}.*")])


def counts_of(dumps: Sequence[str]) -> Counts:
    """Instructions of one inference from callgrind's dumps, each named "MODEL@LENGTH@RUNS" by who asked for it."""
    sums: dict[tuple[str, int], dict[int, int]] = {}
    for dump in dumps:
        asked = re.search(r"^desc: Trigger: dump (.+)@(\d+)@(\d+)$", dump, re.MULTILINE)
        total = re.search(r"^summary: (\d+)$", dump, re.MULTILINE)
        if asked and total:
            sums.setdefault((asked[1], int(asked[2])), {})[int(asked[3])] = int(total[1])
    found: Counts = {}
    for (name, length), by_runs in sorted(sums.items()):
        runs = max(by_runs)
        found.setdefault(name, {})[length] = round((by_runs[runs] - by_runs[0]) / runs)
    return found


def versions() -> dict[str, str]:
    """On what the counts depend beside our own code. Valgrind's processor has what the machine's and itself have."""
    said = subprocess.run(["valgrind", "--version"], capture_output=True, text=True).stdout.strip()
    has = "avx2" if "avx2" in machine(0)["features"] else platform.machine()
    return {"executorch": version("executorch"), "valgrind": said.removeprefix("valgrind-"), "processor": has}


def regressions(found: Counts, known: Mapping[str, Mapping[str, int]]) -> list[str]:
    """One sentence for each count that is more than SLACK above the baseline's."""
    return [
        f"the {name} model takes {now:,} instructions at {length} tokens, {100 * (now / before - 1):.1f} % more than "
        f"the {before:,} of the baseline"
        for name, counts in found.items()
        for length, now in counts.items()
        if (before := known.get(name, {}).get(str(length))) and now > before * (1 + SLACK)
    ]


def page(found: Counts, about: Mapping[str, str], models: Mapping[str, str]) -> str:
    """The counts in Markdown, in millions."""
    lengths = sorted({length for counts in found.values() for length in counts})
    rows = [["model", "", *(f"{length} tokens" for length in lengths)]]
    rows += [[name, models[name], *(f"{counts[n] / 1e6:.1f}" for n in lengths)] for name, counts in found.items()]
    said = ", ".join(f"{name} {number}" for name, number in about.items())
    written = f"Written by `python -m benchmarks.instructions` on {date.today().isoformat()}: {said}."
    kernels = (
        "Our int8 programs, one thread, Python's own call included. Valgrind's processor has AVX2 and no AVX-512, so "
        "these are XNNPACK's AVX2 kernels: the counts show what our lowering changes, not what a phone's kernels take."
    )
    return "\n\n".join(["# Millions of instructions per inference", written, table(rows), kernels]) + "\n"


def _programs(models: Sequence[Subject], folder: Path) -> dict[str, Path]:
    from mobile_export.lowering import lower
    from mobile_export.quiet import quiet

    paths = {model.name: folder / f"{model.name}.pte" for model in models}
    for model in models:
        with quiet():
            lower(model.folder, paths[model.name], max_tokens=MAX_TOKENS, pair=False)
    return paths


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0, 1 for more instructions than the baseline's, or 2 with one sentence on what is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.instructions",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("models", nargs="*", type=Path, metavar="MODEL_DIR", help="saved models (default: see above)")
    parser.add_argument("--lengths", type=int, nargs="+", default=LENGTHS, metavar="TOKENS")
    parser.add_argument("--output", type=Path, help="the page")
    parser.add_argument("--check", action="store_true", help=f"compare the default models with {BASELINE.name}")
    parser.add_argument("--update", action="store_true", help=f"write {BASELINE.name} anew")
    given = parser.parse_args(arguments)
    if given.models and (given.check or given.update):
        parser.error("the baseline is of the default models: give no MODEL_DIR")
    try:
        with tempfile.TemporaryDirectory() as temporary:
            if given.models:
                models = [Subject("-".join(folder.resolve().parts[-2:]), folder) for folder in given.models]
            else:
                models = [subject(name, None, PEERS / "models") for name in ("dense", "ticket")]
            found = count(_programs(models, Path(temporary)), given.lengths)
        return _report(found, models, given)
    except PocketTicketError as error:
        print(f"✗ {error}", file=sys.stderr)
        return 2


def _report(found: Counts, models: Sequence[Subject], given: argparse.Namespace) -> int:
    """Raises PocketTicketError where the baseline is of other versions."""
    about = versions()
    text = page(found, about, {model.name: f"`{'/'.join(model.folder.resolve().parts[-2:])}`" for model in models})
    if given.output:
        write_atomic(given.output, text)
    print(given.output or text)
    if given.update:
        write_json(BASELINE, {"versions": about, "instructions": found})
    if not given.check:
        return 0
    known = read_json(BASELINE)
    if known["versions"] != about:
        raise PocketTicketError(
            f"the baseline is of {known['versions']}, here are {about}", where=str(BASELINE), remedy="write it anew"
        )
    worse = regressions(found, known["instructions"])
    for sentence in worse:
        print(f"✗ {sentence}", file=sys.stderr)
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
