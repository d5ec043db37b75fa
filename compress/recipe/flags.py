"""Flags from the recipe: each option with a flag becomes an argument, with its help, its choices and its default."""

import argparse
import logging
import typing
from collections.abc import Collection
from types import NoneType
from typing import Any

from pydantic.fields import FieldInfo

from compress.recipe.load import load_recipe, names
from compress.recipe.recipe import Recipe, options

USUAL = "balanced"  # the recipe of a run for which nothing is said about the ticket
_OF_THE_TICKET = ("ticket", "structure", "budget", "distill", "quantize", "controls")
_FOR_ANY_TICKET = ("distill.unlabeled", "distill.teacher")  # what it learns from, whatever it is


def recipe_of(parsed: argparse.Namespace, usual: str | None = None) -> Recipe:
    """The recipe that --recipe, the flags and --set make together. Raises RecipeError listing every problem.

    `usual` names the recipe where neither --recipe nor a setting of the ticket or its storage is given.
    """
    flags = {key: value for key, value in vars(parsed).items() if key in _flag_keys() and value is not None}
    # torchao's registrations, nothing of the user's
    logging.getLogger("torch.utils._pytree").setLevel(logging.ERROR)
    return load_recipe(parsed.recipe or (usual if not about_the_ticket(parsed) else None), flags, parsed.set)


def about_the_ticket(parsed: argparse.Namespace) -> bool:
    """Whether the command line says by itself what the ticket is: by --recipe, a flag or --set."""
    flags = [key for key, value in vars(parsed).items() if key in _flag_keys() and value is not None]
    given = [*flags, *(text.partition("=")[0].strip() for text in parsed.set or ())]
    chosen = [key for key in given if key not in _FOR_ANY_TICKET]
    return bool(parsed.recipe) or any(key.partition(".")[0] in _OF_THE_TICKET for key in chosen)


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


def add_common_flags(command: Any, usual: str | None = None) -> None:
    """Where the recipe comes from and what is shown: the same for every command; `usual` as for `recipe_of`."""
    known = f"{', '.join(names())}, or a YAML file: its settings replace the defaults shown here, flags replace both"
    without = f"; a command without it and without any setting of the ticket uses {usual}" if usual else ""
    command.add_argument("--recipe", metavar="NAME", help=f"{known}{without}")
    command.add_argument(
        "--set", action="append", metavar="KEY=VALUE", help="set any recipe key, such as ticket.rounds=5"
    )
    command.add_argument("--quiet", action="store_true", help="print nothing but errors")
    command.add_argument("--json", action="store_true", help="progress and results as JSON lines on standard output")


def _flag(info: FieldInfo) -> str | None:
    extra = info.json_schema_extra
    flag = extra.get("flag") if isinstance(extra, dict) else None
    return flag if isinstance(flag, str) else None


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
