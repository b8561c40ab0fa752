"""Probabilities and true classes become figures, reports and pages. Never imports torch."""

from textrnn.evaluation.calibration import brier_score, fit_temperature
from textrnn.evaluation.comparison import Comparison, Difference, Disagreement, compare_probabilities
from textrnn.evaluation.comparison_report import comparison_json, comparison_text
from textrnn.evaluation.data_size import CurvePoint, DataSizeCurve, curve_json, curve_text, draw_curve_png
from textrnn.evaluation.figures import draw_png
from textrnn.evaluation.metrics import METRICS, better, evaluate, score
from textrnn.evaluation.page import write_html
from textrnn.evaluation.report import to_json, to_text
from textrnn.evaluation.results import (
    Calibration,
    ClassScores,
    Estimate,
    Evaluation,
    Handover,
    LengthBucket,
    Mistake,
    OutOfScope,
    ReliabilityBin,
    Selection,
)
from textrnn.evaluation.suspects import Suspect, find_suspects

__all__ = [
    "METRICS",
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
    "LengthBucket",
    "Mistake",
    "OutOfScope",
    "ReliabilityBin",
    "Selection",
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
    "find_suspects",
    "fit_temperature",
    "score",
    "to_json",
    "to_text",
    "write_html",
]
