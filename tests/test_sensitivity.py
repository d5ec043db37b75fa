"""Rounding one matrix at a time finds the one that minds, and leaves the model as it was."""

import numpy as np
import pytest
import torch
from torch import nn

from compress import sensitivity
from compress.sensitivity import logits_moved, sensitivities


def test_the_matrix_that_minds_comes_first() -> None:
    torch.manual_seed(0)
    fine, rough = nn.Linear(64, 64, bias=False), nn.Linear(64, 3, bias=False)
    with torch.no_grad():
        fine.weight.copy_(torch.eye(64))  # zeros stay zeros: rounding only scales it a little
        rough.weight[:, ::32] *= 40  # one large weight in each group takes the scale from the others
    texts = torch.randn(50, 64)
    model = nn.Sequential(fine, rough)
    before = {name: value.clone() for name, value in model.state_dict().items()}

    def answer() -> np.ndarray:
        with torch.inference_mode():
            return model(texts).numpy()

    found = sensitivities({"fine": fine, "rough": rough}, answer, lambda logits: float(logits.mean()), logits_moved)
    assert [row.name for row in found] == ["rough", "fine", "all of them"]
    assert found[0].moved > 0 and found[0].ratio < found[1].ratio - 3
    assert found[1].moved < found[0].moved / 10 and found[2].moved > found[1].moved
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_folder_that_is_no_run_is_one_sentence(tmp_path, capsys: pytest.CaptureFixture) -> None:
    assert sensitivity.main([str(tmp_path)]) == 2
    assert "this is not a finished run" in capsys.readouterr().err
