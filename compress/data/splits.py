"""Dividing examples into training, dev and test: missing splits are made, large ones cut, repeated texts counted."""

import random
from collections.abc import Mapping, Sequence

from compress.data.near_duplicates import normalize
from compress.data.task import Example
from compress.recipe.sections import DataSection

Splits = dict[str, list[Example]]


def complete(splits: Splits, seed: int) -> list[str]:
    """Make the splits that are missing, in place. Returns what was done, as sentences for the report."""
    notes = []
    if "dev" not in splits and "test" in splits:
        splits["train"], splits["dev"] = _divide(splits["train"], 0.1, seed, keep=1)
        notes.append(f"there was no dev split: {len(splits['dev']):,} training examples were set aside (seed {seed})")
    elif "dev" not in splits:
        splits["train"], rest = _divide(splits["train"], 0.2, seed, keep=1)
        splits["dev"], splits["test"] = _divide(rest, 0.5, seed)
        notes.append(
            f"there was only a training file: {len(splits['dev']):,} dev and {len(splits['test']):,} test examples "
            f"were set aside (seed {seed})"
        )
    elif "test" not in splits:
        splits["dev"], splits["test"] = _divide(splits["dev"], 0.5, seed)
        notes.append(
            f"there was no test split: dev was divided into {len(splits['dev']):,} dev and "
            f"{len(splits['test']):,} test examples (seed {seed})"
        )
    return notes


def in_folds(splits: Splits, number: int, count: int, seed: int) -> str:
    """Divide all examples anew, in place: fold `number` of `count` is test, the next one dev, the others training.

    Each label, and each group of examples with the same texts, is spread over the folds. Returns what was done, as a
    sentence for the report.
    """
    every = [example for rows in splits.values() for example in rows]
    groups: dict[tuple[str, str], list[int]] = {}
    for i, example in enumerate(every):
        groups.setdefault(_key(example), []).append(i)
    order = list(groups.values())
    random.Random(seed).shuffle(order)
    if all(isinstance(example.label, int) for example in every):
        order.sort(key=lambda group: every[group[0]].class_index)  # stable: neighbors have one label
    fold_of = {i: position % count for position, group in enumerate(order) for i in group}
    parts = [[every[i] for i in sorted(fold_of) if fold_of[i] == fold] for fold in range(count)]
    test, dev = number - 1, number % count
    splits |= {"test": parts[test], "dev": parts[dev]}
    splits["train"] = [example for fold in range(count) if fold not in (test, dev) for example in parts[fold]]
    return f"fold {number} of {count}: all {len(every):,} examples are divided anew (data.fold, seed {seed})"


def _divide(examples: list[Example], share: float, seed: int, *, keep: int = 0) -> tuple[list[Example], list[Example]]:
    """Two parts in the original order, the second of about `share`, drawn label by label.

    At least `keep` examples of each label stay in the first part. Examples of the same texts stay together.
    """
    rng, chosen = random.Random(seed), set()
    by_label: dict[object, list[int]] = {}
    same: dict[tuple[str, str], list[int]] = {}
    for i, example in enumerate(examples):
        group = same.setdefault(_key(example), [])
        group.append(i)
        if len(group) == 1:  # the first stands for those that repeat it
            by_label.setdefault(example.label if isinstance(example.label, int) else None, []).append(i)
    counts = _apportioned([len(members) for members in by_label.values()], share, keep)
    for members, count in zip(by_label.values(), counts, strict=True):
        rng.shuffle(members)
        chosen.update(members[:count])
    if not chosen and len(same) > 1:
        chosen = {next(iter(same.values()))[0]} if len(same) < len(examples) else {rng.randrange(len(examples))}
    chosen = {i for group in same.values() if group[0] in chosen for i in group}
    return [e for i, e in enumerate(examples) if i not in chosen], [e for i, e in enumerate(examples) if i in chosen]


def _apportioned(sizes: Sequence[int], share: float, keep: int) -> list[int]:
    """How many of each label's examples are about `share` of all."""
    wanted, rounded = round(sum(sizes) * share), [round(size * share) for size in sizes]
    if abs(sum(rounded) - wanted) <= 1:  # with few labels; published results were made on such divisions
        return rounded
    counts = [int(size * share) for size in sizes]  # the method of largest remainders
    able = [i for i, size in enumerate(sizes) if size - counts[i] > keep]
    for i in sorted(able, key=lambda i: counts[i] - sizes[i] * share)[: wanted - sum(counts)]:
        counts[i] += 1
    return counts


def limit(settings: DataSection, splits: Splits, seed: int) -> list[str]:
    """Keep, in place, no more examples than the recipe allows. Returns what was done, as sentences for the report."""
    limits = {"train": settings.train_limit, "dev": settings.eval_limit, "test": settings.eval_limit}
    verbs = {"train": "training uses", "dev": "dev is", "test": "test is"}
    notes = []
    for split, most in limits.items():
        if most and most < len(splits[split]):
            key = "train_limit" if split == "train" else "eval_limit"
            notes.append(f"{verbs[split]} {most:,} of {len(splits[split]):,} examples (data.{key})")
            splits[split] = random.Random(seed).sample(splits[split], most)
    return notes


def repeated(
    splits: Mapping[str, Sequence[Example]],
    others: Sequence[Example],
    where: str,
    so: str = "scores on them are too high",
) -> list[str]:
    """Sentences on texts of `splits` that are also among `others`, after normalizing."""
    seen, notes = {_key(e) for e in others}, []
    for split, examples in splits.items():
        again = sum(_key(e) in seen for e in examples)
        if again:
            are = "is" if again == 1 else "are"
            notes.append(f"{again:,} of {len(examples):,} {split} texts {are} also {where}: {so}")
    return notes


def _key(example: Example) -> tuple[str, str]:
    return normalize(example.text_a), normalize(example.text_b or "")
