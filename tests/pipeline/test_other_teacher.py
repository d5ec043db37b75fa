"""Another model as the teacher: the student learns its logits, in the order of the data's labels."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel, DistilBertConfig, DistilBertForSequenceClassification, DistilBertModel

from benchmarks.encoders.vocabulary import SPECIAL, wordpiece
from compress.console import Console
from compress.errors import RecipeError
from compress.files import read_json
from compress.models.load import load_tokenizer
from compress.models.source import resolve_model
from compress.models.store import load_saved, save
from compress.models.surgery import full_structure
from compress.pipeline.order import Pipeline
from compress.pipeline.other_teacher import OtherTeacher
from compress.pipeline.run import Inputs, Run
from compress.pipeline.stages import training_stages
from compress.pipeline.stages.dense import run_dense
from compress.pipeline.stages.shrunk import _teacher, cut, run_shrunk
from compress.pipeline.stages.teacher import run_teacher
from compress.recipe.load import load_recipe
from compress.training.distillation import Teacher
from compress.training.trainer import predict

LETTERS = "abcdefghijklmnopqrstuvwxyz"
WORDS = [*SPECIAL["WordPiece"].values(), *LETTERS, *",?.", *(f"##{letter}" for letter in LETTERS)]
SMALL = {"vocab_size": len(WORDS), "dim": 48, "n_layers": 1, "n_heads": 2, "hidden_dim": 64}


def own_tokenizer(folder: Path) -> None:
    """A tokenizer of single letters."""
    (folder / "tokenizer.json").write_text(wordpiece(WORDS, lowercase=True))
    about = {"tokenizer_class": "PreTrainedTokenizerFast", **SPECIAL["WordPiece"]}
    (folder / "tokenizer_config.json").write_text(json.dumps(about))


@pytest.fixture(scope="module")
def distilbert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A teacher of another architecture, width and tokenizer; its classes stand in another order than the data's."""
    folder = tmp_path_factory.mktemp("distilbert")
    torch.manual_seed(1)
    config = DistilBertConfig(**SMALL)
    config.id2label, config.label2id = {0: "sad", 1: "happy"}, {"sad": 0, "happy": 1}
    model = DistilBertForSequenceClassification(config)
    torch.nn.init.normal_(model.classifier.weight)
    model.save_pretrained(folder)
    own_tokenizer(folder)
    return folder


@pytest.fixture(scope="module")
def wide_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pre-trained encoder with the student's tokenizer and without a head."""
    folder = tmp_path_factory.mktemp("wide")
    torch.manual_seed(2)
    config = BertConfig(hidden_size=48, num_hidden_layers=1, num_attention_heads=4, intermediate_size=64)
    save(BertModel(config), load_tokenizer(resolve_model("minilm")[1]), folder)
    return folder


def started(student: Path, data: Path, teacher: Path, folder: Path, **more: Any) -> Run:
    flags = {
        "model.name": str(student),
        "data.source": str(data),
        "model.max_tokens": 32,
        "distill.teacher": str(teacher),
    }
    flags |= {"training.epochs": 1, "training.learning_rate": 0.003, "structure.vocabulary": 2000} | more
    run = Inputs.of(load_recipe(None, {"ticket.kind": "structure"} | flags), Console("quiet")).in_folder(folder)
    for name, work in (("dense", run_dense), ("teacher", run_teacher)):
        run.dir.stage(name).mkdir(parents=True)
        work(run, run.dir.stage(name))
    return run


def teacher_of(run: Run) -> Teacher:
    dense = run.saved("dense")
    _, texts, kept, _ = cut(run, full_structure(dense), run.saved("dense"))
    return _teacher(run, dense, full_structure(dense), texts, kept)


def test_a_fine_tuned_teacher_of_another_kind_gives_its_own_logits_in_the_datas_order(
    tiny_encoder: Path, tiny_task: Path, distilbert: Path, tmp_path: Path
) -> None:
    run = started(tiny_encoder, tiny_task, distilbert, tmp_path)
    assert run.metrics("teacher")["steps"] == 0  # its head has the data's labels
    other = OtherTeacher.of(run)
    assert other is not None and other.kept and not other.same_tokens
    teacher = teacher_of(run)
    own = DistilBertForSequenceClassification.from_pretrained(distilbert).eval()
    for i, example in enumerate(run.task.train):
        ids = torch.tensor([other.tokenizer(example.text_a)["input_ids"]])
        with torch.inference_mode():
            logits = own(input_ids=ids).logits[0]
        np.testing.assert_allclose(teacher.logits[i], logits.flip(0), atol=1e-5)  # happy comes first in the data
    dense = Teacher.of(run.saved("dense"), run.texts.splits["train"], run.texts.tokenizer, run.recipe.distill)
    assert teacher.hidden[0].shape[-1] == dense.hidden[0].shape[-1]  # hidden states are the own dense model's
    run.dir.stage("shrunk").mkdir()
    run_shrunk(run, run.dir.stage("shrunk"))
    assert read_json(run.dir.stage("shrunk") / "metrics.json")["steps"] > 0


