"""What a training step takes, in time and memory: a few are run on a throw-away copy of the model."""

import resource
import sys
import time
from dataclasses import dataclass

import torch

from compress.pipeline.run import Inputs
from compress.training.trainer import cpu_has_bf16

_OPTIMIZER, _TEACHER = 8, 4  # bytes a parameter: AdamW's two averages; a second model


@dataclass(frozen=True)
class Probe:
    """`seconds` of a training step of the dense model; `bytes` of memory that training takes at its peak, about."""

    seconds: float
    bytes: int


def probe(run: Inputs, steps: int = 3) -> Probe:
    """Run a few training steps on texts of median length, without the optimizer, and throw the model away."""
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
            loss = texts.task_type.loss(model, batch)
        loss.backward()
        times.append(time.monotonic() - started)
    parameters = sum(p.numel() for p in model.parameters())
    more = parameters * (_OPTIMIZER + _TEACHER * run.recipe.distill.enabled)
    return Probe(sorted(times[1:])[steps // 2], _peak() + more)


def _peak() -> int:
    """The most bytes that this process has had in memory."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
