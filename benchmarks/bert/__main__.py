"""The paper's experiments on its own model: `python -m benchmarks.bert --model DIR --data DIR --output DIR`.

Chen et al. 2020, on BERT-base: for each task the dense model, iterative magnitude and Taylor's tickets, a random mask,
random and shuffled weights; then the universal ticket: masks from masked words with BERT's own head, tried on every
task beside the task's own, other tasks' and random ones. Each study is a folder of `pocket-ticket study`: the same
command continues an interrupted one, and trains nothing twice. The page is written anew after each study.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bert.page import write_page
from compress.errors import PocketTicketError
from compress.study.__main__ import main as study

WORDS = "words"  # the study of masked words


@dataclass(frozen=True)
class Target:
    """One task of the page: its folder in --data, how long each training is, how many seeds."""

    name: str
    epochs: float
    seeds: int
    settings: tuple[str, ...] = ()


# as many steps as the dense model needs: the paper's 3 passes are over sets that are 10 to 60 times as large
TARGETS = (
    Target("trec", 1.25, 3, ("data.metric=accuracy",)),
    Target("stsb", 3, 3, ("data.train_limit=2000",)),
    Target("sst2", 1, 1),
)
LEVELS = "0.5,0.7"


@dataclass(frozen=True)
class Plan:
    """What the command line says: where model, data and studies are, and what is left out."""

    model: str
    data: Path
    output: Path
    words: Path
    targets: Sequence[Target]
    levels: str = LEVELS
    more: Sequence[str] = ()

    def studies(self) -> Iterator[tuple[str, list[str]]]:
        """(name, the study's arguments) in order: masked words, each target, each target with the others' tickets."""
        seeds = max(target.seeds for target in self.targets)
        words = ["--kind", "mlm", "--epochs", "1", "--controls", "none", "--seeds", _seeds(seeds)]
        yield WORDS, [*self._common(WORDS, self.words), *words]
        for target in self.targets:
            yield target.name, self._of(target)
        for target in self.targets:
            others = [self.output / name for name in (WORDS, *(t.name for t in self.targets)) if name != target.name]
            yield target.name, [*self._of(target), "--transfer", *map(str, others)]

    def _of(self, target: Target) -> list[str]:
        own = ["--epochs", f"{target.epochs:g}", "--seeds", _seeds(target.seeds), "--looks", "4"]
        own += ["--searches", "pretrained,taylor"]
        settings = [word for setting in target.settings for word in ("--set", setting)]
        return [*self._common(target.name, self.data / target.name), *own, *settings]

    def _common(self, name: str, data: Path) -> list[str]:
        where = ["--model", self.model, "--data", str(data), "--output", str(self.output / name)]
        return [*where, "--sparsities", self.levels, *self.more]


def _seeds(count: int) -> str:
    return ",".join(map(str, range(count)))


def run(plan: Plan, page: Path, *, dry: bool = False) -> None:
    """Run every study of the plan, and write the page after each. Raises PocketTicketError where one fails."""
    for name, arguments in plan.studies():
        print(f"pocket-ticket study {' '.join(arguments)}", flush=True)
        if (code := study([*arguments, *(["--dry-run"] if dry else [])])) != 0:
            raise PocketTicketError(
                f"the study ended with code {code}", where=name, remedy="run the same command again"
            )
        if not dry:
            write_page([plan.output / target.name for target in plan.targets], plan.output / WORDS, page)


def main(arguments: list[str] | None = None) -> int:
    """The command: 0, or 2 with one sentence."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bert", description=__doc__.splitlines()[0])
    known = ", ".join(target.name for target in TARGETS)
    parser.add_argument("--model", required=True, metavar="DIR", help="BERT-base with its head for masked words")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help=f"the folder with {known}")
    parser.add_argument(
        "--words", type=Path, metavar="DIR", help="plain text for masked words (default: DATA/wikitext2)"
    )
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="the folder of the studies")
    parser.add_argument("--page", type=Path, default=Path("docs/results/bert.md"), help="the page to write")
    parser.add_argument("--only", help=f"some of {known}, with commas between them (default: all)")
    parser.add_argument("--sparsities", default=LEVELS, metavar="LIST", help=f"(default: {LEVELS})")
    parser.add_argument("--dry-run", action="store_true", help="show what would be trained, and about how long")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="for every study's recipe")
    given = parser.parse_args(arguments)
    names = given.only.split(",") if given.only else [target.name for target in TARGETS]
    chosen = [target for target in TARGETS if target.name in names]
    if len(chosen) != len(names):
        print(f"error: --only {given.only}: use some of {known}.", file=sys.stderr)
        return 2
    more = [word for setting in given.set for word in ("--set", setting)]
    words = given.words or given.data / "wikitext2"
    plan = Plan(given.model, given.data, given.output, words, chosen, given.sparsities, more)
    try:
        run(plan, given.page, dry=given.dry_run)
    except PocketTicketError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
