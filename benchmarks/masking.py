"""What a masked training step costs: dense, our mask and torch.nn.utils.prune, side by side in one run.

    python -m benchmarks.masking            # about 3 minutes on one core

A MiniLM-sized BERT (6 layers, 384 wide, random weights, 10.6 M of its 22.7 M weights prunable, half of them pruned)
takes AdamW steps on batches of 32. Each round times the three one after the other, in turning order, so that what else
the machine does hits all alike. Printed are medians and the median over rounds of the ratio to the dense step.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import torch
from torch import nn
from torch.nn.utils import prune as torch_prune
from transformers import BertConfig, BertForTokenClassification

from compress.lottery import Mask, prune
from compress.models.anatomy import prunable_parameters

METHODS = ("dense", "pocket_ticket", "torch_prune")
STEPS = 3  # timed together


def main() -> None:
    """Parse the flags, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20, help="timed rounds of the three methods")
    parser.add_argument("--tokens", type=int, nargs="+", default=[16, 64], help="lengths of the sequences")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    results = {tokens: measure(tokens, arguments.rounds) for tokens in arguments.tokens}
    if arguments.json:
        print(json.dumps({"unit": "ms", "threads": arguments.threads, "tokens": results}))
        return
    print(f"{'tokens':>6} {'method':>12} {'median ms':>10} {'of dense':>9}")
    for tokens, methods in results.items():
        for method, (median, ratio) in methods.items():
            print(f"{tokens:>6} {method:>12} {median:>10.1f} {ratio:>9.3f}")


def measure(tokens: int, rounds: int) -> dict[str, tuple[float, float]]:
    """Method → (median milliseconds of a step, median over rounds of its ratio to the dense step).

    One model and one optimizer serve all three, so that none has the luckier place in memory.
    """
    model = encoder()
    (step, optimizer), parameters = stepper(model, tokens), prunable_parameters(model)
    mask = prune({name: p.detach().abs() for name, p in parameters.items()}, Mask.dense(parameters), 0.5)
    times: dict[str, list[float]] = {method: [] for method in METHODS}
    for number in range(-1, rounds):  # one to warm up
        turn = number % len(METHODS)
        for method in (*METHODS[turn:], *METHODS[:turn]):
            for state in optimizer.state.values():  # momentum of dense steps would revive pruned weights
                state["exp_avg"].zero_()
            with masked_by(method, model, parameters, mask):
                step()  # not timed: the first step under a method allocates
                began = time.perf_counter()
                for _ in range(STEPS):
                    step()
                if number >= 0:
                    times[method].append(1000 * (time.perf_counter() - began) / STEPS)
    ratio = {m: statistics.median(a / b for a, b in zip(times[m], times["dense"], strict=True)) for m in METHODS}
    return {method: (statistics.median(times[method]), ratio[method]) for method in METHODS}


def encoder() -> nn.Module:
    """MiniLM's shape with random weights and no pooler: 10.6 M prunable weights."""
    torch.manual_seed(0)
    config = BertConfig(hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536)
    return BertForTokenClassification(config)


@contextmanager
def masked_by(method: str, model: nn.Module, parameters: dict[str, nn.Parameter], mask: Mask) -> Iterator[None]:
    """Hold the model at the mask by one of METHODS while the block runs."""
    if method == "torch_prune":
        owners = [(model.get_submodule(name.rpartition(".")[0]), mask[name]) for name in parameters]
        for module, keep in owners:
            torch_prune.custom_from_mask(module, "weight", keep)
        yield
        for module, _ in owners:
            torch_prune.remove(module, "weight")
    else:
        with mask.enforced(parameters) if method == "pocket_ticket" else nullcontext():
            yield


def stepper(model: nn.Module, tokens: int) -> tuple[Callable[[], None], torch.optim.Optimizer]:
    """One whole training step (forward, backward, clip, AdamW), and its optimizer."""
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(1000, 30000, (32, tokens), generator=generator)
    labels = torch.randint(0, 2, (32, tokens), generator=generator)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-5, weight_decay=0.01)

    def step() -> None:
        optimizer.zero_grad()
        model(input_ids=ids, labels=labels).loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    return step, optimizer


if __name__ == "__main__":
    main()
