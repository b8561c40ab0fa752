import sys
from pathlib import Path

import msgspec
import pytest
from PIL import Image

from textrnn.errors import MissingDependencyError, OutputError
from textrnn.evaluation import CurvePoint, DataSizeCurve, Estimate, curve_json, curve_text, draw_curve_png

CURVE = DataSizeCurve(
    test_examples=1500,
    confidence=0.95,
    points=[
        CurvePoint(
            fraction=fraction,
            examples=examples,
            accuracy=Estimate(value=value, low=value - 0.02, high=value + 0.02),
            macro_f1=Estimate(value=value - 0.01, low=value - 0.04, high=value + 0.01),
            seconds=examples / 100,
        )
        for fraction, examples, value in ((0.1, 250, 0.71), (0.25, 625, 0.75), (1.0, 2500, 0.8125))
    ],
)


def test_text_and_json() -> None:
    assert curve_text(CURVE) == (
        "accuracy on 1,500 test texts by number of training texts\n"
        "\n"
        "texts    part   accuracy      95 % interval   macro F1   seconds\n"
        "  250    10 %     0.7100   0.6900 to 0.7300     0.7000       2.5\n"
        "  625    25 %     0.7500   0.7300 to 0.7700     0.7400       6.2\n"
        "2,500   100 %     0.8125   0.7925 to 0.8325     0.8025      25.0\n"
        "\n"
        "The last step, from 625 to 2,500 texts, brought +6.25 points.\n"
    )
    assert msgspec.json.decode(curve_json(CURVE), type=DataSizeCurve) == CURVE
    assert "The last step" not in curve_text(msgspec.structs.replace(CURVE, points=CURVE.points[:1]))


@pytest.mark.parametrize("count", [1, 3])
def test_picture_is_reproducible(tmp_path: Path, count: int) -> None:
    curve = msgspec.structs.replace(CURVE, points=CURVE.points[:count])
    for name in ("one.png", "two.png"):
        draw_curve_png(tmp_path / name, curve)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    with Image.open(tmp_path / "one.png") as picture:
        assert picture.size == (900, 600)


def test_unwritable_path_and_missing_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OutputError, match="does not exist"):
        draw_curve_png(tmp_path / "missing" / "x.png", CURVE)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingDependencyError, match="matplotlib"):
        draw_curve_png(tmp_path / "x.png", CURVE)
