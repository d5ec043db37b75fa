"""Building a recipe: defaults < `--recipe NAME_OR_FILE` < flags < `--set section.key=value`.

Unknown keys are refused, and every problem is reported at once, before anything is trained.
"""

from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from compress.errors import RecipeError
from compress.recipe.recipe import Recipe, option_keys

NAMED = Path(str(resources.files(__package__))) / "named"


def names() -> list[str]:
    """The recipes that come with the package, such as "balanced"."""
    return sorted(file.stem for file in NAMED.glob("*.yaml"))


def load_recipe(
    source: str | Path | None = None, flags: dict[str, Any] | None = None, assignments: list[str] | None = None
) -> Recipe:
    """Build the recipe from a name or a YAML file, flags ({"section.key": value}) and `section.key=value` assignments.

    Raises RecipeError listing every problem.
    """
    file = _file_of(source) if source else None
    settings = _read_yaml(file) if file else {}
    problems: list[str] = []
    for key, value in (flags or {}).items():
        _assign(settings, key, value, problems)
    for text in assignments or []:
        key, equals, value = text.partition("=")
        if not equals:
            problems.append(f"--set {text}: needs the form section.key=value")
            continue
        try:
            _assign(settings, key.strip(), yaml.safe_load(value), problems)
        except yaml.YAMLError:
            problems.append(f"--set {text}: the value is not valid YAML")
    try:
        recipe = Recipe.model_validate(settings)
    except ValidationError as error:
        problems += [_sentence(e) for e in error.errors()]
    if problems:
        raise RecipeError(
            "; ".join(problems),
            where=str(source) if source else None,
            remedy="see --help for the keys and their limits",
        )
    return recipe


def _file_of(source: str | Path) -> Path:
    """The YAML file of a recipe's name or path. Raises RecipeError for a name that no recipe has."""
    if str(source) in names():
        return NAMED / f"{source}.yaml"
    path = Path(source)
    if not path.suffix and not path.exists():
        known = ", ".join(names())
        raise RecipeError("there is no such recipe", where=str(source), remedy=f"use {known}, or give a YAML file")
    return path


def _read_yaml(file: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RecipeError(
            "there is no such recipe", where=str(file), remedy=f"use {', '.join(names())}, or give a YAML file"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError, IsADirectoryError) as error:
        first = str(error).splitlines()[0]
        raise RecipeError(f"this is not a YAML recipe ({first})", where=str(file), remedy="correct the file") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise RecipeError("a recipe maps sections to settings", where=str(file), remedy="write `section: {key: value}`")
    return content


def _assign(settings: dict[str, Any], key: str, value: Any, problems: list[str]) -> None:
    *sections, name = key.split(".")
    place = settings
    for section in sections:
        place = place.setdefault(section, {})
        if not isinstance(place, dict):
            problems.append(f"{key}: '{section}' is not a section")
            return
    place[name] = value


def _sentence(error: Any) -> str:
    key = ".".join(str(part) for part in error["loc"])
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        return f"{key}: there is no such key{_nearest(key)}"
    given = error.get("input")
    shown = f" (given {given!r})" if isinstance(given, str | int | float | bool) else ""
    return f"{key}: {message[0].lower()}{message[1:]}{shown}" if key else message


def _nearest(key: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(key, option_keys(), n=1, cutoff=0.6)
    return f", did you mean {close[0]}?" if close else ""
