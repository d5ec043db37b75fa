"""Real pre-trained encoders: the program is the model, the tokenizer is equal, a whole run works.

Each is fetched once into the user's cache folder (`python -m benchmarks.encoders`).
"""

import json
from pathlib import Path

import numpy as np
import pytest
import small
import torch

from benchmarks.encoders.__main__ import prepare
from benchmarks.encoders.sources import ENCODERS
from compress.cli import main
from compress.data.load import load_task
from compress.data.task import Task
from compress.models.load import load_for, load_tokenizer, notes_on
from compress.models.store import load_saved, save
from compress.recipe.sections import DataSection
from mobile_export.bundle.golden import Text
from mobile_export.bundle.support import why_no_bundle
from mobile_export.bundle.verification import verify_bundle
from mobile_export.bundle.write import License, write_bundle
from mobile_export.cache import cache_dir, made_once
from mobile_export.lowering.lower import lower
from mobile_export.programs.runtime import LoadedProgram

pytestmark = pytest.mark.slow
TEXTS = (
    "Wake me up at half past six tomorrow, please.",
    "The film is neither as funny nor as clever as its makers believe, and it is 20 minutes too long!",
    "Wird es am Wochenende in Zürich regnen?",
    "Le café est fermé jusqu'à lundi – désolé.",
    "明天上午在北京开会，请提醒我。",
    "WiFi密码是多少？",
    "Какая сегодня погода?",
    "stop",
)
LONGEST = 64


def encoder(name: str) -> Path:
    return made_once(cache_dir() / "encoders" / name, lambda folder: prepare(name, folder))


@pytest.fixture
def task(tmp_path: Path) -> Task:
    return load_task(DataSection(source=str(small.task(tmp_path / "data"))), seed=0)


@pytest.fixture(params=list(ENCODERS))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def saved(name: str, task: Task, folder: Path) -> Path:
    """The encoder under a fresh head, as a run saves it."""
    source = str(encoder(name))
    save(load_for(task, source, max_tokens=LONGEST, seed=0), load_tokenizer(source), folder)
    return folder


def test_its_program_answers_as_the_model_does(name: str, task: Task, tmp_path: Path) -> None:
    folder = saved(name, task, tmp_path / "model")
    program = LoadedProgram.of(lower(folder, tmp_path / "model.pte", scheme="none"))
    model, tokenizer = load_saved(folder), load_tokenizer(str(folder))
    for text in TEXTS:
        ids = tokenizer(text, truncation=True, max_length=LONGEST)["input_ids"]
        with torch.inference_mode():
            wanted = model(input_ids=torch.tensor([ids])).logits[0].numpy()
        np.testing.assert_allclose(program.answer({"input_ids": ids})[0][0], wanted, atol=2e-5, err_msg=text)


def test_its_bundle_verifies(name: str, task: Task, tmp_path: Path) -> None:
    folder, texts = saved(name, task, tmp_path / "model"), [Text(text) for text in TEXTS]
    tokenizer = load_tokenizer(str(folder))
    ids = [tokenizer(text, truncation=True, max_length=LONGEST)["input_ids"] for text in TEXTS]
    assert why_no_bundle(folder, zip(texts, ids, strict=True), LONGEST, pair=False) is None
    report = {"metric_test": 0.5, "ci95": None, "dense_metric_test": 0.5, "bytes_dense": 1, "size_ratio": 1.0}
    write_bundle(
        tmp_path / "android",
        folder,
        lower(folder, tmp_path / "model.pte"),
        [Text(text, label=task.labels[i % 2]) for i, text in enumerate(TEXTS)],
        name=f"{name} under a random head",
        report=report | {"speed_ratio": {}},
        licenses=[License(name, ENCODERS[name].license)],
    )
    assert verify_bundle(tmp_path / "android").agreement == 1


def test_a_random_pooler_is_said(name: str, task: Task) -> None:
    notes = " ".join(notes_on(task, str(encoder(name)), max_tokens=LONGEST, seed=0))
    has_pooler = name.startswith("bert-") or name == "sre-MiniLM-L6"
    assert ("a new one begins with random values" in notes) != has_pooler


def test_a_small_one_runs_the_whole_way(tmp_path: Path) -> None:
    source, data = encoder("paraphrase-MiniLM-L3-v2"), small.task(tmp_path / "data")
    where = ["--model", str(source), "--data", str(data), "--output", str(tmp_path / "run")]
    how = ["--recipe", "balanced", "--epochs", "2", "--set", "measure.rounds=3", "--max-tokens", "32", "--no-apk"]
    assert main(["run", *where, *how, "--quiet"]) == 0
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert report["programs"]["ticket"]["metric"]["test"] > 0.7  # two classes of easy texts
    assert verify_bundle(tmp_path / "run" / "android").agreement == 1
