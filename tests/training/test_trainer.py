"""The training loop: pruned weights stay zero, the shortcut changes nothing, the same seed gives the same bits."""

from pathlib import Path

import numpy as np
import pytest
import torch

from compress.console import Console
from compress.data.load import load_task
from compress.data.task import Task
from compress.errors import TrainingError
from compress.kinds.encode import Texts
from compress.kinds.task_type import batches
from compress.lottery import Mask
from compress.models.anatomy import embeddings_of, layers_of, prunable_parameters
from compress.models.load import load_for, load_tokenizer
from compress.recipe.sections import DataSection, DistillSection, TrainingSection
from compress.training.compact import compact_embedding
from compress.training.distillation import Teacher, relation_divergence
from compress.training.trainer import Learner, TrainingPlan, predict


@pytest.fixture(scope="module")
def task(tiny_task: Path) -> Task:
    return load_task(DataSection(source=str(tiny_task)), seed=0)


def learner(task: Task, encoder: Path, **settings: float) -> Learner:
    tokenizer = load_tokenizer(str(encoder))
    return Learner(
        Texts.of(task, tokenizer, 64),
        task.metric,
        TrainingSection(**{"learning_rate": 0.003, "batch_size": 8, **settings}),
        Console("quiet"),
    )


def theta0(task: Task, encoder: Path) -> torch.nn.Module:
    return load_for(task, str(encoder), max_tokens=64, seed=0)


def half_mask(model: torch.nn.Module) -> Mask:
    torch.manual_seed(1)
    return Mask({name: torch.rand(p.shape) < 0.5 for name, p in prunable_parameters(model).items()})


