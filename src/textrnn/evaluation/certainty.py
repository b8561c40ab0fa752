"""How far a classifier's certainty can be used, as plain text: calibration, lengths, handing over, out of scope."""

from textrnn.evaluation.lines import aligned, one_line
from textrnn.evaluation.results import Calibration, Estimate, Evaluation


def certainty_sections(evaluation: Evaluation) -> list[list[str]]:
    """Lines of each section, at most 100 terminal columns wide; a section without figures has none."""
    return [
        calibration_lines(evaluation.calibration, evaluation.confidence),
        _lengths(evaluation),
        _handovers(evaluation),
        _out_of_scope(evaluation),
    ]


def span(low: int, high: int) -> str:
    """From the fewest to the most, as one number where they are equal."""
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def coverage(evaluation: Evaluation, handed_over: int) -> str:
    """The share that the classifier decides itself, such as `95.2 %`."""
    return f"{100 * (1 - handed_over / evaluation.examples):.1f} %"


def _interval(estimate: Estimate) -> str:
    return f"{estimate.low:.4f} to {estimate.high:.4f}"


def calibration_lines(calibration: Calibration, confidence: float, what: str = "examples") -> list[str]:
    """Whether the probabilities can be believed, bin by bin; `what` there are in a bin."""
    head = ["probability", what, "its mean", "accuracy", f"{100 * confidence:g} % interval"]
    rows = [
        [
            f"{row.low:.2f} to {row.high:.2f}",
            f"{row.examples:,}",
            f"{row.confidence:.4f}",
            f"{row.accuracy.value:.4f}",
            _interval(row.accuracy),
        ]
        for row in calibration.bins
    ]
    return [
        f"calibration (error {calibration.error:.4f}, by bins of equal size {calibration.adaptive_error:.4f}; "
        f"Brier score {calibration.brier:.4f})",
        "",
        *aligned([head, *rows], gap=3),
    ]


def _lengths(evaluation: Evaluation) -> list[str]:
    if not evaluation.by_length:
        return []
    head = ["tokens", "examples", "accuracy", f"{100 * evaluation.confidence:g} % interval"]
    rows = [
        [span(row.low, row.high), f"{row.examples:,}", f"{row.accuracy.value:.4f}", _interval(row.accuracy)]
        for row in evaluation.by_length
    ]
    return ["accuracy by length of the text", "", *aligned([head, *rows], gap=3)]


def _handovers(evaluation: Evaluation) -> list[str]:
    head = ["coverage", "below", "handed over", "errors there", "errors left", "accuracy of the rest"]
    rows = [
        [
            coverage(evaluation, row.examples),
            f"{row.threshold:.4f}",
            f"{row.examples:,}",
            f"{row.errors_found:,}",
            f"{row.errors_left:,}",
            f"{row.accuracy.value:.4f}, {_interval(row.accuracy)}",
        ]
        for row in evaluation.selection.handovers
    ]
    return [
        "handing the least certain texts to a human "
        f"(area under the risk-coverage curve {evaluation.selection.area:.4f})",
        "",
        *aligned([head, *rows], gap=3),
    ]


def _out_of_scope(evaluation: Evaluation) -> list[str]:
    found = evaluation.out_of_scope
    if found is None:
        return []
    return [
        f"out of scope ({found.examples:,} texts labelled {one_line(found.label, 40)}, in no figure above)",
        "",
        f"AUROC           {found.auroc:.4f}   probability that a text in scope is the more certain one; 0.5 is chance",
        f"FPR at 95 % TPR {found.fpr_at_95_tpr:.4f}   are accepted where 95 % of the texts in scope are: from "
        f"{found.threshold:.4f} on",
    ]
