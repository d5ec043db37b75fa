"""The structured ticket: units, layers and words are removed for real, the rest trains from the pre-trained weights."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from compress.data.encode import Encoded, Texts, batches
from compress.lottery.structured import choose_structure, taylor_scores
from compress.models.anatomy import layers_of
from compress.models.structure import Structure, remove
from compress.stages.run import Run
from compress.stages.scoring import finish
from compress.training.distillation import Teacher
from compress.training.trainer import predict
from compress.vocabulary import choose, coverage, trim_model, trim_tokenizer

_CALIBRATION_BATCHES = 60  # of 32 texts: more change no choice that a seed does not change too


def run_shrunk(run: Run, folder: Path) -> None:
    """Choose what stays by the dense model's Taylor scores, cut θ0 to it, train that towards the dense model."""
    dense = run.saved("dense")
    structure = _structure(run, dense)
    texts, kept, facts = _vocabulary(run)
    model = remove(run.pretrained(), structure)
    if kept is not None:
        trim_model(model, kept, texts.tokenizer)
    recipe, learner = run.recipe, run.learner(texts)
    if recipe.distill.enabled:
        fitted = learner.fit(
            model,
            "shrunk model",
            epochs=recipe.distill.epochs,
            seed=recipe.seed,
            teacher=_teacher(run, dense, structure, texts, kept),
            learning_rate=recipe.distill.learning_rate,
            curve=True,
        )
    else:
        fitted = learner.fit(model, "shrunk model", epochs=recipe.training.epochs, seed=recipe.seed, curve=True)
    finish(run, model, folder, fitted, texts=texts, structure=dataclasses.asdict(structure.sizes), vocabulary=facts)


def _structure(run: Run, dense: PreTrainedModel) -> Structure:
    settings, texts = run.recipe.structure, run.texts
    layers = max(1, round(settings.layers * len(layers_of(dense))))
    train = texts.splits["train"]
    count = min(_CALIBRATION_BATCHES, -(-len(train) // 32))

    with run.console.step("scores of heads and neurons", count) as advance:

        def losses() -> Iterator[Tensor]:
            order = np.random.default_rng(run.recipe.seed).permutation(len(train))[: 32 * count]
            chosen = Encoded(train.rows.select(order), train.labels[order], 0)
            for rows, batch in batches(chosen, texts.tokenizer, 32):
                yield dense(**batch, labels=torch.as_tensor(chosen.labels[rows])).loss
                advance(1)

        scores = taylor_scores(dense, losses())
    return choose_structure(scores, layers=layers, heads=settings.heads, neurons=settings.neurons)


def _vocabulary(run: Run) -> tuple[Texts, tuple[int, ...] | None, dict[str, Any]]:
    """The task read with the trimmed vocabulary, the kept ids, and what the trimming changed."""
    size, full = run.recipe.structure.vocabulary, run.texts
    if size == 0 or size >= len(full.tokenizer):
        return full, None, {"words": len(full.tokenizer)}
    texts = [t for e in run.task.train for t in (e.text_a, e.text_b) if t]
    kept = choose(full.tokenizer, texts, size)
    trimmed = trim_tokenizer(full.tokenizer, kept)
    dev = [t for e in run.task.dev for t in (e.text_a, e.text_b) if t]
    facts = {"words": len(kept), "dev": dataclasses.asdict(coverage(full.tokenizer, trimmed, dev))}
    return Texts.of(run.task, trimmed, run.recipe.model.max_tokens), kept, facts


def _teacher(
    run: Run, dense: PreTrainedModel, structure: Structure, texts: Texts, kept: tuple[int, ...] | None
) -> Teacher:
    """The dense model's logits for the texts as it reads them, its hidden states for the student's own tokens.

    The student's layer i follows the layer that it was, its last one follows the teacher's last.
    """
    states = (0, *(i + 1 for i in structure.layers[:-1]), len(layers_of(dense)))
    train = texts.splits["train"]
    with run.console.step("teacher's answers", len(train)) as advance:
        if kept is None:
            return Teacher.ask(dense, train, texts.tokenizer, run.recipe.distill, states=states, advance=advance)
        old_ids = [[kept[i] for i in ids] for ids in train.rows["input_ids"]]
        old = Encoded(train.rows.remove_columns("input_ids").add_column("input_ids", old_ids), train.labels, 0)
        full = run.texts
        taught = Teacher.ask(dense, old, full.tokenizer, run.recipe.distill, states=states, advance=advance)
        logits = predict(dense, full.splits["train"], full.tokenizer)
    return dataclasses.replace(taught, logits=torch.from_numpy(logits))