def state(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def test_training_learns_and_pruned_weights_stay_zero(task: Task, tiny_encoder: Path) -> None:
    learns = learner(task, tiny_encoder, weight_decay=0.1)
    model = theta0(task, tiny_encoder)
    mask, before = half_mask(model), state(model)
    fitted = learns.fit(model, TrainingPlan("ticket", 12, 0, curve=True), mask=mask)
    for name, parameter in prunable_parameters(model).items():
        assert bool((parameter[~mask[name]] == 0).all())
        assert not torch.equal(parameter[mask[name]], before[name][mask[name]])
    assert fitted.steps == 8 * 12
    assert [p["step"] for p in fitted.curve] == list(range(8, 97, 8))
    assert learns.evaluate(model) > 0.8


def test_same_seed_same_bits_other_seed_other_bits(task: Task, tiny_encoder: Path) -> None:
    learns, found = learner(task, tiny_encoder), []
    for seed in (0, 0, 1):
        model = theta0(task, tiny_encoder)
        learns.fit(model, TrainingPlan("dense", 1, seed))
        found.append(state(model))
    assert all(torch.equal(found[0][n], found[1][n]) for n in found[0])
    assert any(not torch.equal(found[0][n], found[2][n]) for n in found[0])


def test_compact_embedding_trains_the_same_model(
    task: Task, tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of the vocabulary is left out against the whole of it: the same model, but for the order of sums."""
    learns = learner(task, tiny_encoder)
    compact = theta0(task, tiny_encoder)
    learns.fit(compact, TrainingPlan("compact", 2, 0))
    whole = theta0(task, tiny_encoder)
    monkeypatch.setattr(Learner, "_ids_in_use", lambda _, model: np.arange(model.config.vocab_size))
    learns.fit(whole, TrainingPlan("whole", 2, 0))
    for name, tensor in state(whole).items():
        torch.testing.assert_close(compact.state_dict()[name], tensor, rtol=1e-4, atol=1e-5)


def test_compact_embedding_gives_back_what_it_took(task: Task, tiny_encoder: Path) -> None:
    model = theta0(task, tiny_encoder)
    embedding = embeddings_of(model).word
    parameter, before = embedding.weight, embedding.weight.detach().clone()
    with compact_embedding(embedding, np.array([0, 7, 9])):
        assert embedding.weight.shape == (3, 32)
        assert torch.equal(embedding(torch.tensor([[9, 7]])), before[[9, 7]][None])
        with torch.no_grad():
            embedding.weight += 1
    assert embedding.weight is parameter
    changed = (parameter != before).any(dim=1).nonzero().flatten()
    assert changed.tolist() == [0, 7, 9]


def test_a_loss_that_is_not_a_number_is_one_sentence(task: Task, tiny_encoder: Path) -> None:
    with pytest.raises(TrainingError, match=r"lower training\.learning_rate"):
        learner(task, tiny_encoder, learning_rate=1e30).fit(theta0(task, tiny_encoder), TrainingPlan("dense", 3, 0))


def test_a_padded_batch_answers_as_single_texts(task: Task, tiny_encoder: Path) -> None:
    learns, model = learner(task, tiny_encoder), theta0(task, tiny_encoder)
    together = predict(model, learns.texts.splits["dev"], learns.texts.tokenizer, batch_size=64)
    alone = predict(model, learns.texts.splits["dev"], learns.texts.tokenizer, batch_size=1)
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_the_teacher_pulls_the_student(task: Task, tiny_encoder: Path) -> None:
    """With all weight on the teacher's logits, a student follows a teacher whose labels are turned round."""
    learns = learner(task, tiny_encoder)
    teacher = theta0(task, tiny_encoder)
    learns.fit(teacher, TrainingPlan("teacher", 10, 0))
    with torch.no_grad():
        teacher.classifier.weight.neg_()
        teacher.classifier.bias.neg_()
    student = theta0(task, tiny_encoder)
    settings = DistillSection(logits_weight=1.0, hidden_weight=0.0)
    learns.fit(
        student,
        TrainingPlan("student", 10, 0),
        teacher=Teacher.of(teacher, learns.texts.splits["train"], learns.texts.tokenizer, settings),
    )
    assert learns.evaluate(student) < 0.2


def test_a_student_that_is_its_teacher_has_nothing_to_learn(task: Task, tiny_encoder: Path) -> None:
    """Without dropout and with all weight on the teacher, the loss is the temperature-free zero of both parts."""
    learns, model = learner(task, tiny_encoder), theta0(task, tiny_encoder)
    settings = DistillSection(logits_weight=1.0, hidden_weight=1.0, relation_weight=1.0)
    teacher = Teacher.of(model, learns.texts.splits["train"], learns.texts.tokenizer, settings)
    for chosen, batch in batches(learns.texts.splits["train"], learns.texts.tokenizer, 7):
        labels = torch.tensor(learns.texts.splits["train"].labels[chosen])
        inputs = {**batch, "labels": labels, "index": torch.tensor(chosen)}
        assert teacher.loss(model, inputs).item() < 1e-4  # bf16 keeps 8 bits of the hidden states
        inputs["index"] = inputs["index"].flip(0)
        assert teacher.loss(model, inputs).item() > 1e-3  # the answers of other texts are other answers


def test_relations_are_those_of_the_text_alone_and_of_any_width() -> None:
    """Padding changes nothing, a rotation within the heads neither, and another width is compared all the same."""
    torch.manual_seed(0)
    wide, narrow, mask = torch.randn(2, 5, 12), torch.randn(2, 5, 6), torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
    found = relation_divergence(narrow, wide, 3, mask)
    spoilt = narrow.clone()
    spoilt[1, 3:] = 9.0
    assert torch.equal(relation_divergence(spoilt, wide, 3, mask), found) and found > 0.01
    turn, _ = torch.linalg.qr(torch.randn(4, 4))
    turned = (wide.unflatten(-1, (3, 4)) @ turn).flatten(-2)
    assert relation_divergence(turned, wide, 3, mask) < 1e-6
    assert relation_divergence(turned, wide, 2, mask) > 1e-3  # heads that are cut otherwise


def test_relations_alone_pull_a_student(task: Task, tiny_encoder: Path) -> None:
    learns, teacher = learner(task, tiny_encoder), theta0(task, tiny_encoder)
    train, tokenizer = learns.texts.splits["train"], learns.texts.tokenizer
    settings = DistillSection(logits_weight=1.0, hidden_weight=0.0, relation_weight=100.0)
    student = theta0(task, tiny_encoder)
    with torch.no_grad():
        for part in (layers_of(student)[-1].query, layers_of(student)[-1].value):
            part.weight.add_(0.3 * torch.randn(part.weight.shape))
    asked = Teacher.of(teacher, train, tokenizer, settings)

    def apart() -> float:
        chosen, batch = next(batches(train, tokenizer, 16))
        labels = torch.tensor(train.labels[chosen])
        with torch.no_grad():
            return asked.loss(student, {**batch, "labels": labels, "index": torch.tensor(chosen)}).item()

    before = apart()
    learns.fit(student, TrainingPlan("student", 4, 0), teacher=asked)
    assert apart() < 0.5 * before
