"""What every section of a recipe is made of."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


def option(default: Any, help: str, flag: str | None = None, **limits: Any) -> Any:
    """One setting: its default, its documentation, its flag, and pydantic's limits of its values."""
    return Field(default, description=help, json_schema_extra={"flag": flag} if flag else None, **limits)


def filled_in(value: float | None) -> float:
    """A value that depends on the data. Raises ValueError before `for_examples` has filled it in."""
    if value is None:
        raise ValueError("a recipe that was not resolved has no passes and rates (recipe.defaults.for_examples)")
    return value


class Section(BaseModel):
    """Part of a recipe: unknown keys are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)