def test_an_encoder_without_a_head_is_fine_tuned_and_gives_relations_where_tokens_agree(
    tiny_encoder: Path, tiny_task: Path, wide_bert: Path, tmp_path: Path
) -> None:
    run = started(tiny_encoder, tiny_task, wide_bert, tmp_path, **{"distill.relation_weight": 1.0})
    assert run.metrics("teacher")["steps"] > 0
    model = load_saved(run.dir.stage("teacher"))
    teacher = teacher_of(run)
    wanted = predict(model, run.texts.splits["train"], run.texts.tokenizer)
    np.testing.assert_allclose(torch.stack(list(teacher.logits)), wanted, atol=1e-5)
    assert teacher.qkv[0].shape[-1] == 48 and teacher.heads == 4
    run.dir.stage("shrunk").mkdir()
    run_shrunk(run, run.dir.stage("shrunk"))


def test_its_stage_comes_before_the_one_that_distils_and_decides_it(wide_bert: Path) -> None:
    for flags in ({"ticket.kind": "structure"}, {"ticket.kind": "weights"}, {"budget.max_drop": 1.0}):
        stages = training_stages(load_recipe(None, flags | {"distill.teacher": str(wide_bert)}))
        names = [stage.name for stage in stages]
        assert "teacher" in stages[names.index("teacher") + 1].needs
        assert stages[names.index("teacher")].reads is not None
        assert "teacher" not in [stage.name for stage in training_stages(load_recipe(None, flags))]


def test_other_labels_are_refused_before_anything_is_trained(
    tiny_encoder: Path, tiny_task: Path, distilbert: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    model = DistilBertForSequenceClassification.from_pretrained(distilbert, num_labels=3, ignore_mismatched_sizes=True)
    model.config.id2label = {0: "up", 1: "down", 2: "left"}
    model.save_pretrained(other)
    own_tokenizer(other)
    flags = {"model.name": str(tiny_encoder), "data.source": str(tiny_task), "distill.teacher": str(other)}
    with pytest.raises(RecipeError, match=r"other labels \(up, down, left\)"):
        Pipeline(load_recipe("balanced", flags | {"model.max_tokens": 32}), tmp_path / "run", Console("quiet"))


def test_labels_of_words_need_the_same_tokens(
    tiny_encoder: Path, distilbert: Path, wide_bert: Path, tmp_path: Path
) -> None:
    data = tmp_path / "words"
    data.mkdir()
    for split in ("train", "dev", "test"):
        (data / f"{split}.conll").write_text("Anna\tB-who\nsings\tO\n\nwe\tO\ncall\tO\nBob\tB-who\n\n" * 10)
    flags = {"model.name": str(tiny_encoder), "data.source": str(data), "model.max_tokens": 32}
    bare = tmp_path / "bare"
    torch.manual_seed(3)
    DistilBertModel(DistilBertConfig(**SMALL)).save_pretrained(bare)
    own_tokenizer(bare)
    inputs = Inputs.of(load_recipe("balanced", flags | {"distill.teacher": str(bare)}), Console("quiet"))
    with pytest.raises(RecipeError, match="learned token by token"):
        OtherTeacher.of(inputs)
    run = started(tiny_encoder, data, wide_bert, tmp_path / "run")
    logits = teacher_of(run).logits
    texts = run.texts_of("dense").splits["train"]
    assert all(
        len(each) == len(ids) and each.shape[1] == 2
        for each, ids in zip(logits, texts.columns()["input_ids"], strict=False)
    )


def test_a_teacher_without_distillation_is_refused() -> None:
    with pytest.raises(RecipeError, match=r"distill\.teacher"):
        load_recipe("quick", {"distill.teacher": "somewhere"})
