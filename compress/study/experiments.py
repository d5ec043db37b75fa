"""The order of a study: seed by seed the dense model, its tickets, controls, other searches, tickets of other tasks."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
from rich.table import Table

from compress.console import Console
from compress.errors import RecipeError
from compress.files import write_atomic, write_json
from compress.lottery import Mask
from compress.lottery.controls import random_mask
from compress.models.source import weights_fingerprint
from compress.pipeline.estimate import probe
from compress.pipeline.kept import AGREEMENT
from compress.pipeline.run import Inputs
from compress.pipeline.run_dir import RunDir
from compress.pipeline.stages.scoring import compared
from compress.recipe.recipe import Recipe
from compress.report.formats import duration
from compress.study.page import write_page
from compress.study.results import FORMAT, Results
from compress.study.searches import SEARCH, dense, expected_steps, iterative, round_epochs
from compress.study.settings import Settings
from compress.study.trainings import Bench, Spec, Start, Training, check_supported
from compress.study.transfer import Source
from compress.training.trainer import cpu_has_bf16

Row = dict[str, Any]


def run_study(recipe: Recipe, settings: Settings, output: Path, console: Console) -> dict[str, Any]:
    """Train all that is not trained yet and write study.json, study.md and plots after each seed. Returns the study."""
    bench, sources = _prepare(recipe, settings, output, console)
    folder, task = RunDir(output), bench.run.task
    console.note(f"{task.name} ({task.kind}, {len(task.train):,} training examples) on {bench.run.model_name}")
    write_atomic(folder.recipe, bench.run.recipe.to_yaml())
    bench.planned = sum(steps * count for _, count, steps in _plan(bench, settings))
    rows: list[Row] = []
    trained: dict[str, Training] = {}
    study: dict[str, Any] = {}
    for seed in settings.seeds:
        for row, training in _of_seed(bench, settings, sources, seed):
            rows.append(row | _numbers(training, output))
            trained[rows[-1]["folder"]] = training
        study = _about(bench, settings) | {"trainings": rows, "paired": _paired(bench, rows, trained)}
        write_json(output / "study.json", study)
        write_page(Results(study), output)
        console.note(f"seed {seed} is done: {output / 'study.md'}")
    console.note(Results(study).sentence(), study=str(output / "study.json"), trained=bench.trained)
    return study


def dry_run(recipe: Recipe, settings: Settings, output: Path, console: Console) -> None:
    """Show what would be trained and about how long that takes; trains and writes nothing."""
    bench, _ = _prepare(recipe, settings, output, console)
    step, total = probe(bench.run).seconds, 0.0
    table = Table("training", "how many", "steps each", "about", title=f"{bench.run.task.name}: would write {output}")
    for name, count, steps in _plan(bench, settings):
        total += count * steps * step
        table.add_row(name, str(count), f"{steps:,}", duration(count * steps * step))
    table.add_row("all, without dev and test", "", "", duration(total), end_section=True)
    console.show(table, seconds=round(total), output=str(output))


def _prepare(recipe: Recipe, settings: Settings, output: Path, console: Console) -> tuple[Bench, list[Source]]:
    run = Inputs.of(_as_published(recipe), console)
    check_supported(run, settings.searches)
    if run.task.metric == AGREEMENT:
        raise RecipeError(
            "the labels are the given model's own answers, and a study trains dense models on them",
            where=recipe.data.source,
            remedy="give texts with labels",
        )
    bench = Bench(run, output, looks=settings.looks)
    return bench, [Source(folder, run, settings.at) for folder in settings.transfer]


def _as_published(recipe: Recipe) -> Recipe:
    """With the papers' criterion, unless the recipe names one."""
    if "criterion" in recipe.ticket.model_fields_set:
        return recipe
    return recipe.model_copy(update={"ticket": recipe.ticket.model_copy(update={"criterion": "magnitude"})})


