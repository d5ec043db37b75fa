"""What a study says of numbers that are given; the command's answers to wrong flags."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from compress.study.__main__ import main
from compress.study.compare import main as compare
from compress.study.compare import matrix, winners
from compress.study.page import write_page
from compress.study.results import Results
from compress.study.searches import expected_steps


def test_a_spread_of_seeds_alone_wins_and_a_loss_beyond_it_does_not(numbers: Callable, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    dense, same, more, worse = (list(middle + 0.01 * rng.standard_normal(40)) for middle in (0.9, 0.9, 0.9, 0.88))
    r = Results(numbers({0.0: (dense, dense), 0.3: (same, same), 0.5: (more, more), 0.7: (worse, worse)}))
    assert r.winning("test") == r.winning("dev") == [0.3, 0.5] and r.chosen == 0.5
    assert r.sentence().startswith("Dev chooses a sparsity of 50%, the highest that wins there. On test: A winning")
    assert "On the same 500 examples" in r.sentence()
    write_page(r, tmp_path)
    page = (tmp_path / "study.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith(("| 30%", "| 70%"))]
    assert "wins / wins" in rows[0] and "no / no" in rows[1]


def test_dev_chooses_and_test_only_reports(numbers: Callable) -> None:
    spread = ([0.89, 0.90, 0.91],) * 2
    r = Results(numbers({0.0: spread, 0.3: spread, 0.5: ([0.9] * 3, [0.8] * 3), 0.7: ([0.8] * 3, [0.9] * 3)}))
    assert r.chosen == 0.5 and r.winning("test") == [0.3, 0.7]
    assert "Not a winning ticket: at 50.0% sparsity" in r.sentence()


def test_no_winner_is_a_result_and_one_seed_leaves_it_open(numbers: Callable) -> None:
    spread, worse = ([0.89, 0.90, 0.91],) * 2, ([0.8] * 3,) * 2
    assert Results(numbers({0.0: spread, 0.3: worse})).sentence().startswith("No sparsity of this study has a winning")
    assert "is open" in Results(numbers({0.0: ([0.9], [0.9]), 0.3: ([0.9], [0.9])})).sentence()


def test_each_search_is_judged_against_the_dense_model(numbers: Callable, tmp_path: Path) -> None:
    spread, worse = ([0.89, 0.90, 0.91],) * 2, ([0.8] * 3,) * 2
    study = numbers({0.0: spread, 0.5: worse})
    study["trainings"] += [
        row | {"role": "search", "source": "taylor", "mask_distance": 0.2}
        for row in numbers({0.5: spread})["trainings"]
    ]
    write_page(Results(study), tmp_path)
    page = (tmp_path / "study.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith(("| iterative", "| taylor"))]
    assert [row.rpartition(") ")[2] for row in rows] == ["no / no |", "wins / wins |"]


def test_the_plan_counts_what_a_search_trains() -> None:
    def steps(epochs: float | None) -> int:
        return round(100 * (epochs or 3))

    assert [expected_steps(name, 4, steps) for name in ("one_shot", "short", "early", "averaged")] == [0, 300, 600, 150]


WRONG = {
    "a sparsity of 1": (("--sparsities", "0.5,1"), "--sparsities 0.5,1: a sparsity is above 0 and below 1"),
    "no number": (("--seeds", "0,x"), "--seeds 0,x: 'x' is not a number"),
    "no such control": (("--controls", "chance"), "--controls chance: there is no 'chance'"),
    "no such search": (("--searches", "magic"), "--searches magic: there is no 'magic'"),
    "at another sparsity": (("--sparsities", "0.3", "--at", "0.5"), "--at: 0.5 is not one of the study's sparsities"),
    "no such data": (("--data", "nowhere"), "nowhere: there is no such file or folder"),
    "structure": (("--set", "ticket.kind=structure"), "ticket.kind: a study works with single weights"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_flags_are_one_sentence_and_exit_code_2(name: str, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    more, sentence = WRONG[name]
    assert main(["--output", str(tmp_path / "study"), "--quiet", *more]) == 2
    printed = capsys.readouterr().err
    assert sentence in printed and printed.count("\n") == 1
    assert not (tmp_path / "study").exists()


def test_tasks_stand_side_by_side_with_what_wins_on_dev_and_test(numbers: Callable) -> None:
    dense, less, worse = ([0.89, 0.90, 0.91],) * 2, ([0.895] * 3,) * 2, ([0.8] * 3,) * 2
    studies = [
        numbers({0.0: dense, 0.3: less, 0.5: (less[0], worse[0])}, name="cola"),
        numbers({0.0: dense, 0.5: worse}, name="mine"),
    ]
    studies[0]["trainings"] += [
        row | {"role": "control", "source": "random"} for row in numbers({0.3: worse})["trainings"]
    ]
    rows = winners([Results(study) for study in studies]).splitlines()
    assert rows[2:] == [
        "| cola (100, 100) | taylor | 90.0 ± 1.0 | **89.5 ± 0.0** | 80.0 ± 0.0 | 80.0 ± 0.0 at 30% | 30% | 50% |",
        "| mine (100, 100) | taylor | 90.0 ± 1.0 | – | 80.0 ± 0.0 | – | none | – |",
    ]


def test_a_source_is_averaged_over_the_tasks_that_are_not_its_own(numbers: Callable) -> None:
    dense, own, moved = ([0.9] * 3,) * 2, ([0.88] * 3,) * 2, ([0.86] * 3,) * 2
    studies = [numbers({0.0: dense, 0.5: own}, name=name) for name in ("a", "b")]
    for study, source in zip(studies, ("b", "a"), strict=True):
        study["trainings"] += [
            row | {"role": "transfer", "source": source} for row in numbers({0.5: moved})["trainings"]
        ]
    rows = matrix([Results(study) for study in studies], 0.5).splitlines()
    assert rows[2:4] == ["| a | 88.0 ± 0.0 | 86.0 ± 0.0 | 86.0 |", "| b | 86.0 ± 0.0 | 88.0 ± 0.0 | 86.0 |"]


def test_only_studies_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert compare([str(tmp_path)]) == 2
    assert "there is no study" in capsys.readouterr().err
