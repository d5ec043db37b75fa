"""The recipe: precedence, and every problem reported at once."""

import math
from pathlib import Path

import pytest

from compress.errors import RecipeError
from compress.recipe.defaults import for_examples
from compress.recipe.load import NAMED, load_recipe
from compress.recipe.recipe import Recipe, option_keys

RECIPES = sorted(NAMED.glob("*.yaml"))


def test_later_settings_win(tmp_path: Path) -> None:
    file = tmp_path / "r.yaml"
    file.write_text("ticket: {sparsity: 0.3, rounds: 4}\ntraining: {epochs: 1}\n")
    recipe = load_recipe(file, {"ticket.sparsity": "0.4", "training.epochs": "2"}, ["ticket.sparsity=0.6"])
    assert (recipe.ticket.sparsity, recipe.ticket.rounds, recipe.training.epochs) == (0.6, 4, 2.0)


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(RecipeError) as caught:
        load_recipe(
            None, {"training.epochs": "many"}, ["ticket.sparsity=1.5", "ticket.sparsty=0.2", "color=red", "seed"]
        )
    message = str(caught.value)
    for part in (
        "training.epochs",
        "'many'",
        "ticket.sparsity: input should be less than 1",
        "seed: needs the form",
        "color: there is no such key",
    ):
        assert part in message
    assert "ticket.sparsty: there is no such key, did you mean ticket.sparsity?" in message


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("a: [1", "not a YAML recipe"), ("- 1\n- 2\n", "maps sections to settings"), ("ticket: 3\n", "ticket")],
)
def test_files_that_are_no_recipe(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "r.yaml"
    file.write_text(text)
    with pytest.raises(RecipeError, match=sentence) as caught:
        load_recipe(file)
    assert str(file) in str(caught.value)


def test_resolved_yaml_reads_back_as_the_same_recipe(tmp_path: Path) -> None:
    recipe = load_recipe(None, None, ["ticket.sparsity=0.7", "data.source=x", "measure.lengths=[12, 32]"])
    file = tmp_path / "recipe.yaml"
    file.write_text(recipe.to_yaml())
    assert load_recipe(file) == recipe


@pytest.mark.parametrize("file", RECIPES, ids=lambda f: f.stem)
def test_shipped_recipes_are_valid_and_show_their_command(file: Path) -> None:
    assert load_recipe(file.stem) == load_recipe(file)
    assert f"--recipe {file.stem}" in file.read_text(encoding="utf-8").split("\n\n")[0]


@pytest.mark.parametrize(
    ("examples", "labels", "epochs", "rate"),
    [(60, 2, 10, 2e-4), (2202, 26, 7, 2e-4), (2202, 77, 7, 2e-4), (9003, 77, 3, 3e-4), (6920, 2, 3, 1e-4)],
)
def test_few_examples_are_seen_more_often_and_many_labels_learnt_faster(
    examples: int, labels: int, epochs: float, rate: float
) -> None:
    recipe = for_examples(Recipe(), examples, labels)
    assert recipe.training.learning_rate == rate
    assert recipe.training.epochs == recipe.distill.epochs == epochs
    chosen = for_examples(load_recipe(None, {"training.epochs": 1.5}, ["distill.epochs=2"]), examples)
    assert (chosen.training.epochs, chosen.distill.epochs) == (1.5, 2)


@pytest.mark.parametrize(
    ("examples", "labels", "steps"),
    [(60, 2, 20), (600, 4, 190), (2000, 6, 252), (7000, 2, 274), (9003, 77, 775), (15000, 150, 1055), (13105, 23, 513)],
)
def test_a_short_training_has_steps_enough_for_its_labels(examples: int, labels: int, steps: int) -> None:
    recipe = for_examples(load_recipe("quick", {}, []), examples, labels)
    taken = math.ceil(math.ceil(examples / recipe.training.batch_size) * recipe.training.passes)
    assert taken == pytest.approx(steps, rel=0.1)
    assert 1.25 <= recipe.training.passes <= 10 and recipe.training.second_try


@pytest.mark.parametrize(
    ("shares", "layers", "places"),
    [
        *(([0.4], 5, [2]), ([0.4], 6, [2]), ([0.4], 12, [5])),
        *(([0.4], 2, [1]), ([0.9], 3, [2]), ([0.4], 1, [])),
        *(([0.6, 0.2], 6, [1, 4]), ([0.3, 0.4], 3, [1]), ([], 6, [])),
    ],
)
def test_tokens_merge_behind_a_share_of_the_layers_and_never_behind_the_last(
    shares: list[float], layers: int, places: list[int]
) -> None:
    recipe = load_recipe(None, {"structure.merge_after": shares})
    assert recipe.structure.merging_layers(layers) == places


@pytest.mark.parametrize("shares", [[0], [1], [2], [-0.1]])
def test_a_share_of_the_layers_is_between_none_and_all(shares: list[float]) -> None:
    with pytest.raises(RecipeError, match=r"structure\.merge_after: a share is above 0 and below 1"):
        load_recipe(None, {"structure.merge_after": shares})


def test_every_option_is_documented() -> None:
    assert len(option_keys()) == len(set(option_keys()))
    for section in (
        Recipe,
        *(f.annotation for f in Recipe.model_fields.values() if hasattr(f.annotation, "model_fields")),
    ):
        for name, info in section.model_fields.items():
            assert info.description or hasattr(info.annotation, "model_fields"), name


def test_a_name_that_no_recipe_has_lists_those_there_are() -> None:
    with pytest.raises(RecipeError, match="there is no such recipe; use accurate, balanced"):
        load_recipe("blanced")
