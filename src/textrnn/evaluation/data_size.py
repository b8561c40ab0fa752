"""The accuracy over the number of training texts: as records, text, JSON and picture."""

from pathlib import Path

import msgspec
from msgspec import Struct

from textrnn.evaluation.lines import aligned
from textrnn.evaluation.results import Estimate
from textrnn.evaluation.style import ACCENT, new_figure, rendered, style
from textrnn.files import replacing


class CurvePoint(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A classifier trained on a part of the texts."""

    fraction: float
    examples: int
    """Of training, what is held out for early stopping included."""
    accuracy: Estimate
    """On the test texts, with Wilson's score interval."""
    macro_f1: Estimate
    """With a bootstrap percentile interval."""
    seconds: float
    """Of training, by the clock; the first in a process includes loading parts of PyTorch."""


class DataSizeCurve(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the accuracy grows with the number of training texts."""

    test_examples: int
    confidence: float
    """Level of all intervals."""
    points: list[CurvePoint]
    """By rising number of texts."""


def curve_json(curve: DataSizeCurve) -> bytes:
    """Indented JSON, which `msgspec.json.decode(..., type=DataSizeCurve)` reads back."""
    return msgspec.json.format(msgspec.json.encode(curve), indent=2) + b"\n"


def curve_text(curve: DataSizeCurve) -> str:
    """A table, and in a sentence what the last step brought."""
    head = ["texts", "part", "accuracy", f"{100 * curve.confidence:g} % interval", "macro F1", "seconds"]
    rows = [
        [
            f"{point.examples:,}",
            f"{100 * point.fraction:g} %",
            f"{point.accuracy.value:.4f}",
            f"{point.accuracy.low:.4f} to {point.accuracy.high:.4f}",
            f"{point.macro_f1.value:.4f}",
            f"{point.seconds:.1f}",
        ]
        for point in curve.points
    ]
    lines = [f"accuracy on {curve.test_examples:,} test texts by number of training texts", ""]
    lines += aligned([head, *rows], gap=3, left=0)
    if len(curve.points) > 1:
        before, last = curve.points[-2:]
        gain = 100 * (last.accuracy.value - before.accuracy.value)
        lines += [
            "",
            f"The last step, from {before.examples:,} to {last.examples:,} texts, brought {gain:+.2f} points.",
        ]
    return "\n".join(lines) + "\n"


def draw_curve_png(path: str | Path, curve: DataSizeCurve) -> None:
    """The curve with its intervals.

    Raises:
        OutputError: the file cannot be written.
        MissingDependencyError: matplotlib is not installed.
    """
    examples = [point.examples for point in curve.points]
    with style():
        figure = new_figure(6.0, 4.0)
        axes = figure.subplots()
        low, high = ([getattr(point.accuracy, end) for point in curve.points] for end in ("low", "high"))
        axes.fill_between(examples, low, high, color=ACCENT, alpha=0.15, linewidth=0)
        axes.vlines(examples, low, high, color=ACCENT, linewidth=1)
        axes.plot(examples, [point.accuracy.value for point in curve.points], color=ACCENT, marker="o")
        axes.set_xscale("log")
        axes.set_xticks(examples, [f"{count:,}" for count in examples])
        axes.minorticks_off()
        axes.set_xlabel("training texts")
        axes.set_ylabel(f"accuracy on {curve.test_examples:,} test texts")
        axes.grid(axis="y")
        picture = rendered(figure, "png")
    with replacing(path) as file:
        file.write(picture)
