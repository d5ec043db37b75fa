"""The typed recipe: what a run does, and where each setting comes from."""

from compress.recipe.recipe import Recipe
from compress.recipe.sections import DataSection

__all__ = ["DataSection", "Recipe"]
