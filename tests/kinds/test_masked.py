"""Masked words: dev and test are the same for every model, training is masked anew, and nothing is lost on the way."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from architectures import CONFIGS, made
from transformers import AutoModelForMaskedLM

from compress.data.load import load_task
from compress.data.task import Example, Task
from compress.kinds import TASK_TYPES
from compress.models.architectures import ARCHITECTURES
from compress.recipe.sections import DataSection

from .conftest import one_hot

KIND = TASK_TYPES["mlm"]
TEXTS = tuple(Example(f"{a} is the {b} of all things that are", None, None) for a in ("man", "wind") for b in "xyz")
TASK = Task("t", "mlm", "masked_accuracy", (), TEXTS, TEXTS, TEXTS, "")


def test_dev_is_masked_alike_every_time_and_the_words_come_back(tokenizer) -> None:
    first, second = (KIND.encode(TEXTS, TASK, tokenizer, 32) for _ in range(2))
    assert first.rows["input_ids"] == second.rows["input_ids"]
    collate = KIND.collator(tokenizer)
    torch.manual_seed(0)
    batches = [collate([dict(row) for row in first.rows]) for _ in range(2)]
    assert not torch.equal(batches[0]["input_ids"], batches[1]["input_ids"])  # masked anew
    whole = tokenizer([e.text_a for e in TEXTS], padding=True, return_tensors="pt")["input_ids"]
    for batch in batches:
        asked = batch["labels"] >= 0
        assert asked.any() and torch.equal(torch.where(asked, batch["labels"], batch["input_ids"]), whole)


def test_a_lone_short_text_has_a_word_that_is_asked(tokenizer) -> None:
    split = KIND.encode(TEXTS, TASK, tokenizer, 4)  # two words each
    collate = KIND.collator(tokenizer)
    assert all((collate([dict(split.rows[0])])["labels"] >= 0).any() for _ in range(50))


@pytest.mark.parametrize("kind", CONFIGS)
def test_training_asks_the_head_for_what_is_masked_alone_and_learns_the_same(tokenizer, kind: str) -> None:
    """The loss and every gradient are those of the whole pass, which has logits for all places."""
    torch.manual_seed(0)
    config = copy.deepcopy(CONFIGS[kind])
    config.vocab_size = len(tokenizer)
    model = made(AutoModelForMaskedLM, config)
    split = KIND.encode(TEXTS, TASK, tokenizer, 32)
    batch = KIND.pad(tokenizer)([dict(row) for row in split.rows])
    if kind == "roberta" or ARCHITECTURES[kind].token_type is None:
        batch.pop("token_type_ids", None)

    def learn() -> tuple[torch.Tensor, torch.Size, dict[str, torch.Tensor]]:
        model.zero_grad()
        outputs = model(**batch)
        outputs.loss.backward()
        named = model.named_parameters()
        return outputs.loss.detach(), outputs.logits.shape, {n: p.grad.clone() for n, p in named if p.grad is not None}

    whole = learn()
    with KIND.training(model):
        asked = learn()
    assert asked[1] == (1, int((batch["labels"] >= 0).sum()), 30522)
    torch.testing.assert_close((asked[0], asked[2]), (whole[0], whole[2]), rtol=1e-4, atol=1e-6)
    assert learn()[1] == whole[1]  # afterwards it answers for every place again


def test_about_fifteen_in_a_hundred_are_asked_and_never_none(tokenizer, shared_data: Path) -> None:
    file = shared_data / "mlm" / "wikitext2_valid.txt.gz"
    examples = load_lines(file)
    split = KIND.encode(examples, TASK, tokenizer, 128)
    asked = [len(place) for place in split.places]
    words = sum(len(ids) - 2 for ids in split.rows["input_ids"])
    assert min(asked) >= 1 and 0.14 < sum(asked) / words < 0.18
    shown = np.concatenate([np.array(row)[p] for row, p in zip(split.rows["input_ids"], split.places, strict=True)])
    assert 0.77 < (shown == tokenizer.mask_token_id).mean() < 0.83


def load_lines(file: Path) -> tuple[Example, ...]:
    from compress.data.files import read_rows
    from compress.data.reading import Reading

    return tuple(Example(row["line"], None, None) for _, row in read_rows(file, Reading())[:400])


def test_perfect_answers_have_no_loss_and_wrong_ones_all_of_it(tokenizer) -> None:
    split = KIND.encode(TEXTS, TASK, tokenizer, 32)
    right = [np.where(np.array(truth) < 0, 0, truth) for truth in split.rows["labels"]]
    predictions = np.stack([KIND.prediction(50 * one_hot(row, 30522), split, i) for i, row in enumerate(right)])
    assert KIND.score(predictions, split, "masked_accuracy") == 1.0
    assert KIND.also["masked_loss"](KIND.metric_inputs(predictions, split), split.labels) < 1e-6
    wrong = np.stack(
        [KIND.prediction(np.zeros((len(row), 30522), np.float32), split, i) for i, row in enumerate(right)]
    )
    assert KIND.score(wrong, split, "masked_accuracy") == 0.0
    loss = KIND.also["masked_loss"](KIND.metric_inputs(wrong, split), split.labels)
    np.testing.assert_allclose(loss, np.log(30522), rtol=1e-5)


def test_lines_of_text_are_a_task(tmp_path: Path) -> None:
    for split in ("train", "dev", "test"):
        (tmp_path / f"{split}.txt").write_text(f"the {split} line\n\n  another  \n", encoding="utf-8")
    task = load_task(DataSection(source=str(tmp_path)), seed=0)
    assert (task.kind, task.metric, task.outputs) == ("mlm", "masked_accuracy", 0)
    assert [e.text_a for e in task.dev] == ["the dev line", "another"]
