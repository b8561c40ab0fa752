"""Every published digit of the notebook."""

import re
from pathlib import Path

import pytest

from textrnn.lesson import LessonResult, lesson, write_notebook

LOSSES = ".6977 .6149 .2737 .1323 .0591 .0140 .0031 .0017 .0013 .0010 .0008 .0007 .0006 .0005 .0005 .0004 .0004".split()
ACCURACIES = ["50.00", "77.50", "82.50", "92.50", "97.50", *["100.00"] * 12]
EPOCHS = [1, *range(5, 81, 5)]


@pytest.fixture(scope="module")
def told() -> tuple[LessonResult, str]:
    lines: list[str] = []
    result = lesson(lines.append)
    return result, "\n".join(lines)


def test_vocabulary(told: tuple[LessonResult, str]) -> None:
    result, printed = told
    first = (
        "<PAD> <UNK> and this movie film direction acting story great is i with performance of watching terrible bad "
        "poor it"
    )
    assert len(result.encoder.vocabulary) == 76 and result.encoder.vocabulary.tokens[:20] == first.split()
    assert "vocabulary of 76" in printed and first in printed


def test_first_review(told: tuple[LessonResult, str]) -> None:
    result, printed = told
    assert result.first_ids.tolist() == [3, 4, 10, 9, 2, 25, 0, 0, 0, 0]
    assert re.search(r"\[ ?3 +4 +10 +9 +2 +25 +0 +0 +0 +0\]", printed)


def test_parameters(told: tuple[LessonResult, str]) -> None:
    assert told[0].parameters == 8770 and "8,770 parameters" in told[1]


@pytest.mark.parametrize(("epoch", "loss", "accuracy"), list(zip(EPOCHS, LOSSES, ACCURACIES, strict=True)))
def test_training(told: tuple[LessonResult, str], epoch: int, loss: str, accuracy: str) -> None:
    result, printed = told
    record = result.history[epoch - 1]
    assert record.accuracy is not None
    assert f"{record.loss:.4f}" == f"0{loss}" and f"{100 * record.accuracy:.2f}" == accuracy
    assert re.search(rf"^ +{epoch} +0\{loss} +{accuracy} %$", printed, re.MULTILINE)


def test_test(told: tuple[LessonResult, str]) -> None:
    result, printed = told
    assert f"{result.test_loss:.4f}" == "1.7080" and result.correct == 8
    assert "test loss 1.7080, test accuracy 80.00 % (8/10)" in printed


def test_settings(told: tuple[LessonResult, str]) -> None:
    assert "Adam (learning rate 0.001), batches of 8, gradients clipped at norm 1, 80 epochs, seed 42" in told[1]


def test_embedded_reviews_are_the_lessons(data_folder: Path) -> None:
    ours = Path(__file__).parents[2] / "src" / "textrnn" / "lesson" / "reviews.csv"
    assert ours.read_bytes() == (data_folder.parent / "lesson" / "reviews.csv").read_bytes()


def test_notebook_runs_from_top_to_bottom(tmp_path: Path) -> None:
    import nbformat
    from nbclient import NotebookClient

    write_notebook(tmp_path / "lesson.ipynb")
    write_notebook(tmp_path / "again.ipynb")
    assert (tmp_path / "lesson.ipynb").read_bytes() == (tmp_path / "again.ipynb").read_bytes()
    notebook = nbformat.read(tmp_path / "lesson.ipynb", as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    printed = "".join(
        output.get("text", "") for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs
    )
    for digits in ("76\n<PAD> <UNK> and this movie", "[ 3  4 10  9  2 25  0  0  0  0]", "8770 parameters"):
        assert digits in printed
    for epoch, loss, accuracy in zip(EPOCHS, LOSSES, ACCURACIES, strict=True):
        assert f"{epoch:3d}  loss 0{loss}  accuracy {accuracy:>6} %" in printed
    assert "test loss 1.7080" in printed and "test accuracy 80.00 %" in printed
