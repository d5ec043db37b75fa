"""Masked language modeling: which words are missing (Devlin et al. 2019, section 3.1).

Training masks anew in each pass; dev and test have the same masks for every model.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from torch import Tensor, nn
from transformers import (
    DataCollatorForLanguageModeling,
    DataCollatorForTokenClassification,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils.generic import ModelOutput

from compress.data.task import Example, Task
from compress.kinds.long_texts import Strategy, read
from compress.kinds.task_type import Collator, Encoded, TaskType

SHARE = 0.15  # of the tokens; of these 80 % are replaced by [MASK], 10 % by any token, 10 % stay
_SHOWN = -100  # what PyTorch's cross entropy leaves out
_DRAWS = 100  # of masks, until one masks a word of the batch


class MaskedWords(TaskType):
    """Predictions (M, 2): the best token and the truth's log-probability at each masked place.

    Metric inputs (N, 3): right places, masked places, summed loss.
    """

    metrics = {"masked_accuracy": lambda rows, _: float(rows[:, 0].sum() / rows[:, 1].sum())}  # noqa: RUF012
    also = {"masked_loss": lambda rows, _: float(rows[:, 2].sum() / rows[:, 1].sum())}  # noqa: RUF012
    baseline = "the most frequent token"
    batch = 8
    distillable = False  # its logits are as wide as the vocabulary, and each pass masks other words

    def encode(
        self,
        examples: Sequence[Example],
        task: Task,
        tokenizer: PreTrainedTokenizerBase,
        max_tokens: int,
        long: Strategy = "cut",
    ) -> Encoded:
        texts = [e.text_a for e in examples]
        read_rows = read((texts, None), tokenizer, max_tokens, "cut")
        random, special = np.random.default_rng(0), set(tokenizer.all_special_ids)
        masked = [_mask(np.array(ids), tokenizer, special, random) for ids in read_rows.inputs["input_ids"]]
        ids, truths = (list(column) for column in zip(*masked, strict=True))
        places = [np.flatnonzero(truth != _SHOWN) for truth in truths]
        labels = np.full((len(examples), max(map(len, places))), _SHOWN)
        for i, (truth, place) in enumerate(zip(truths, places, strict=True)):
            labels[i, : len(place)] = truth[place]
        rows = Dataset.from_dict({**read_rows.inputs, "input_ids": ids, "labels": truths})
        return Encoded(rows, labels, task, places, long=read_rows.long)

    def pad(self, tokenizer: PreTrainedTokenizerBase) -> Collator:
        return DataCollatorForTokenClassification(tokenizer)

    def collator(self, tokenizer: PreTrainedTokenizerBase) -> Collator:
        collate = DataCollatorForLanguageModeling(tokenizer, mlm_probability=SHARE)

        def masked_anew(rows: list[dict[str, Any]]) -> Mapping[str, Tensor]:
            plain = [_unmasked(row) for row in rows]
            for _ in range(_DRAWS):
                batch = collate(plain)
                if (batch["labels"] != _SHOWN).any():  # few short texts may draw none, whose mean loss is no number
                    break
            return batch

        return masked_anew

    @contextmanager
    def training(self, model: PreTrainedModel) -> Iterator[None]:
        """The same loss from the masked places alone: only these words go through the wide head.

        A forward pass with labels (B, T) has logits (1, M, V) of the M places that have one.
        """
        places: Tensor | None = None

        def take_labels(
            _: nn.Module, args: tuple[Any, ...], inputs: dict[str, Any]
        ) -> tuple[tuple[Any, ...], dict[str, Any]]:
            nonlocal places
            labels: Tensor | None = inputs.get("labels")
            places = None if labels is None else labels != _SHOWN
            return args, inputs if labels is None else inputs | {"labels": labels[places][None]}

        def take_states(_: nn.Module, __: tuple[Any, ...], states: ModelOutput) -> None:
            if places is not None:
                states["last_hidden_state"] = states["last_hidden_state"][places][None]

        hooks = [
            model.register_forward_pre_hook(take_labels, with_kwargs=True),
            model.base_model.register_forward_hook(take_states),
        ]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def prediction(self, logits: np.ndarray, split: Encoded, index: int) -> np.ndarray:
        masked = torch.from_numpy(logits[split.places[index]]).float()
        truth = torch.from_numpy(split.labels[index, : len(masked)])
        predictions = np.zeros((split.labels.shape[1], 2))
        predictions[: len(masked), 0] = masked.argmax(dim=-1).numpy()
        predictions[: len(masked), 1] = masked.log_softmax(dim=-1).gather(1, truth[:, None])[:, 0].numpy()
        return predictions

    def metric_inputs(self, predictions: np.ndarray, split: Encoded) -> np.ndarray:
        masked = split.labels != _SHOWN
        right = (predictions[..., 0] == split.labels) & masked
        return np.stack([right.sum(axis=1), masked.sum(axis=1), -(predictions[..., 1] * masked).sum(axis=1)], axis=1)

    def agree(self, first: np.ndarray, second: np.ndarray, task: Task) -> np.ndarray:
        return (first[..., 0] == second[..., 0]).all(axis=1)

    def baseline_metric_inputs(self, task: Task, splits: Mapping[str, Encoded]) -> dict[str, np.ndarray]:
        counts = np.bincount([i for truth in splits["train"].labels for i in truth if i != _SHOWN])
        share = counts / counts.sum()
        found = {}
        for split in ("dev", "test"):
            truth = splits[split].labels
            known = share[np.clip(truth, 0, len(share) - 1)] * (truth < len(share))
            predictions = np.stack([np.full(truth.shape, counts.argmax()), np.log(np.maximum(known, 1e-6))], axis=-1)
            found[split] = self.metric_inputs(predictions, splits[split])
        return found


def _mask(
    ids: np.ndarray, tokenizer: PreTrainedTokenizerBase, special: set[int], random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """(ids with some replaced (T,), the truth at the chosen places and −100 elsewhere (T,)); at least one is chosen."""
    words = np.flatnonzero([i not in special for i in ids])
    if not len(words):
        return ids, np.full(len(ids), _SHOWN)
    chosen = words[random.random(len(words)) < SHARE]
    if not len(chosen):
        chosen = random.choice(words, 1)
    truth = np.full(len(ids), _SHOWN)
    truth[chosen], kind = ids[chosen], random.random(len(chosen))
    replaced = np.where(kind < 0.9, random.integers(0, len(tokenizer), len(chosen)), ids[chosen])
    shown = ids.copy()
    shown[chosen] = np.where(kind < 0.8, tokenizer.mask_token_id, replaced)
    return shown, truth


def _unmasked(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as it was before any of its words was masked, without labels."""
    ids = [i if truth == _SHOWN else truth for i, truth in zip(row["input_ids"], row["labels"], strict=True)]
    return {name: value for name, value in row.items() if name != "labels"} | {"input_ids": ids}
