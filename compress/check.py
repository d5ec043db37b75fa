"""The command `check`: what a run would read, use and do. It trains and writes nothing."""

import sys

from compress.console import Parser, console_mode, exit_code
from compress.recipe.flags import USUAL, add_common_flags, add_recipe_flags, recipe_of

_EXAMPLES = """examples:
  pocket-ticket check --data reviews/
  pocket-ticket check --data reviews/ --model ./my-bert --max-tokens 256
  pocket-ticket check --data reviews/ --recipe balanced --json
it takes the flags of `pocket-ticket run`, which shows the same page with --dry-run
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line. Returns the exit code: 0 a run can start, 2 something can't be used, 130 interrupted."""
    parser = Parser(
        prog="pocket-ticket check",
        usage="pocket-ticket check [options]        (or: python -m compress.check [options])",
        description="Check data and model before a run: the kind of task, labels with their counts, lengths in tokens, "
        "what is ignored or cut, what the phone gets, and an estimate of the time. Nothing is trained or written.",
        epilog=_EXAMPLES,
    )
    add_recipe_flags(parser)
    add_common_flags(parser.add_argument_group("command", "What to show."), USUAL)
    parsed = parser.parse_args(arguments)

    def work() -> None:
        recipe = recipe_of(parsed, USUAL)
        # imported here so that --help and a wrong recipe answer at once
        from compress.console import Console
        from compress.pipeline.order import Pipeline

        Pipeline(recipe, None, Console(console_mode(parsed))).dry_run()

    return exit_code(work)


if __name__ == "__main__":
    sys.exit(main())
