import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from textrnn.errors import MissingDependencyError, OutputError
from textrnn.evaluation import Evaluation, draw_png
from textrnn.evaluation.figures import confusion_svg, curves_svg, draw_confusion, draw_curves
from textrnn.history import EpochRecord


@pytest.mark.parametrize("classes", [2, 6, 20, 21, 40, 150])
@pytest.mark.parametrize("with_history", [True, False])
def test_png_is_a_picture_and_reproducible(
    evaluation_of: Callable[..., Evaluation],
    history: list[EpochRecord],
    tmp_path: Path,
    classes: int,
    with_history: bool,
) -> None:
    evaluation = evaluation_of(classes)
    for name in ("one.png", "two.png"):
        draw_png(tmp_path / name, evaluation, history if with_history else [])
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    with Image.open(tmp_path / "one.png") as picture:
        picture.load()
        assert picture.format == "PNG"
        assert 500 < picture.width < 3000
        assert 500 < picture.height < 1600
        assert len(np.unique(np.asarray(picture.convert("L")))) > 20


def test_labels_in_any_script_and_with_dollars(evaluation_of: Callable[..., Evaluation], tmp_path: Path) -> None:
    labels = ["$\\frac{", "costs $5 and $6", "ภาษาไทย", "中文", "שלום", "line\nbreak\x00", "😀", "<b>&"]
    draw_png(tmp_path / "labels.png", evaluation_of(8, labels=labels), [])
    axes = Figure().subplots()
    draw_confusion(axes, evaluation_of(8, labels=labels))
    for ticks in (axes.get_xticklabels(), axes.get_yticklabels()):
        assert [tick.get_text() for tick in ticks] == [*labels[:5], "line break", *labels[6:]]
        assert not any(tick.get_parse_math() for tick in ticks)


@pytest.mark.parametrize(
    ("classes", "counts", "ticks"), [(2, 4, 2), (20, 400, 20), (21, 0, 21), (40, 0, 40), (41, 0, 0)]
)
def test_cells_hold_counts_and_axes_labels_while_they_can_be_read(
    evaluation_of: Callable[..., Evaluation], classes: int, counts: int, ticks: int
) -> None:
    evaluation = evaluation_of(classes, 2000)
    axes = Figure().subplots()
    draw_confusion(axes, evaluation)
    shown = [int(text.get_text().replace(",", "")) for text in axes.texts]
    assert shown == ([count for row in evaluation.confusion for count in row] if counts else [])
    assert len(axes.get_xticklabels()) == len(axes.get_yticklabels()) == ticks
    shares = np.array(evaluation.confusion) / np.sum(evaluation.confusion, axis=1, keepdims=True)
    np.testing.assert_allclose(np.asarray(axes.images[0].get_array()), shares)


def test_curves_show_the_history(history: list[EpochRecord]) -> None:
    axes = Figure().subplots()
    draw_curves(axes, history, "accuracy")
    training, validation = axes.lines
    np.testing.assert_array_equal(training.get_xydata(), [(r.epoch, r.accuracy) for r in history])
    expected = [(r.epoch, r.validation["accuracy"]) for r in history if r.validation is not None]
    np.testing.assert_array_equal(validation.get_xydata(), expected)
    assert [training.get_label(), validation.get_label()] == ["training", "validation"]


def test_odd_histories(evaluation_of: Callable[..., Evaluation], history: list[EpochRecord], tmp_path: Path) -> None:
    diverged = EpochRecord(
        epoch=2,
        loss=float("nan"),
        accuracy=0.0,
        learning_rate=1.0,
        gradient_norm=float("inf"),
        tokens_per_second=1.0,
        validation={"loss": float("inf"), "accuracy": 0.5},
    )
    for records in ([history[0]], [history[0], diverged], [diverged], history * 20):
        draw_png(tmp_path / "odd.png", evaluation_of(2), records)


def test_svg_is_well_formed_and_keeps_texts(
    evaluation_of: Callable[..., Evaluation], history: list[EpochRecord]
) -> None:
    labels = [f'</svg><script>alert({i})</script>-->"中文' for i in range(21)]
    svg = confusion_svg(evaluation_of(21, labels=labels))
    assert svg == confusion_svg(evaluation_of(21, labels=labels))
    root = ElementTree.fromstring(svg)
    texts = [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert sum(text.startswith("</svg><script>alert") for text in texts) == 42
    assert not list(root.iter("{http://www.w3.org/2000/svg}script"))
    for quantity in ("loss", "accuracy"):
        assert ElementTree.fromstring(curves_svg(history, quantity)).tag.endswith("svg")


def test_style_of_the_user_neither_matters_nor_changes(
    evaluation_of: Callable[..., Evaluation], history: list[EpochRecord], tmp_path: Path
) -> None:
    draw_png(tmp_path / "plain.png", evaluation_of(6), history)
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "savefig.dpi": 20}):
        before = dict(mpl.rcParams)
        draw_png(tmp_path / "styled.png", evaluation_of(6), history)
        assert dict(mpl.rcParams) == before
    assert (tmp_path / "plain.png").read_bytes() == (tmp_path / "styled.png").read_bytes()


def test_unwritable_path_and_missing_library_are_named(
    evaluation_of: Callable[..., Evaluation], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(OutputError, match="does not exist"):
        draw_png(tmp_path / "missing" / "x.png", evaluation_of(2), [])
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingDependencyError, match=r"matplotlib.*pip install 'textrnn\[evaluate\]'"):
        draw_png(tmp_path / "x.png", evaluation_of(2), [])
    assert list(tmp_path.iterdir()) == []
