"""Learning curves, confusion matrix and reliability diagram as PNG and SVG."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from textrnn.evaluation.by_task import AnyEvaluation
from textrnn.evaluation.lines import one_line
from textrnn.evaluation.numbers import NumberEvaluation
from textrnn.evaluation.reliability import draw_reliability
from textrnn.evaluation.report import headline
from textrnn.evaluation.results import Calibration, Estimate, Evaluation
from textrnn.evaluation.sets import SetEvaluation
from textrnn.evaluation.style import ACCENT, INK, MUTED, new_figure, rendered, style
from textrnn.files import replacing
from textrnn.history import EpochRecord

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COUNTED_CLASSES, LABELLED_CLASSES = 20, 40  # up to here the cells hold counts, the axes labels
CURVES_INCHES, RELIABILITY_INCHES = 5.2, 4.4


def draw_png(path: str | Path, evaluation: AnyEvaluation, history: Sequence[EpochRecord]) -> None:
    """One picture: learning curves, where there is a history, and what each kind of evaluation has.

    Of classes these are the confusion matrix and the reliability diagram.

    Raises:
        OutputError: the file cannot be written.
        MissingDependencyError: matplotlib is not installed.
    """
    panels, height = PANELS[type(evaluation)](evaluation)
    columns = [*([CURVES_INCHES] if history else []), *(width for width, _ in panels)]
    with style():
        figure = new_figure(sum(columns), max(height, 5.6 if history else 0) + 0.6)
        parts = list(figure.subfigures(1, len(columns), squeeze=False, width_ratios=columns)[0])
        if history:
            shown = quantities(history)
            curves = parts.pop(0).subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
            for place, quantity in zip(curves, shown, strict=True):
                draw_curves(place, history, quantity)
            for place in curves[:-1]:
                place.set_xlabel("")
        for part, (_, draw) in zip(parts, panels, strict=True):
            draw(part.subplots())
        figure.suptitle(_headline(evaluation), x=0.02, ha="left", color=INK, fontsize=10.5)
        picture = rendered(figure, "png")
    with replacing(path) as file:
        file.write(picture)


def quantities(history: Sequence[EpochRecord]) -> list[str]:
    """Those of the learning curves that there are."""
    return [name for name in ("loss", "accuracy") if any(getattr(record, name) is not None for record in history)]


def curves_svg(history: Sequence[EpochRecord], quantity: str) -> str:
    """The `<svg>` element of one learning curve, `loss` or `accuracy`; its texts stay texts."""
    return _svg(5.0, 3.2, lambda axes: draw_curves(axes, history, quantity))


def reliability_svg(calibration: Calibration) -> str:
    """The `<svg>` element of the reliability diagram."""
    return _svg(4.4, 4.4, lambda axes: draw_reliability(axes, calibration))


def numbers_svg(evaluation: NumberEvaluation) -> str:
    """The `<svg>` element of predicted over true numbers."""
    return _svg(4.4, 4.4, lambda axes: draw_numbers(axes, evaluation))


def confusion_svg(evaluation: Evaluation) -> str:
    """The `<svg>` element of the confusion matrix; its texts stay texts."""
    return _svg(*_matrix_inches(evaluation), lambda axes: draw_confusion(axes, evaluation))


def draw_curves(axes: "Axes", history: Sequence[EpochRecord], quantity: str) -> None:
    """`loss` or `accuracy` over the epochs, of training and, where there is one, of validation."""
    from matplotlib.ticker import MaxNLocator

    training = [
        (record.epoch, getattr(record, quantity)) for record in history if getattr(record, quantity) is not None
    ]
    validation = [
        (record.epoch, record.validation[quantity])
        for record in history
        if record.validation is not None and quantity in record.validation
    ]
    for name, points, color in [("training", training, MUTED), ("validation", validation, ACCENT)]:
        if points:
            marker = "o" if len(points) <= 30 else None
            axes.plot(*zip(*points, strict=True), color=color, marker=marker, label=name)
    in_nats = quantity == "loss" and any(record.accuracy is not None for record in history)
    axes.set_ylabel("loss (nats)" if in_nats else quantity)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.grid(axis="y")
    axes.legend(loc="best")  # the curves cross every corner in some training


def draw_numbers(axes: "Axes", evaluation: NumberEvaluation) -> None:
    """Predicted over true numbers; on the dashed line they are equal."""
    true, predicted = zip(*evaluation.points, strict=True)
    ends = [min(*true, *predicted), max(*true, *predicted)]
    axes.plot(ends, ends, color=MUTED, linewidth=1, linestyle="dashed", label="equal")
    axes.scatter(true, predicted, s=8, color=ACCENT, alpha=0.4, linewidths=0, zorder=3, label="texts")
    axes.set_xlabel("true number")
    axes.set_ylabel("predicted number")
    axes.grid()
    axes.legend(loc="upper left")


def draw_confusion(axes: "Axes", evaluation: Evaluation) -> None:
    """Each row of the confusion matrix in shares of its true class; the counts where they can be read."""
    from matplotlib.colors import LinearSegmentedColormap, PowerNorm

    counts = np.array(evaluation.confusion)  # [true, predicted]
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    classes = len(counts)
    # From transparent, not from white: a page with a dark background shows the same picture.
    colors = LinearSegmentedColormap.from_list("share", [(ACCENT, 0.0), (ACCENT, 1.0)])
    # With many classes the square root, because most confusions are then a few per cent of their class.
    scale = PowerNorm(1.0 if classes <= 6 else 0.5, vmin=0, vmax=1)
    image = axes.imshow(shares, cmap=colors, norm=scale, interpolation="nearest")
    if classes <= COUNTED_CLASSES:
        size = 10 if classes <= 6 else 8 if classes <= 12 else 6.5
        for (i, j), count in np.ndenumerate(counts):
            color = "white" if scale(shares[i, j]) > 0.75 else INK if count else MUTED
            shown = f"{count:,}" if classes <= 12 else str(count)
            axes.text(j, i, shown, ha="center", va="center", color=color, fontsize=size)
        for edge in np.arange(classes - 1) + 0.5:
            axes.axhline(edge, color="white", linewidth=1)
            axes.axvline(edge, color="white", linewidth=1)
    else:
        ticks = [0, 0.01, 0.05, 0.2, 0.5, 1]
        bar = axes.figure.colorbar(image, ax=axes, ticks=ticks, shrink=0.5, aspect=30, fraction=0.05, anchor=(0, 1))
        bar.ax.set_yticklabels([f"{100 * tick:g} %" for tick in ticks], fontsize=7)
        bar.set_label("share of the true class", fontsize=7)
        bar.outline.set_visible(False)
    axes.spines[:].set_visible(True)
    axes.set_anchor("N")
    if classes <= LABELLED_CLASSES:
        _label_ticks(axes, [one_line(scores.label, 20) for scores in evaluation.per_class])
    else:
        axes.set_xticks([])
        axes.set_yticks([])
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")


def _label_ticks(axes: "Axes", labels: list[str]) -> None:
    size = 9 if len(labels) <= 12 else 7 if len(labels) <= 20 else 6
    level = sum(map(len, labels)) + 2 * len(labels) <= 44
    axes.set_yticks(range(len(labels)), labels, fontsize=size, parse_math=False)
    axes.set_xticks(range(len(labels)), labels, fontsize=size, parse_math=False)
    axes.tick_params(length=0)
    if not level:
        for text in axes.get_xticklabels():
            text.set(rotation=45, ha="right", rotation_mode="anchor")


def _matrix_inches(evaluation: Evaluation) -> tuple[float, float]:
    """Width and height: square with the tick labels, and room for the colour bar where there is one."""
    classes = len(evaluation.per_class)
    height = float(np.clip(3.2 + 0.3 * classes, 4.8, 9.0))
    return height + (0.8 if classes > COUNTED_CLASSES else 0.3), height


Panels = tuple[list[tuple[float, Callable[["Axes"], None]]], float]
"""What stands side by side, each with its width in inches, and the height."""


def _class_panels(evaluation: Evaluation) -> Panels:
    width, height = _matrix_inches(evaluation)
    return [
        (width, lambda axes: draw_confusion(axes, evaluation)),
        (RELIABILITY_INCHES, lambda axes: draw_reliability(axes, evaluation.calibration)),
    ], height


def _set_panels(evaluation: SetEvaluation) -> Panels:
    return [(RELIABILITY_INCHES, lambda axes: draw_reliability(axes, evaluation.calibration))], RELIABILITY_INCHES


def _number_panels(evaluation: NumberEvaluation) -> Panels:
    return [(RELIABILITY_INCHES, lambda axes: draw_numbers(axes, evaluation))], RELIABILITY_INCHES


PANELS: dict[type[AnyEvaluation], Callable[[Any], Panels]] = {
    Evaluation: _class_panels,
    SetEvaluation: _set_panels,
    NumberEvaluation: _number_panels,
}


def _headline(evaluation: AnyEvaluation) -> str:
    if not isinstance(evaluation, Evaluation):
        figures = ", ".join(f"{name} {value:.4g}" for name, value in headline(evaluation).items())
        return f"{figures}\non {evaluation.examples:,} examples"

    def shown(estimate: Estimate) -> str:
        return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"

    return (
        f"accuracy {shown(evaluation.accuracy)} on {evaluation.examples:,} examples\n"
        f"macro F1 {shown(evaluation.macro_f1)}, intervals at {100 * evaluation.confidence:g} %"
    )


def _svg(width: float, height: float, draw: Callable[["Axes"], None]) -> str:
    with style():
        figure = new_figure(width, height)
        draw(figure.subplots())
        picture = rendered(figure, "svg").decode("utf-8")
    return picture[picture.index("<svg") :]
