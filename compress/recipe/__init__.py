"""The typed recipe: what a run does, and where each setting comes from."""

from compress.recipe.sections import DataSection, Recipe

__all__ = ["DataSection", "Recipe"]
