"""Probabilities and true classes become figures, reports and pages. Never imports torch."""

from textrnn.evaluation.by_task import AnyEvaluation, evaluate_task
from textrnn.evaluation.calibration import brier_score, fit_temperature
from textrnn.evaluation.comparison import Comparison, Difference, Disagreement, compare_probabilities
from textrnn.evaluation.comparison_report import comparison_json, comparison_text
from textrnn.evaluation.data_size import CurvePoint, DataSizeCurve, curve_json, curve_text, draw_curve_png
from textrnn.evaluation.figures import draw_png
from textrnn.evaluation.metrics import better, evaluate, score
from textrnn.evaluation.numbers import NumberEvaluation, NumberMistake, evaluate_numbers
from textrnn.evaluation.page import write_html
from textrnn.evaluation.report import headline, to_json, to_text
from textrnn.evaluation.results import (
    Calibration,
    ClassScores,
    Estimate,
    Evaluation,
    Handover,
    LengthBucket,
    LevelFigures,
    Mistake,
    OutOfScope,
    ReliabilityBin,
    Selection,
)
from textrnn.evaluation.sets import LabelScores, SetEvaluation, SetMistake, evaluate_sets
from textrnn.evaluation.suspects import Suspect, find_suspects
from textrnn.tasks.classes import CLASS_METRICS as METRICS

__all__ = [
    "METRICS",
    "AnyEvaluation",
    "Calibration",
    "ClassScores",
    "Comparison",
    "CurvePoint",
    "DataSizeCurve",
    "Difference",
    "Disagreement",
    "Estimate",
    "Evaluation",
    "Handover",
    "LabelScores",
    "LengthBucket",
    "LevelFigures",
    "Mistake",
    "NumberEvaluation",
    "NumberMistake",
    "OutOfScope",
    "ReliabilityBin",
    "Selection",
    "SetEvaluation",
    "SetMistake",
    "Suspect",
    "better",
    "brier_score",
    "compare_probabilities",
    "comparison_json",
    "comparison_text",
    "curve_json",
    "curve_text",
    "draw_curve_png",
    "draw_png",
    "evaluate",
    "evaluate_numbers",
    "evaluate_sets",
    "evaluate_task",
    "find_suspects",
    "fit_temperature",
    "headline",
    "score",
    "to_json",
    "to_text",
    "write_html",
]
