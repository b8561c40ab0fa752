"""Evaluations of several labels a text, and of numbers, as plain text."""

from rich.cells import cell_len

from textrnn.evaluation.certainty import calibration_lines
from textrnn.evaluation.lines import aligned, one_line
from textrnn.evaluation.numbers import NumberEvaluation, NumberMistake, Spread
from textrnn.evaluation.results import Estimate
from textrnn.evaluation.sets import SetEvaluation, SetMistake

COLUMNS = 100


def set_sections(evaluation: SetEvaluation) -> list[list[str]]:
    """Lines of each section, at most 100 terminal columns wide."""
    return [
        [f"{evaluation.examples:,} examples, {len(evaluation.per_label)} labels", "", *_lines(set_summary(evaluation))],
        aligned(label_table(evaluation), gap=3),
        calibration_lines(evaluation.calibration, evaluation.confidence, "decisions"),
        _set_mistakes(evaluation),
    ]


def set_summary(evaluation: SetEvaluation) -> list[tuple[str, str, str]]:
    """Name, figure and note of each."""
    precision = evaluation.average_precision
    return [
        ("accuracy", f"{evaluation.accuracy.value:.4f}", _interval(evaluation.accuracy, evaluation.confidence)),
        ("micro F1", f"{evaluation.micro_f1:.4f}", "of all decisions together"),
        ("macro F1", f"{evaluation.macro_f1:.4f}", "mean of the labels"),
        ("samples F1", f"{evaluation.samples_f1:.4f}", "mean of the texts"),
        ("Hamming loss", f"{evaluation.hamming_loss:.4f}", "share of wrong decisions"),
        ("log loss", f"{evaluation.log_loss:.4f}", "nats a decision"),
        ("avg. precision", "-" if precision is None else f"{precision:.4f}", "mean of the labels"),
        ("LRAP", f"{evaluation.lrap:.4f}", "label ranking average precision"),
        ("calibration", f"{evaluation.calibration.error:.4f}", "of all decisions together"),
        ("labels a text", f"{evaluation.labels_a_text:.2f}", f"predicted {evaluation.predicted_a_text:.2f}"),
    ]


def label_table(evaluation: SetEvaluation) -> list[list[str]]:
    """A head and a row for each label."""
    head = ["label", "precision", "recall", "F1", "avg. precision", "support", "predicted", "threshold"]
    return [
        head,
        *(
            [
                one_line(scores.label, 24),
                *(f"{share:.4f}" for share in (scores.precision, scores.recall, scores.f1)),
                "-" if scores.average_precision is None else f"{scores.average_precision:.4f}",
                *(f"{count:,}" for count in (scores.support, scores.predicted)),
                f"{scores.threshold:.4f}",
            ]
            for scores in evaluation.per_label
        ),
    ]


def number_sections(evaluation: NumberEvaluation) -> list[list[str]]:
    """Lines of each section, at most 100 terminal columns wide."""
    return [
        [f"{evaluation.examples:,} examples", "", *_lines(number_summary(evaluation))],
        _number_mistakes(evaluation),
    ]


def number_summary(evaluation: NumberEvaluation) -> list[tuple[str, str, str]]:
    """Name, figure and note of each."""

    def shown(value: float | None) -> str:
        return "-" if value is None else f"{value:.4f}"

    level = evaluation.confidence
    return [
        ("MAE", f"{evaluation.mae.value:.4g}", _interval(evaluation.mae, level)),
        ("  of the mean", f"{evaluation.mae_of_mean:.4g}", "always predicting the mean of the training texts"),
        ("RMSE", f"{evaluation.rmse.value:.4g}", _interval(evaluation.rmse, level)),
        ("  of the mean", f"{evaluation.rmse_of_mean:.4g}", "likewise"),
        ("R2", shown(evaluation.r2), "share of the variance that is explained"),
        ("Pearson", shown(evaluation.pearson), "correlation"),
        ("Spearman", shown(evaluation.spearman), "correlation of the ranks"),
    ]


def set_mistake(mistake: SetMistake) -> str:
    """Which labels were missed and which are wrong."""
    marked = [("-", label) for label in mistake.missed] + [("+", label) for label in mistake.wrong]
    return " ".join(f"{sign}{one_line(label, 24)}" for sign, label in marked)


def number_mistake(mistake: NumberMistake) -> str:
    """The true number and the predicted one."""
    return f"{mistake.value:.6g} -> {mistake.predicted:.6g}"


def _interval(estimate: Estimate | Spread, confidence: float) -> str:
    return f"{100 * confidence:g} % interval {estimate.low:.4g} to {estimate.high:.4g}"


def _lines(rows: list[tuple[str, str, str]]) -> list[str]:
    return [f"{name:<15}{value:>10}   {note}".rstrip() for name, value, note in rows]


def _set_mistakes(evaluation: SetEvaluation) -> list[str]:
    if not evaluation.mistakes:
        return []
    lines = ["worst mistakes (- labels that were missed, + labels that are wrong)"]
    for mistake in evaluation.mistakes:
        lines += _mistake(one_line(set_mistake(mistake), 60), mistake.place, mistake.text)
    return lines


def _number_mistakes(evaluation: NumberEvaluation) -> list[str]:
    if not evaluation.mistakes:
        return []
    lines = ["worst errors (true -> predicted)"]
    for mistake in evaluation.mistakes:
        lines += _mistake(number_mistake(mistake), mistake.place, mistake.text)
    return lines


def _mistake(head: str, place: str | None, text: str | None) -> list[str]:
    if place is not None:  # a long path loses its beginning, because the line number stands at the end
        head += "   " + one_line(place[::-1], COLUMNS - cell_len(head) - 3)[::-1]
    return ["", head, *([] if text is None else [f"    {one_line(text, COLUMNS - 4)}".rstrip()])]
