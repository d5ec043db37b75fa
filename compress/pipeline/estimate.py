"""How long a training step takes: a few are timed on a throw-away copy of the model."""

import time

import torch

from compress.pipeline.run import Inputs
from compress.training.trainer import cpu_has_bf16


def seconds_per_step(run: Inputs, steps: int = 3) -> float:
    """Seconds of a training step on texts of median length, without the optimizer; the model is thrown away."""
    texts, rows = run.texts, run.texts.splits["train"].rows
    by_length = sorted(range(len(rows)), key=lambda i: len(rows[i]["input_ids"]))
    size = min(run.recipe.training.batch_size, len(rows))
    first = (len(rows) - size) // 2
    batch = texts.task_type.collator(texts.tokenizer)([rows[i] for i in by_length[first : first + size]])
    model = run.pretrained().train()
    times = []
    for _ in range(steps + 1):
        started = time.monotonic()
        with torch.autocast("cpu", torch.bfloat16, enabled=cpu_has_bf16()), texts.task_type.training(model):
            loss = model(**batch).loss
        loss.backward()
        times.append(time.monotonic() - started)
    return sorted(times[1:])[steps // 2]