def _plan(bench: Bench, settings: Settings) -> list[tuple[str, int, int]]:
    """(what, how many, steps of each), over all seeds."""
    recipe, seeds, at = bench.run.recipe, len(settings.seeds), len(settings.at)
    a_pass = math.ceil(len(bench.run.task.train) / recipe.training.batch_size)

    def steps(epochs: float | None) -> int:
        return math.ceil(a_pass * (epochs or recipe.training.passes))

    whole, rounds = steps(None), round_epochs(bench)
    plan = [("dense model", seeds, whole), ("tickets", seeds * len(settings.sparsities), whole)]
    if rounds:
        plan.append(("rounds of the search", seeds * (len(settings.sparsities) - 1), steps(rounds)))
    plan += [(f"control: {name}", seeds * at, whole) for name in settings.controls]
    plan += [(f"tickets of {folder}", seeds * at, whole) for folder in settings.transfer]
    for name in settings.searches:
        if more := expected_steps(name, len([s for s in settings.sparsities if s <= max(settings.at)]), steps):
            plan.append((f"search: {name}", seeds, more))
        plan.append((f"tickets of the search: {name}", seeds * at, whole))
    return plan


def _of_seed(bench: Bench, settings: Settings, sources: list[Source], seed: int) -> Iterator[tuple[Row, Training]]:
    """Each training that the study reports, with what it is."""

    def about(role: str, sparsity: float, source: str | None = None, cost: float | None = None) -> Row:
        return {"role": role, "source": source, "sparsity": sparsity, "seed": seed, "search_steps": cost}

    def off(mask: Mask, sparsity: float) -> Row:
        return {"mask_distance": mask.distance(found[sparsity].mask)}

    yield about("dense", 0.0), dense(bench, seed, settings.searches)
    found, tickets = iterative(bench, seed, settings.sparsities)
    for level, ticket in tickets.items():
        yield about("ticket", level, cost=found[level].steps) | {"sparsest": list(found[level].mask.sparsest)}, ticket
    for level in settings.at:
        for control in settings.controls:
            yield about("control", level, control), bench.train(_control(control, level, found[level].mask, seed))
    path = [level for level in settings.sparsities if level <= max(settings.at)]
    for name in settings.searches:
        masks = SEARCH[name](bench, seed, path)
        for level in settings.at:
            other = masks[level]
            ticket = bench.train(Spec(seed, f"{name}-{level:g}", other.mask))
            yield about("search", level, name, other.steps) | off(other.mask, level), ticket
    for source in sources:
        for level in settings.at:
            mask = source.mask(level, seed)
            spec = Spec(seed, f"from-{source.name}-{level:g}", mask)
            yield about("transfer", level, source.name) | off(mask, level), bench.train(spec)


def _control(name: str, level: float, mask: Mask, seed: int) -> Spec:
    label = f"{name}-{level:g}"
    if name == "random":
        return Spec(seed, label, random_mask(mask, seed=seed))
    return Spec(seed, label, mask, start=cast(Start, name))


def _numbers(training: Training, output: Path) -> Row:
    keys = ("sparsity_prunable", "sparsity_total", "steps", "seconds", "curve")
    metric = {split: training.numbers["metric"][split] for split in ("dev", "test")}
    return metric | {key: training.numbers[key] for key in keys} | {"folder": str(training.folder.relative_to(output))}


def _paired(bench: Bench, rows: list[Row], trained: dict[str, Training]) -> list[Row]:
    """Ticket − dense on the same test examples, mean over seeds, with its interval (paired bootstrap)."""

    def answers(role: str, level: float) -> list[dict[str, np.ndarray]]:
        return [trained[r["folder"]].predictions() for r in rows if (r["role"], r["sparsity"]) == (role, level)]

    result, whole = [], answers("dense", 0.0)
    for level in sorted({row["sparsity"] for row in rows if row["role"] == "ticket"}):
        found = compared(bench.run, answers("ticket", level), whole)
        result.append({"sparsity": level, "value": found.value, "low": found.low, "high": found.high})
    return result


def _about(bench: Bench, settings: Settings) -> dict[str, Any]:
    run, task = bench.run, bench.run.task
    sizes = {split: len(task.split(split)) for split in ("train", "dev", "test")}
    return {
        "format": FORMAT,
        "task": {"name": task.name, "kind": task.kind, "metric": task.metric, "examples": sizes},
        "model": {"name": run.model_name, "fingerprint": weights_fingerprint(run.source)},
        "precision": "products in bf16" if cpu_has_bf16() else "fp32",
        "settings": {
            "seeds": list(settings.seeds),
            "sparsities": list(settings.sparsities),
            "at": list(settings.at),
            "controls": list(settings.controls),
            "searches": list(settings.searches),
            "transfer": [str(folder) for folder in settings.transfer],
            "round_epochs": round_epochs(bench) or run.recipe.training.passes,
        },
        "recipe": run.recipe.model_dump(mode="json"),
    }
