"""The command `cross-validate`: every text is tested once, by a run whose models were not trained on it."""

import sys
from pathlib import Path

from compress.console import Parser, console_mode, exit_code
from compress.recipe.flags import USUAL, add_common_flags, add_recipe_flags, recipe_of

_EXAMPLES = """examples:
  pocket-ticket cross-validate --data reviews.csv --folds 5
  pocket-ticket cross-validate --data reviews.csv --recipe quick --folds 10 --output runs/reviews-folds
it takes the flags of `pocket-ticket run` and does as many runs; the same output continues where it stopped
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line. Returns the exit code: 0 done, 2 a wrong input or a missing tool, 130 interrupted."""
    parser = Parser(
        prog="pocket-ticket cross-validate",
        usage="pocket-ticket cross-validate [options]        (or: python -m compress.cross_validate [options])",
        description="For data with too few test texts: all examples are divided into folds, each is the test split of "
        "one run, and the results are reported over all texts together. Nothing of it is for a phone: make the program "
        "with `pocket-ticket run`.",
        epilog=_EXAMPLES,
    )
    add_recipe_flags(parser)
    command = parser.add_argument_group("command", "How many folds, where to write, and what to show.")
    command.add_argument("--folds", type=int, default=5, metavar="K", help="how many, 3 to 20 (default: 5)")
    where = "folder of the runs (default: runs/folds)"
    command.add_argument("--output", type=Path, default=Path("runs/folds"), metavar="DIR", help=where)
    add_common_flags(command)
    parsed = parser.parse_args(arguments)
    if not 3 <= parsed.folds <= 20:
        parser.error("--folds takes a number from 3 to 20")

    def work() -> None:
        recipe = recipe_of(parsed, USUAL)
        # imported here so that --help and a wrong recipe answer at once
        from compress.console import Console
        from compress.pipeline.folds import cross_validate

        cross_validate(recipe, parsed.folds, parsed.output, Console(console_mode(parsed)))

    return exit_code(work)


if __name__ == "__main__":
    sys.exit(main())
