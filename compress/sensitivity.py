"""Which matrices lose accuracy in 4 bits? `python -m compress.sensitivity RUN_DIR` rounds one at a time.

Of each matrix of a finished run's last model: the signal-to-noise ratio of its rounded weights, how far the model's
answers to dev texts move when only this matrix is rounded, and the metric then. `quantize.keep_int8` keeps the
sensitive ones at int8.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from compress.console import Console, Parser, exit_code
from compress.errors import RecipeError
from compress.training.rounding import GROUP, rounded_weights


@dataclass(frozen=True)
class Sensitivity:
    """What rounding `name` alone does. `ratio`: 10·log10(Σw² / Σ(w − ŵ)²), dB; None for several matrices together.

    `moved`: how far the answers did. Classes: mean KL(fp32 ‖ rounded), nats; single numbers: mean squared difference;
    other kinds: share of the texts with another answer.
    """

    name: str
    ratio: float | None
    moved: float
    metric: float


def sensitivities(
    matrices: Mapping[str, nn.Linear | nn.Embedding],
    answer: Callable[[], np.ndarray],
    metric: Callable[[np.ndarray], float],
    moved: Callable[[np.ndarray, np.ndarray], float],
    scheme: str = "int4",
    advance: Callable[[int], None] = lambda _: None,
) -> list[Sensitivity]:
    """Round each matrix alone, then all; the most sensitive first, all of them last.

    `answer()` gives what is kept of the model's answers (N, ...) to some texts as it is at that moment, `metric(kept)`
    their quality, `moved(plain, rounded)` how far they moved.
    """
    plain = answer()

    def rounded(name: str, chosen: Mapping[str, nn.Linear | nn.Embedding]) -> Sensitivity:
        before = {key: matrix.weight.detach().clone() for key, matrix in chosen.items()}
        with rounded_weights(chosen.values(), scheme), torch.no_grad():
            ratios = [_decibels(before[key], matrix.weight) for key, matrix in chosen.items()]
            kept = answer()
        advance(1)
        return Sensitivity(name, ratios[0] if len(ratios) == 1 else None, moved(plain, kept), metric(kept))

    alone = [rounded(name, {name: matrix}) for name, matrix in matrices.items()]
    return [*sorted(alone, key=lambda s: -s.moved), rounded("all of them", matrices)]


def _decibels(plain: torch.Tensor, rounded: torch.Tensor) -> float:
    return float(10 * torch.log10(plain.square().sum() / (plain - rounded).square().sum().clamp_min(1e-30)))


def logits_moved(plain: np.ndarray, rounded: np.ndarray) -> float:
    """Mean KL(plain ‖ rounded) of logits (N, L), nats; the mean squared difference where L is 1."""
    first, second = torch.from_numpy(plain), torch.from_numpy(rounded)
    if first.shape[1] == 1:
        return float(F.mse_loss(second, first))
    inputs = (F.log_softmax(second, -1), F.log_softmax(first, -1))
    return float(F.kl_div(*inputs, log_target=True, reduction="batchmean"))


def main(arguments: list[str] | None = None) -> int:
    """The command: 0 with a table, 2 with one sentence."""
    parser = Parser(
        prog="pocket-ticket sensitivity",
        description="Which matrices lose accuracy in few bits? Each matrix is rounded alone, and dev is evaluated.",
        epilog="example: pocket-ticket sensitivity runs/mine, then --set quantize.keep_int8=[embeddings.word]",
    )
    parser.add_argument("run", type=Path, metavar="RUN_DIR", help="folder of a finished run")
    parser.add_argument(
        "--scheme", choices=["int4", "int8"], default="int4", help="the storage to test (default: int4)"
    )
    given = parser.parse_args(arguments)
    return exit_code(lambda: _show(given.run, given.scheme))


def _show(folder: Path, scheme: str) -> None:
    from rich.table import Table

    from compress.models.anatomy import stored_matrices
    from compress.pipeline.run import Inputs
    from compress.pipeline.stages import final_stage
    from compress.recipe.load import load_recipe
    from compress.training.trainer import predict

    if not (folder / "report.json").is_file():
        raise RecipeError("this is not a finished run", where=str(folder), remedy="give the folder of a finished run")
    console = Console("rich")
    run = Inputs.of(load_recipe(folder / "recipe.yaml"), console).in_folder(folder)
    stage = final_stage(run.recipe)
    model, texts = run.saved(stage), run.texts_of(stage)
    dev, task_type = texts.splits["dev"], texts.task_type
    matrices = {n: m for n, m in stored_matrices(model).items() if scheme == "int8" or m.weight.shape[1] % GROUP == 0}
    with console.step(f"{len(matrices)} matrices on {len(dev):,} dev texts", len(matrices) + 1) as advance:
        found = sensitivities(
            matrices,
            lambda: predict(model, dev, texts.tokenizer),
            lambda kept: task_type.score_on_dev(kept, dev, run.task.metric),
            logits_moved if run.task.of_sentences else lambda a, b: 1 - float(task_type.agree(a, b, run.task).mean()),
            scheme,
            advance,
        )
    table = Table("rounded alone", "SNR, dB", "answers moved", f"dev {run.task.metric}", title=f"{scheme}, {stage}")
    for row in found:
        ratio = "" if row.ratio is None else f"{row.ratio:.1f}"
        table.add_row(row.name, ratio, f"{row.moved:.4f}", f"{100 * row.metric:.1f}")
    console.show(table, matrices=[vars(row) for row in found])


if __name__ == "__main__":
    sys.exit(main())
