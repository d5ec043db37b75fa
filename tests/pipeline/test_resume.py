"""A folder of an earlier run: a stage is kept only if nothing that its result depends on has changed."""

import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest

from compress.console import Console
from compress.errors import PocketTicketError
from compress.files import fingerprint
from compress.models.source import model_fingerprint
from compress.pipeline.order import Pipeline, stages_of
from compress.pipeline.run_dir import RunDir
from compress.recipe.load import load_recipe
from compress.recipe.recipe import Recipe, options

KINDS = ({}, {"ticket.kind": "structure"}, {"budget.max_drop": 2.0})  # of searches; each has settings of its own
OTHER = {  # values that the type alone does not give
    "ticket.rewind": "step:3",
    "budget.max_size": "1MB",
    "budget.max_latency": "1ms@12",
    "structure.merge_after": (0.4,),
    "quantize.keep_int8": ("*",),
    "measure.lengths": (5,),
}
# what the fingerprint of the data has instead, or of the model's files
BY_CONTENT = ("model.name", "data.", "distill.unlabeled")


def pipeline(encoder: Path, task: Path, output: Path, **given: Any) -> Pipeline:
    flags = {"model.name": str(encoder), "data.source": str(task), "model.max_tokens": 32}
    return Pipeline(load_recipe(None, {**flags, **given}), output, Console("quiet"), with_app=False)


def last_mark(recipe: Recipe) -> str:
    """What `Pipeline` makes of a recipe alone: the fingerprint of the last stage, through all that it needs."""
    marks: dict[str, str] = {}
    for stage in stages_of(recipe):
        settings = {key: recipe.model_dump(mode="json")[key] for key in stage.settings}
        marks[stage.name] = fingerprint(stage.name, settings, [marks[need] for need in stage.needs])
    return fingerprint(marks)


def changed(recipe: Recipe, key: str, info: Any) -> Recipe:
    section, _, name = key.rpartition(".")
    old = getattr(getattr(recipe, section) if section else recipe, name)
    if key in OTHER:
        new: Any = OTHER[key]
    elif choices := [c for c in get_args(info.annotation) if isinstance(c, str) and c != old]:
        new = choices[-1]
    else:
        new = (not old) if isinstance(old, bool) else (old or 0) + 1
    if not section:
        return recipe.model_copy(update={name: new})
    return recipe.model_copy(update={section: getattr(recipe, section).model_copy(update={name: new})})


@pytest.mark.parametrize("key", [k for k, _ in options() if not k.startswith(BY_CONTENT)])
def test_every_setting_is_part_of_a_fingerprint(key: str) -> None:
    recipes = [load_recipe(None, dict(kind)) for kind in KINDS]
    others = [changed(recipe, key, dict(options())[key]) for recipe in recipes]
    assert any(last_mark(a) != last_mark(b) for a, b in zip(recipes, others, strict=True)), f"{key} changes no stage"


def test_every_file_of_the_model_is_part_of_the_fingerprint(tiny_encoder: Path, tmp_path: Path) -> None:
    seen = {model_fingerprint(str(tiny_encoder))}
    names = {file.name for file in tiny_encoder.iterdir()}
    for number, name in enumerate(sorted(names | {"vocab.txt", "added_tokens.json", "merges.txt", "spiece.model"})):
        folder = tmp_path / name
        shutil.copytree(tiny_encoder, folder)
        with (folder / name).open("ab") as stream:
            stream.write(b" ")
        seen.add(model_fingerprint(str(folder)))
        assert len(seen) == number + 2, f"{name} is not seen"


def test_the_data_and_the_metric_are_part_of_the_fingerprint(
    tiny_encoder: Path, tiny_task: Path, tmp_path: Path
) -> None:
    def base(task: Path = tiny_task, **given: Any) -> str:
        return pipeline(tiny_encoder, task, tmp_path / "run", **given).base

    seen = [base(), base(**{"data.metric": "f1"})]
    rng = random.Random(0)
    for split in ("train", "dev", "test"):
        folder = tmp_path / split
        shutil.copytree(tiny_task, folder)
        rows = (folder / f"{split}.tsv").read_text().splitlines()
        row = rng.randrange(1, len(rows))
        rows[row] += " indeed"
        (folder / f"{split}.tsv").write_text("\n".join(rows) + "\n")
        seen.append(base(folder))
    (folder / "unlabeled.txt").write_text("so sunny\n")
    seen.append(base(folder))
    assert len(set(seen)) == len(seen)
    assert base() == seen[0]


HOLD = """
import sys, time
from pathlib import Path
from compress.pipeline.run_dir import RunDir
with RunDir(Path(sys.argv[1])).locked("the first command"):
    print("locked", flush=True)
    sys.stdin.readline()
    if sys.argv[2] == "fail":
        raise SystemExit(3)
"""


@pytest.mark.parametrize("end", ["well", "fail", "kill"])
def test_a_second_run_is_refused_until_the_first_ends_in_any_way(tmp_path: Path, end: str) -> None:
    first = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path), end], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert first.stdin and first.stdout and first.stdout.readline() == "locked\n"
    with (
        pytest.raises(PocketTicketError, match=f"process {first.pid} on .*the first command"),
        RunDir(tmp_path).locked("x"),
    ):
        pass
    if end == "kill":
        first.send_signal(signal.SIGKILL)
    first.communicate("\n")
    with RunDir(tmp_path).locked("the next command"):
        pass
