"""An evaluation as plain text and as JSON."""

from collections.abc import Callable
from typing import Any

import msgspec
from rich.cells import cell_len

from textrnn.evaluation.baseline_lines import baseline_lines
from textrnn.evaluation.by_task import AnyEvaluation
from textrnn.evaluation.certainty import certainty_sections
from textrnn.evaluation.lines import aligned, one_line, padded
from textrnn.evaluation.mistakes import most_frequent_confusions
from textrnn.evaluation.numbers import NumberEvaluation
from textrnn.evaluation.results import Estimate, Evaluation
from textrnn.evaluation.sets import SetEvaluation
from textrnn.evaluation.task_reports import number_sections, set_sections

COLUMNS = 100
MATRIX_CLASSES = 20  # more are shown by their most frequent confusions


def to_json(evaluation: AnyEvaluation) -> bytes:
    """Indented JSON, which `msgspec.json.decode(..., type=Evaluation)`, or what it is, reads back."""
    return msgspec.json.format(msgspec.json.encode(evaluation), indent=2) + b"\n"


def to_text(evaluation: AnyEvaluation) -> str:
    """A report in aligned plain text, at most 100 terminal columns wide."""
    sections = SECTIONS[type(evaluation)](evaluation)
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def headline(evaluation: AnyEvaluation) -> dict[str, float]:
    """The few figures that tell most, by their names."""
    return HEADLINES[type(evaluation)](evaluation)


def class_sections(evaluation: Evaluation) -> list[list[str]]:
    """Lines of each section."""
    baseline = [] if evaluation.baseline is None else baseline_lines(evaluation.baseline, "test")
    return [
        *(_summary(evaluation), baseline, _per_class(evaluation), _confusion(evaluation)),
        *certainty_sections(evaluation),
        _mistakes(evaluation),
    ]


SECTIONS: dict[type[AnyEvaluation], Callable[[Any], list[list[str]]]] = {
    Evaluation: class_sections,
    SetEvaluation: set_sections,
    NumberEvaluation: number_sections,
}
"""Of the report on each kind of evaluation."""

HEADLINES: dict[type[AnyEvaluation], Callable[[Any], dict[str, float]]] = {
    Evaluation: lambda found: {
        "accuracy": found.accuracy.value,
        "macro F1": found.macro_f1.value,
        "log loss": found.log_loss,
    },
    SetEvaluation: lambda found: {
        "micro F1": found.micro_f1,
        "macro F1": found.macro_f1,
        "log loss": found.log_loss,
    },
    NumberEvaluation: lambda found: {"MAE": found.mae.value, "RMSE": found.rmse.value},
}


def _summary(evaluation: Evaluation) -> list[str]:
    def interval(estimate: Estimate) -> str:
        return f"{100 * evaluation.confidence:g} % interval {estimate.low:.4f} to {estimate.high:.4f}"

    auc, levels = evaluation.roc_auc, evaluation.levels
    rows = [
        ("accuracy", evaluation.accuracy.value, interval(evaluation.accuracy)),
        ("  by majority", evaluation.majority_share, "always guessing the most frequent class"),
        *(
            [
                ("MAE", levels.mae, "levels between the predicted and the true one"),
                ("  within one", levels.within_one, "predicted at most one level off"),
                ("kappa", levels.quadratic_kappa, "quadratic weights; 0 is chance"),
                ("Spearman", levels.spearman, "rank correlation"),
            ]
            if levels
            else []
        ),
        ("macro F1", evaluation.macro_f1.value, interval(evaluation.macro_f1)),
        ("micro F1", evaluation.micro_f1, ""),
        ("weighted F1", evaluation.weighted_f1, ""),
        ("log loss", evaluation.log_loss, "nats"),
        ("ROC AUC", auc, "" if auc is not None else "undefined: all examples belong to one class"),
        ("calibration", evaluation.calibration.error, "expected distance of accuracy from probability"),
    ]
    return [
        f"{evaluation.examples:,} examples, {len(evaluation.per_class)} classes",
        "",
        *(f"{name:<15}{'-' if value is None else f'{value:.4f}':>7}   {note}".rstrip() for name, value, note in rows),
    ]


def _per_class(evaluation: Evaluation) -> list[str]:
    head = ["class", "precision", "recall", "F1", "support", "predicted"]
    rows = [
        [
            one_line(scores.label, 40),
            *(f"{share:.4f}" for share in (scores.precision, scores.recall, scores.f1)),
            *(f"{count:,}" for count in (scores.support, scores.predicted)),
        ]
        for scores in evaluation.per_class
    ]
    return aligned([head, *rows], gap=3)


def _confusion(evaluation: Evaluation) -> list[str]:
    return _matrix(evaluation) or _pairs(evaluation)


def _matrix(evaluation: Evaluation) -> list[str]:
    """The whole matrix, its columns headed by labels or else by numbers; nothing where it is too wide."""
    if len(evaluation.per_class) > MATRIX_CLASSES:
        return []
    labels = [one_line(scores.label, 24) for scores in evaluation.per_class]
    cells = [list(map(str, counts)) for counts in evaluation.confusion]
    numbers = [str(i) for i in range(1, len(labels) + 1)]
    wide = aligned([["", *labels], *([label, *row] for label, row in zip(labels, cells, strict=True))], gap=2)
    tight = aligned([numbers, *cells], gap=1, left=0)
    room = COLUMNS - cell_len(tight[0]) - 5  # for the label, after its number
    if max(map(cell_len, wide)) <= COLUMNS:
        table = wide
    elif room >= 8:
        names = ["", *(f"{i:2} {one_line(label, room)}" for i, label in enumerate(labels, start=1))]
        table = [f"{padded(name, room + 3)}  {row}" for name, row in zip(names, tight, strict=True)]
    else:
        return []
    return ["confusion matrix (rows: true class, columns: predicted class)", "", *table]


def _pairs(evaluation: Evaluation) -> list[str]:
    pairs = most_frequent_confusions(evaluation, count=10)
    if not pairs:
        return []
    rows = [[one_line(true, 40), "->", one_line(predicted, 40), f"{count:,}"] for true, predicted, count in pairs]
    return ["most frequent confusions (true -> predicted)", "", *aligned(rows, gap=1, left=3)]


def _mistakes(evaluation: Evaluation) -> list[str]:
    if not evaluation.mistakes:
        return []
    lines = ["most confident mistakes (true -> predicted, probability of the predicted class)"]
    for mistake in evaluation.mistakes:
        classes = f"{one_line(mistake.label, 24)} -> {one_line(mistake.predicted, 24)}"
        head = f"{classes}   {mistake.probability:.4f}"
        if mistake.place is not None:  # a long path loses its beginning, because the line number stands at the end
            head += "   " + one_line(mistake.place[::-1], COLUMNS - cell_len(head) - 3)[::-1]
        lines += ["", head]
        if mistake.text is not None:
            lines.append(f"    {one_line(mistake.text, COLUMNS - 4)}".rstrip())
    return lines
