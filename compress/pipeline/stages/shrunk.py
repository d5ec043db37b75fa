"""The structured ticket: units, layers and words are removed, and what stays is distilled from the dense model."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from compress.data.augment import altered
from compress.kinds.encode import Texts, encode
from compress.kinds.vectors import unit
from compress.models.anatomy import embeddings_of, layers_of
from compress.models.factorized import factorize
from compress.models.merging import merge
from compress.models.pooling import PROJECTION, basis_of, project
from compress.models.saved import Saved, Sizes
from compress.models.surgery import Structure, full_structure, remove
from compress.pipeline.other_teacher import STAGE_NAME, OtherTeacher, answers_to, with_other
from compress.pipeline.run import Run
from compress.pipeline.stages.calibration import (
    batches,
    calibration_batches,
    is_large,
    losses,
    scored_note,
    texts_scored,
)
from compress.pipeline.stages.scoring import finish
from compress.pipeline.stages.stage import FORWARD, Cost, Data, Stage
from compress.pipeline.vectors import of_texts
from compress.recipe.recipe import Recipe
from compress.recipe.sections import StructureSection
from compress.shrink.gates import gate_scores
from compress.shrink.units import (
    UnitScores,
    choose_layers,
    choose_structure,
    magnitude_scores,
    random_scores,
    taylor_scores,
    trials,
)
from compress.shrink.vocabulary import choose, coverage, scripts_of, trim_model, trim_tokenizer
from compress.training.distillation import Teacher
from compress.training.rounding import GROUP
from compress.training.trainer import Fitted, TrainingPlan, predict

_LAYER_BATCHES, _LAYER_BATCHES_OF_LARGE = 20, 12
_WITHOUT_TEXTS = ("magnitude", "random")  # criteria that score units by the weights alone, or by nothing
_BASIS_TEXTS = 5000  # whose vectors decide the directions of shorter ones
LONGEST_PASS = 2.5  # times one over the labeled texts, however many others: a run takes five dense trainings


def run_shrunk(run: Run, folder: Path) -> None:
    """Choose what stays by the dense model's Taylor scores, cut the model to it, and distil it from the dense model.

    Where nothing is cut and nothing rewound there is nothing to train: it is the dense model.
    """
    dense = run.saved("dense")
    if (task := of_texts(run.task)) is not run.task:
        run = run.with_task(task)
    structure = _structure(run, dense)
    scored = texts_scored(run, dense) if run.recipe.structure.criterion not in _WITHOUT_TEXTS else {}
    labeled = len(run.task.train)
    run = _with_more_texts(run, dense)
    start = run.saved("dense") if run.recipe.structure.rewind == "none" else run.pretrained()
    model, texts, kept, facts = cut(run, structure, start, _basis(run, dense))
    settings = run.recipe.structure
    changed = structure != full_structure(dense) or kept is not None or settings.embedding_rank or settings.merge_after
    changed = changed or run.recipe.embedding.size
    if not changed and settings.rewind == "none" and not run.recipe.quantize.aware_epochs:
        fitted = Fitted(0, 0.0)
    else:
        fitted = _fit(run, model, dense, structure, texts, kept, labeled)
    kept_units = {"layers": structure.layers, **dataclasses.asdict(structure.sizes)}
    if places := Saved.of(model.config).merge_after:
        kept_units["merge_after"] = places
    facts_of_run: dict[str, Any] = {"structure": kept_units, "vocabulary": facts, **scored}
    if run.recipe.distill.enabled:
        facts_of_run["unlabeled"] = len(run.task.unlabeled)
    finish(run, model, folder, fitted, texts=texts, **facts_of_run)


def cut(
    run: Run, structure: Structure, start: PreTrainedModel, basis: Tensor | None = None
) -> tuple[PreTrainedModel, Texts, tuple[int, ...] | None, dict[str, Any]]:
    """`start` cut, in place, to a structure and the recipe's words; the task as it reads it; kept ids; facts.

    Vectors that the recipe shortens are projected by `basis` (D, H).
    """
    texts, kept, facts = _vocabulary(run)
    remove(start, structure)
    model = start
    if kept is not None:
        trim_model(model, kept, texts.tokenizer)
    rank = run.recipe.structure.embedding_rank
    if 0 < rank < embeddings_of(model).word.weight.shape[1]:  # some encoders have a table as narrow from the start
        factorize(model, rank, _word_counts(texts))
    if 0 < (size := run.recipe.embedding.size) < start.config.hidden_size:
        project(model, torch.eye(size, start.config.hidden_size) if basis is None else basis)
    if places := run.recipe.structure.merging_layers(len(structure.layers)):
        merge(model, places)
    return model, texts, kept, facts


def _word_counts(texts: Texts) -> Tensor:
    """How often training uses each word (V,), and once more: a word that it does not use counts, too."""
    used = [i for ids in texts.splits["train"].rows["input_ids"] for i in ids]
    return torch.bincount(torch.tensor(used), minlength=len(texts.tokenizer)) + 1.0


def _fit(
    run: Run,
    model: PreTrainedModel,
    dense: PreTrainedModel,
    structure: Structure,
    texts: Texts,
    kept: tuple[int, ...] | None,
    labeled: int,
) -> Fitted:
    """Distil from the dense model; the last passes, if the recipe has them, use weights as they will be stored."""
    recipe, learner = run.recipe, run.learner(texts)
    distill, aware = recipe.distill, recipe.quantize.aware_epochs
    pass_length = min(1.0, LONGEST_PASS * labeled / len(run.task.train))
    teacher = _teacher(run, dense, structure, texts, kept) if distill.enabled else None
    if teacher and texts.task_type.vectors:
        projection = getattr(model, PROJECTION, None)
        basis = None if projection is None else projection.weight.detach().clone()
        teacher = teacher.of_vectors(basis, recipe.embedding.similarity_weight)
    epochs = distill.passes if distill.enabled else recipe.training.passes
    rate = distill.peak if distill.enabled else recipe.training.peak
    plan = TrainingPlan("shrunk model", epochs * pass_length, recipe.seed, learning_rate=rate, curve=True)
    fitted = learner.fit(model, plan, teacher=teacher)
    if not aware:
        return fitted
    last = dataclasses.replace(
        plan,
        name=f"shrunk model, rounded to {recipe.quantize.scheme}",
        epochs=aware * pass_length,
        learning_rate=rate / 3,  # it starts from a solution
        rounding=recipe.quantize.scheme,
    )
    return fitted.then(learner.fit(model, last, teacher=teacher))


def _basis(run: Run, dense: PreTrainedModel) -> Tensor | None:
    """(D, H) of the recipe's shorter vectors, from the dense model's on some training texts; None: they stay."""
    size, train = run.recipe.embedding.size, run.texts.splits["train"]
    if not 0 < size < dense.config.hidden_size:
        return None
    drawn = np.random.default_rng(run.recipe.seed).permutation(len(train))[:_BASIS_TEXTS].tolist()
    return basis_of(torch.from_numpy(unit(predict(dense, train.only(drawn), run.texts.tokenizer))), size)


def _with_more_texts(run: Run, dense: PreTrainedModel) -> Run:
    """The run with altered copies of its training texts and the unlabeled ones, labeled by the teacher."""
    distill, task = run.recipe.distill, run.task
    if not distill.enabled or not (distill.augment or task.unlabeled):
        return run
    more = [*altered(task.train, distill.augment, run.recipe.seed), *task.unlabeled]
    with run.console.step("teacher's labels for more texts", 1) as advance:
        other = OtherTeacher.of(run)
        if other is None:
            encoded = encode(more, task, run.texts.tokenizer, run.recipe.model.max_tokens, run.long)
            logits = predict(dense, encoded, run.texts.tokenizer)
        else:
            logits = answers_to(more, run, run.saved(STAGE_NAME), other)
        labels = run.texts.task_type.pseudo_labels(logits)
        advance(1)
    added = [dataclasses.replace(example, label=label) for example, label in zip(more, labels, strict=True)]
    return run.with_task(dataclasses.replace(task, train=(*task.train, *added)))


def _structure(run: Run, dense: PreTrainedModel) -> Structure:
    """What stays, chosen in rounds: score what is left of the trained model, cut θ0 further, train that, and again."""
    settings = run.recipe.structure
    model, found = dense, full_structure(dense)
    for number in range(1, settings.rounds + 1):
        sizes = sizes_of(settings, full_structure(dense), done=number / settings.rounds)
        layers = _layers(run, model, len(sizes.heads))
        scores = _scores(run, model)
        found = choose_structure(scores, layers=layers, heads=sizes.heads, neurons=sizes.neurons).within(found)
        if number < settings.rounds:
            model = run.pretrained()
            remove(model, found)
            name = f"structure, round {number + 1} of {settings.rounds}"
            run.learner().fit(model, TrainingPlan(name, settings.round_epochs, run.recipe.seed))
    return found


def sizes_of(settings: StructureSection, full: Structure, done: float = 1.0) -> Sizes:
    """How many heads and neurons each kept layer of a model with `full` has, when `done` (0–1) of the cut is made.

    Neurons stay in whole groups of 32 where there are so many: only whole groups can be stored in 4 bits.
    """

    def left(count: int, share: float, group: int) -> int:
        wanted = count * (1 - (1 - share) * done)
        return max(1, round(wanted / group) * group if wanted >= group else round(wanted))

    layers = max(1, round(settings.layers * len(full.layers)))
    return Sizes(
        tuple(left(len(heads), settings.heads, 1) for heads in full.heads[:layers]),
        tuple(left(len(neurons), settings.neurons, GROUP) for neurons in full.neurons[:layers]),
    )


def _scores(run: Run, model: PreTrainedModel) -> list[UnitScores]:
    criterion = run.recipe.structure.criterion
    if criterion == "magnitude":
        return magnitude_scores(model)
    if criterion == "random":
        return random_scores(model, run.recipe.seed)
    count = calibration_batches(run, model)
    scored = gate_scores if criterion == "gates" else taylor_scores
    with run.console.step("scores of heads and neurons", count) as advance:
        return scored(model, losses(run, model, count, advance))


def _layers(run: Run, model: PreTrainedModel, count: int) -> tuple[int, ...]:
    """Which layers stay: the first, or those without which the loss on some training texts grows most."""
    present = len(layers_of(model))
    if count == present or run.recipe.structure.layer_choice == "first":
        return tuple(range(count))
    large, task_type = is_large(model), run.texts.task_type
    tried = list(batches(run, _LAYER_BATCHES_OF_LARGE if large else _LAYER_BATCHES))
    each = [lambda batch=batch: float(task_type.loss(model, batch)) for batch in tried]
    work = run.console.step("choice of layers", trials(present, count, len(tried)))
    with work as advance, task_type.training(model), torch.inference_mode():
        return choose_layers(model, count, each, advance)


def _vocabulary(run: Run) -> tuple[Texts, tuple[int, ...] | None, dict[str, Any]]:
    """The task read with the trimmed vocabulary, the kept ids, and what the trimming changed."""
    size, full = run.recipe.structure.vocabulary, run.texts
    if size == 0 or size >= len(full.tokenizer):
        return full, None, {"words": len(full.tokenizer)}
    texts = [t for e in run.task.train for t in (e.text_a, e.text_b) if t]
    kept = choose(full.tokenizer, texts, size, scripts_of(texts))
    trimmed = trim_tokenizer(full.tokenizer, kept)
    dev = [t for e in run.task.dev for t in (e.text_a, e.text_b) if t]
    facts = {"words": len(kept), "dev": dataclasses.asdict(coverage(full.tokenizer, trimmed, dev))}
    return run.encoded(run.task, trimmed), kept, facts


def _teacher(
    run: Run, dense: PreTrainedModel, structure: Structure, texts: Texts, kept: tuple[int, ...] | None
) -> Teacher:
    """The dense model's logits for the texts as it reads them, its hidden states for the student's own tokens.

    The student's layer i follows the layer that it was, its last one follows the teacher's last.
    """
    states = (0, *(i + 1 for i in structure.layers[:-1]), len(layers_of(dense)))
    train = texts.splits["train"]
    with run.console.step("teacher's outputs", len(train)) as advance:
        if kept is None:
            teacher = Teacher.of(dense, train, texts.tokenizer, run.recipe.distill, states=states, advance=advance)
            return with_other(teacher, run, train)
        old_ids = [[kept[i] for i in ids] for ids in train.rows["input_ids"]]
        old = dataclasses.replace(train, rows=train.rows.remove_columns("input_ids").add_column("input_ids", old_ids))
        full = run.texts
        teacher = Teacher.of(dense, old, full.tokenizer, run.recipe.distill, states=states, advance=advance)
        if run.recipe.distill.teacher:
            return with_other(teacher, run, old)
        # the student needs an answer for each of its own tokens, or windows, which may be others than the teacher's
        if not run.task.one_output or train.windowed or full.splits["train"].windowed:
            return teacher
        logits, own = list(teacher.logits), full.splits["train"]
        other = [i for i, ids in enumerate(own.rows["input_ids"]) if ids != old_ids[i]]
        if other:
            for i, row in zip(other, predict(dense, own.only(other), full.tokenizer), strict=True):
                logits[i] = torch.from_numpy(row)
    return dataclasses.replace(teacher, logits=logits)


def _note(numbers: dict[str, Any]) -> list[str]:
    """What a structured ticket keeps, what its smaller vocabulary changes, and which other texts it was trained on."""
    sizes, words = numbers["structure"], numbers["vocabulary"]
    layers = [f"{h} heads and {n:,} neurons" for h, n in zip(sizes["heads"], sizes["neurons"], strict=True)]
    same = len(set(layers)) == 1
    numbered = ", ".join(str(i + 1) for i in sizes["layers"])
    kept = f"layers {numbered}, {layers[0]} in each" if same else f"layers {numbered} with {'; '.join(layers)}"
    if places := sizes.get("merge_after"):
        kept += f"; after layer {' and '.join(map(str, places))} of them pairs of tokens are merged"
    note = f"{kept}; {words['words']:,} words"
    if dev := words.get("dev"):
        changed, longer, unknown = (f"{100 * dev[k]:.1f} %" for k in ("texts_changed", "tokens_added", "unknown_added"))
        note += f" ({changed} of the dev texts get other tokens: {longer} more of them, {unknown} became unknown)"
    if more := numbers.get("unlabeled"):
        note += f"; it was also distilled on {more:,} unlabeled texts"
    return [note, *scored_note(numbers)]


def shrinking_cost(recipe: Recipe, data: Data, *, layers: float, heads: float, neurons: float, **_: float) -> Cost:
    """The cost of one structured ticket that keeps these shares of the units."""
    more = recipe.distill.augment + data.unlabeled / data.labeled if recipe.distill.enabled else 0.0
    rounds = recipe.structure.round_epochs * (recipe.structure.rounds - 1)
    epochs = (recipe.distill.passes + recipe.quantize.aware_epochs) * min(1 + more, LONGEST_PASS)
    cost = Cost().plus(data.steps(recipe, rounds)).plus(data.steps(recipe, epochs), layers * (heads + 2 * neurons) / 3)
    return cost.plus(data.steps(recipe, 1 + more), 2 * FORWARD)


def stage(recipe: Recipe) -> Stage:
    """The stage of a recipe that names its structure."""
    storage = ("quantize",) if recipe.quantize.aware_epochs else ()
    shares = recipe.structure.model_dump(include={"layers", "heads", "neurons"})
    return Stage(
        "shrunk",
        "Structured ticket",
        run_shrunk,
        needs=("dense",),
        settings=("seed", "structure", "distill", "embedding", *storage),
        cost=lambda recipe, data: shrinking_cost(recipe, data, **shares),
        note=_note,
    )


def chosen_stage(run: Callable[[Run, Path], None]) -> Stage:
    """The stage that takes over what a budget's search has trained; `run` copies it."""
    return Stage(
        "shrunk",
        "Structured ticket",
        run,
        needs=("dense", "budget"),
        cost=lambda recipe, data: Cost(seconds=3.0),
        note=_note,
    )
