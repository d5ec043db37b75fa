"""The command: recipe in, pipeline through, summary out. No logic of its own."""

import argparse
import logging
import os
import sys
import typing
from collections.abc import Callable, Collection
from pathlib import Path
from types import NoneType
from typing import Any, Literal

from pydantic.fields import FieldInfo

from compress.errors import PocketTicketError
from compress.recipe.sections import Recipe, load_recipe, options

_EXAMPLES = """examples:
  python -m compress.run --target android                              the embedded model and task, no network
  python -m compress.run --target android --data my_task/              train.tsv, dev.tsv and test.tsv of yours
  python -m compress.run --target android --recipe recipes/quick.yaml --data my_task/     a first look
  python -m compress.run --model ./my-bert --data reviews/ --sparsity 0.6 --controls
  python -m compress.run --data names/                                 train.conll: labels of words
  python -m compress.run --output runs/first                           run again with the same output: goes on
every recipe key, flag or not, can be set with --set, for example --set training.warmup=0.06
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line. Returns the exit code: 0 done, 2 a wrong input or a missing tool, 130 interrupted."""
    parsed = _parser().parse_args(arguments)

    def work() -> None:
        recipe = recipe_of(parsed)
        # imported here so that --help and a wrong recipe answer at once
        from compress.console import Console
        from compress.pipeline.pipeline import Pipeline

        pipeline = Pipeline(recipe, parsed.output, Console(console_mode(parsed)), with_app=parsed.apk)
        if parsed.dry_run:
            pipeline.dry_run()
        else:
            pipeline.run()

    return exit_code(work)


def exit_code(work: Callable[[], None]) -> int:
    """Do the work of a command. Returns 0, 2 for a wrong input or a missing tool, told in one sentence, or 130."""
    # Threads that wait actively take the cores from each other as soon as anything else runs: 2.4 times slower steps.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        work()
    except PocketTicketError as error:
        print(f"pocket-ticket: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("pocket-ticket: interrupted; the same command goes on from here.", file=sys.stderr)
        return 130
    except OSError as error:
        if error.errno is None:
            raise
        place = f"{error.filename}: " if error.filename else ""
        print(
            f"pocket-ticket: {place}{error.strerror}; mend that and run the same command again, it goes on from here.",
            file=sys.stderr,
        )
        return 2
    return 0


def recipe_of(parsed: argparse.Namespace) -> Recipe:
    """The recipe that --recipe, the flags and --set make together. Raises RecipeError listing every problem."""
    flags = {key: value for key, value in vars(parsed).items() if key in _flag_keys() and value is not None}
    # torchao's registrations, nothing of the user's
    logging.getLogger("torch.utils._pytree").setLevel(logging.ERROR)
    return load_recipe(parsed.recipe, flags, parsed.set)


def console_mode(parsed: argparse.Namespace) -> Literal["rich", "quiet", "json"]:
    """What --json and --quiet ask for."""
    return "json" if parsed.json else "quiet" if parsed.quiet else "rich"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m compress.run",
        usage="python -m compress.run [options]",
        description="Find a lottery ticket in a pre-trained text encoder, make it small, export it as an ExecuTorch "
        "program, and report that program's size, speed and accuracy against the unpruned model.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_recipe_flags(parser)
    command = parser.add_argument_group("command", "Where to write, and what to show.")
    command.add_argument(
        "--output", type=Path, metavar="DIR", help="run folder (default: runs/TASK-FINGERPRINT); run again to go on"
    )
    add_common_flags(command)
    command.add_argument(
        "--apk", action=argparse.BooleanOptionalAction, default=True, help="build the demo app, too (default: yes)"
    )
    command.add_argument(
        "--dry-run", action="store_true", help="check recipe and data, show stages and an estimate of time"
    )
    return parser


def add_recipe_flags(parser: argparse.ArgumentParser, sections: Collection[str] | None = None) -> None:
    """Give the parser the recipe's flags, all of them or those of some sections."""
    groups: dict[str, Any] = {}
    for key, info in options():
        section = key.partition(".")[0] if "." in key else "run"
        flag = _flag(info)
        if flag is None or (sections is not None and section not in sections):
            continue
        if section not in groups:
            owner = Recipe.model_fields[section].annotation if section != "run" else None
            groups[section] = parser.add_argument_group(section, owner.__doc__ if owner else None)
        _add_flag(groups[section], flag, key, info)


def add_common_flags(command: Any) -> None:
    """Where the recipe comes from and what is shown: the same for every command."""
    command.add_argument("--recipe", type=Path, metavar="FILE", help="a YAML recipe; flags override it")
    command.add_argument(
        "--set", action="append", metavar="KEY=VALUE", help="set any recipe key, such as ticket.rounds=5"
    )
    command.add_argument("--quiet", action="store_true", help="print nothing but errors")
    command.add_argument("--json", action="store_true", help="progress and results as JSON lines on standard output")


def _flag(info: FieldInfo) -> str | None:
    extra = info.json_schema_extra
    return extra.get("flag") if isinstance(extra, dict) else None


def _flag_keys() -> set[str]:
    return {key for key, info in options() if _flag(info)}


def _add_flag(group: Any, flag: str, key: str, info: FieldInfo) -> None:
    kinds = [k for k in typing.get_args(info.annotation) if k is not NoneType] or [info.annotation]
    shown = "" if info.default is None else f" (default: {info.default})"
    common: dict[str, Any] = {"dest": key, "default": None, "help": f"{info.description}{shown}".replace("%", "%%")}
    if info.annotation is bool:
        group.add_argument(flag, action=argparse.BooleanOptionalAction, **common)
    elif typing.get_origin(info.annotation) is typing.Literal:
        group.add_argument(flag, choices=kinds, **common)
    else:  # the recipe checks types and limits, all at once
        group.add_argument(flag, metavar=getattr(kinds[0], "__name__", "value").upper(), **common)


if __name__ == "__main__":
    sys.exit(main())
