"""The recipe: its sections, what must be consistent between them, and a list of every option."""

from typing import Any, Literal

import yaml
from pydantic import field_validator, model_validator

from compress.recipe.budget import BudgetSection
from compress.recipe.embedding import EmbeddingSection
from compress.recipe.option import Section, option
from compress.recipe.sections import (
    DataSection,
    DistillSection,
    MeasureSection,
    ModelSection,
    QuantizeSection,
    StructureSection,
    TicketSection,
    TrainingSection,
)


class Recipe(Section):
    """Everything that decides a run's result, and nothing else (where it is written is the command's business)."""

    target: Literal["android", "ios", "linux-arm"] = option(
        "android", "what the program is for; it also names the bundle's folder", "--target"
    )
    seed: int = option(0, "seed of new weights, the order of examples and dropout", "--seed", ge=0)
    model: ModelSection = ModelSection()
    data: DataSection = DataSection()
    training: TrainingSection = TrainingSection()
    ticket: TicketSection = TicketSection()
    structure: StructureSection = StructureSection()
    embedding: EmbeddingSection = EmbeddingSection()
    budget: BudgetSection = BudgetSection()
    distill: DistillSection = DistillSection()
    quantize: QuantizeSection = QuantizeSection()
    measure: MeasureSection = MeasureSection()
    controls: bool = option(False, "also train a random mask of the same sparsity", "--controls")

    @field_validator("measure")
    @classmethod
    def _lengths(cls, measure: MeasureSection) -> MeasureSection:
        if not measure.lengths or min(measure.lengths) < 2:
            raise ValueError("lengths needs at least one number of 2 or more")
        return measure

    @model_validator(mode="before")
    @classmethod
    def _budget_means_structure(cls, given: Any) -> Any:
        """A budget chooses a structure: only that makes a program smaller."""
        budget = given.get("budget") if isinstance(given, dict) else None
        if not (isinstance(budget, dict) and any(value is not None for value in budget.values())):
            return given
        ticket = given.get("ticket") or {}
        return given | {"ticket": {"kind": "structure"} | ticket} if isinstance(ticket, dict) else given

    @model_validator(mode="after")
    def _consistent(self) -> "Recipe":
        if self.budget.is_set and (self.ticket.kind != "structure" or not self.distill.enabled):
            raise ValueError("a budget is met by distilled structures: do not set ticket.kind or distill.enabled")
        if self.budget.slowest and self.budget.slowest[1] > self.model.max_tokens:
            raise ValueError(f"budget.max_latency has more than the {self.model.max_tokens} tokens of model.max_tokens")
        if self.quantize.aware_epochs and (self.budget.is_set or self.quantize.scheme == "none"):
            raise ValueError("quantize.aware_epochs trains for one storage: choose int8 or int4 and no budget")
        if self.quantize.keep_int8 and (self.budget.is_set or self.quantize.scheme != "int4"):
            raise ValueError("quantize.keep_int8 is about int4: choose that scheme, and set no budget")
        if self.distill.teacher and (not self.distill.enabled or self.ticket.kind == "none"):
            raise ValueError("distill.teacher teaches a distilled ticket: set distill.enabled and choose a ticket")
        if self.controls and self.ticket.kind != "weights":
            raise ValueError("controls are for a ticket of weights: set ticket.kind=weights or drop --controls")
        return self

    def to_yaml(self) -> str:
        """The whole recipe as YAML, defaults written out."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def option_keys() -> list[str]:
    """Every key of a recipe, dotted."""
    return [key for key, _ in options()]


def options() -> list[tuple[str, Any]]:
    """(dotted key, pydantic FieldInfo) of every option, in order."""
    found = []
    for name, info in Recipe.model_fields.items():
        section = info.annotation
        if isinstance(section, type) and issubclass(section, Section):
            found += [(f"{name}.{key}", inner) for key, inner in section.model_fields.items()]
        else:
            found.append((name, info))
    return found
