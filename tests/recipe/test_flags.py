"""A command that says nothing of the ticket takes the usual recipe; what the ticket learns from says nothing of it."""

import argparse

import pytest

from compress.recipe.flags import USUAL, add_common_flags, add_recipe_flags, recipe_of


def kind_of(*words: str) -> str:
    parser = argparse.ArgumentParser()
    add_common_flags(parser, USUAL)
    add_recipe_flags(parser)
    return recipe_of(parser.parse_args(words), USUAL).ticket.kind


@pytest.mark.parametrize(
    "words",
    [
        "",
        "--seed 3",
        "--epochs 2 --learning-rate 0.001",
        "--unlabeled none",
        "--teacher minilm",
        "--set distill.unlabeled=none",
        "--recipe balanced",
    ],
)
def test_the_usual_recipe_is_taken(words: str) -> None:
    assert kind_of(*words.split()) == "structure"


@pytest.mark.parametrize("words", ["--ticket weights", "--sparsity 0.7", "--set distill.epochs=1", "--recipe quick"])
def test_settings_of_the_ticket_are_a_recipe_of_ones_own(words: str) -> None:
    assert kind_of(*words.split()) == "weights"
