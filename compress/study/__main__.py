"""The command: recipe and settings in, study out."""

import argparse
import sys
from pathlib import Path

from compress.console import Parser, console_mode, exit_code
from compress.errors import PocketTicketError
from compress.recipe.flags import add_common_flags, add_recipe_flags, recipe_of
from compress.study.settings import CONTROLS, SEARCHES, SPARSITIES, Settings, seeds, some_of, sparsities

_EXAMPLES = """examples:
  pocket-ticket study --data my_task/ --output studies/my_task                       the papers' sweep
  pocket-ticket study --data my_task/ --sparsities 0.5,0.7 --controls random --dry-run
  pocket-ticket study --data my_task/ --sparsities 0.5,0.7 --transfer studies/other --at 0.7
  pocket-ticket study --data my_task/ --searches one_shot,early,averaged,distilled --at 0.6
  python -m compress.study.compare studies/*              what wins on each task; sources × targets
the same command continues an interrupted study; with more seeds or sparsities only the new trainings run.
searches:
""" + "".join(f"  {name:<17} {words}\n" for name, words in SEARCHES.items())


def main(arguments: list[str] | None = None) -> int:
    """Run the command line. Returns the exit code: 0 done, 2 a wrong input, 130 interrupted."""
    parsed = _parser().parse_args(arguments)

    def work() -> None:
        settings, recipe = _settings(parsed), recipe_of(parsed)
        # imported here so that --help and wrong flags answer at once
        from compress.console import Console
        from compress.study.experiments import dry_run, run_study

        do = dry_run if parsed.dry_run else run_study
        do(recipe, settings, parsed.output, Console(console_mode(parsed)))

    return exit_code(work)


def _settings(parsed: argparse.Namespace) -> Settings:
    levels = sparsities(parsed.sparsities)
    at = sparsities(parsed.at, "--at") if parsed.at else levels
    if missing := sorted(set(at) - set(levels)):
        raise PocketTicketError(
            f"{missing[0]:g} is not one of the study's sparsities", where="--at", remedy="add it to --sparsities"
        )
    if parsed.looks < 1:
        raise PocketTicketError("there must be an evaluation", where=f"--looks {parsed.looks}", remedy="give 1 or more")
    return Settings(
        levels,
        seeds(parsed.seeds),
        some_of(parsed.chance, CONTROLS, "--controls"),
        some_of(parsed.searches, SEARCHES, "--searches"),
        at,
        tuple(parsed.transfer),
        parsed.looks,
    )


def _parser() -> Parser:
    parser = Parser(
        prog="pocket-ticket study",
        usage="pocket-ticket study --output DIR [options]        (or: python -m compress.study …)",
        description="Find tickets of several sparsities over several seeds, train them and their controls like the "
        "dense model, and say which of them win (Frankle & Carbin 2019; Chen et al. 2020).",
        epilog=_EXAMPLES,
    )
    add_recipe_flags(parser, ("model", "data", "training"))
    study = parser.add_argument_group("study", "What is trained.")
    every = ",".join(f"{s:g}" for s in SPARSITIES)
    study.add_argument(
        "--sparsities",
        default=every,
        metavar="LIST",
        help=f"shares of the weights to remove (default: {every})",
    )
    study.add_argument(
        "--seeds",
        default="0,1,2",
        metavar="LIST",
        help="of head, order of examples, dropout (default: 0,1,2)",
    )
    controls = ",".join(CONTROLS)
    study.add_argument(
        "--controls",
        dest="chance",
        default=controls,
        metavar="LIST",
        help=f"compared masks, or none (default: {controls})",
    )
    study.add_argument("--searches", default="none", metavar="LIST", help="cheaper searches, see below (default: none)")
    study.add_argument(
        "--transfer", nargs="+", type=Path, default=[], metavar="DIR", help="studies whose tickets are tried here"
    )
    study.add_argument("--at", metavar="LIST", help="sparsities of controls, searches and transfer (default: all)")
    study.add_argument(
        "--looks",
        type=int,
        default=2,
        metavar="INT",
        help="evaluations on dev in each pass (default: 2)",
    )
    command = parser.add_argument_group("command", "Where to write, and what to show.")
    command.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder of the study")
    add_common_flags(command)
    command.add_argument("--dry-run", action="store_true", help="show what would be trained, and about how long")
    return parser


if __name__ == "__main__":
    sys.exit(main())
