"""The reliability diagram."""

from typing import TYPE_CHECKING

from textrnn.evaluation.results import Calibration
from textrnn.evaluation.style import ACCENT, INK, MUTED

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_reliability(axes: "Axes", calibration: Calibration) -> None:
    """Accuracy over mean probability with its interval, one point a bin, its area by the bin's examples."""
    bins = calibration.bins
    confidence = [row.confidence for row in bins]
    accuracy = [row.accuracy.value for row in bins]
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle="dashed", label="as promised")
    axes.vlines(
        confidence, [row.accuracy.low for row in bins], [row.accuracy.high for row in bins], color=ACCENT, linewidth=1
    )
    sizes = [12 + 88 * row.examples / sum(one.examples for one in bins) for row in bins]
    axes.scatter(confidence, accuracy, s=sizes, color=ACCENT, zorder=3, label="found")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_aspect("equal", anchor="N")
    axes.set_xlabel("probability of the predicted class")
    axes.set_ylabel("accuracy")
    axes.grid()
    legend = axes.legend(loc="upper left")
    for handle in legend.legend_handles:
        if handle is not None and hasattr(handle, "set_sizes"):
            handle.set_sizes([30])
    axes.text(0.97, 0.04, f"error {calibration.error:.4f}", transform=axes.transAxes, ha="right", color=INK)
