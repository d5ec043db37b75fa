"""The command `run`: it reads the recipe, runs the pipeline and prints the summary."""

import argparse
import sys
from pathlib import Path

from compress.console import Parser, console_mode, exit_code
from compress.recipe.flags import USUAL, about_the_ticket, add_common_flags, add_recipe_flags, recipe_of

_EXAMPLES = """examples:
  pocket-ticket run --target android                              the embedded model and task, no network
  pocket-ticket run --target android --data my_task/              train.tsv, dev.tsv and test.tsv of yours
  pocket-ticket run --target android --recipe quick --data my_task/     a first look
  pocket-ticket run --data reviews.csv                            one file, which is divided into train, dev and test
  pocket-ticket run --model ./my-bert --data reviews/ --ticket weights --sparsity 0.6 --controls
  pocket-ticket run --data names/                                 train.conll: labels of words
  pocket-ticket run --output runs/first                           the same output continues an interrupted run
every recipe key, flag or not, can be set with --set, for example --set training.warmup=0.06
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line. Returns the exit code: 0 done, 2 a wrong input or a missing tool, 130 interrupted."""
    parsed = _parser().parse_args(arguments)

    def work() -> None:
        recipe = recipe_of(parsed, USUAL)
        # imported here so that --help and a wrong recipe answer at once
        from compress.console import Console
        from compress.pipeline.order import Pipeline

        console = Console(console_mode(parsed))
        if not about_the_ticket(parsed):
            console.note(f"the recipe is {USUAL}; --recipe names another, --ticket weights prunes single weights")
        pipeline = Pipeline(recipe, parsed.output, console, with_app=parsed.apk)
        if parsed.dry_run:
            pipeline.dry_run()
        else:
            pipeline.run()

    return exit_code(work)


def _parser() -> Parser:
    parser = Parser(
        prog="pocket-ticket run",
        usage="pocket-ticket run [options]        (or: python -m compress.run [options])",
        description="Find a lottery ticket in a pre-trained text encoder, make it small, export it as an ExecuTorch "
        "program, and report that program's size, speed and accuracy against the unpruned model.",
        epilog=_EXAMPLES,
    )
    add_recipe_flags(parser)
    command = parser.add_argument_group("command", "Where to write, and what to show.")
    command.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        help="run folder (default: runs/TASK-FINGERPRINT); the same folder continues a run",
    )
    add_common_flags(command, USUAL)
    command.add_argument(
        "--apk", action=argparse.BooleanOptionalAction, default=True, help="build the demo app, too (default: yes)"
    )
    command.add_argument("--dry-run", action="store_true", help="train nothing: show the page of `pocket-ticket check`")
    return parser


if __name__ == "__main__":
    sys.exit(main())
