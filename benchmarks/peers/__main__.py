"""Our programs beside their peers: the same models on every engine, in one process, in turning order.

    python -m benchmarks.peers setup       # once: the peers' packages, into .peers/
    python -m benchmarks.peers             # builds what is not built yet, measures, writes a page of Markdown
    python -m benchmarks.peers --dense RUN/dense --ticket RUN/shrunk --merged OTHER/shrunk --accuracy DATA_DIR

Without --dense, --ticket and --merged the embedded encoder gets a two-class head that nobody trained; the ticket is it
with half the heads, 512 neurons, 4 layers and 8,000 words, the merged model is it with half as many tokens from its
third layer on: sizes and times are real, accuracy would say nothing.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.environments import NAMES, PEERS, enter, entered, is_ready, set_up
from compress.console import Parser, exit_code
from compress.errors import PocketTicketError

FAMILIES = ("eager", "compile", "stock", "pocket_ticket", "onnxruntime", "onnxruntime_cls", "litert", "litert_cls")
LEAVABLE = FAMILIES[1:]  # eager PyTorch is what the others are compared with


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0, or 2 with one sentence on what is wrong."""
    given = _parser().parse_args(arguments)

    def work() -> int:
        if given.action == "setup":
            for name in NAMES:
                print(f"the environment {PEERS / name}: some minutes, unless it is there", file=sys.stderr)
                set_up(name)
            return 0
        _check(given)
        if not entered():
            return enter(sys.argv[1:] if arguments is None else arguments)
        return _run(given)

    return exit_code(work)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("action", nargs="?", choices=["run", "build", "setup"], default="run", help="default: run")
    parser.add_argument("--dense", type=Path, metavar="DIR", help="a saved classifier")
    parser.add_argument("--ticket", type=Path, metavar="DIR", help="its structured ticket, saved")
    parser.add_argument("--merged", type=Path, metavar="DIR", help="it with tokens merged in pairs, saved")
    parser.add_argument("--accuracy", type=Path, metavar="DATA_DIR", help="let every program answer this data's test")
    parser.add_argument("--lengths", type=int, nargs="+", default=[12, 32, 64, 128], metavar="TOKENS")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=12, help="turns of each engine (default: 12)")
    parser.add_argument("--runs", type=int, default=10, help="timed calls of a turn (default: 10)")
    parser.add_argument("--without", nargs="+", choices=LEAVABLE, default=[], help="engines to leave out")
    parser.add_argument("--output", type=Path, default=PEERS / "benchmarks.md", help="the page; a .json lies beside it")
    return parser


def _check(given: argparse.Namespace) -> None:
    """Raises PocketTicketError for what can't be run."""
    if not all(8 <= length <= 128 for length in given.lengths):
        raise PocketTicketError("a length is out of range", where="--lengths", remedy="give 8 to 128 tokens")
    if min(given.rounds, given.runs, *given.threads) < 1:
        raise PocketTicketError("rounds, runs and threads are counted from 1", remedy="give at least 1")
    if given.accuracy and not (given.dense and given.ticket and given.merged):
        raise PocketTicketError(
            "the default models are not trained, their accuracy would say nothing",
            where="--accuracy",
            remedy="give trained ones with --dense, --ticket and --merged",
        )


def _run(given: argparse.Namespace) -> int:
    from mobile_export.programs.quiet import quiet

    with quiet():  # torchao warns of its own registrations when transformers imports it
        from benchmarks.peers.compare import Settings, build, compare
        from benchmarks.peers.models import subject
        from benchmarks.peers.page import page
        from compress.console import Console
        from compress.files import write_atomic, write_json
        from compress.models import load  # noqa: F401

    left_out = {family: "it was left out of this run" for family in given.without}
    if not is_ready("litert"):
        left_out |= dict.fromkeys(("litert", "litert_cls"), "its converter could not be set up on this machine")
    settings = Settings(
        subjects=tuple(
            subject(name, getattr(given, name), PEERS / "models", families)
            for name, families in (("dense", None), ("ticket", None), ("merged", ("eager", "pocket_ticket")))
        ),
        families=tuple(family for family in FAMILIES if family not in left_out),
        lengths=tuple(sorted(set(given.lengths))),
        threads=tuple(sorted(set(given.threads))),
        rounds=given.rounds,
        runs=given.runs,
        data=given.accuracy,
    )
    console = Console()
    if given.action == "build":
        build(settings, console)
        return 0
    results = compare(settings, console)
    write_json(given.output.with_suffix(".json"), {**results, "left_out": left_out})
    write_atomic(given.output, page(results, left_out))
    print(given.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
