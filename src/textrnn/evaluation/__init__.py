"""Probabilities and true classes become figures, reports and pages. Never imports torch."""

from textrnn.evaluation.calibration import brier_score, fit_temperature
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

__all__ = [
    "METRICS",
    "Calibration",
    "ClassScores",
    "Estimate",
    "Evaluation",
    "Handover",
    "LengthBucket",
    "Mistake",
    "OutOfScope",
    "ReliabilityBin",
    "Selection",
    "better",
    "brier_score",
    "draw_png",
    "evaluate",
    "fit_temperature",
    "score",
    "to_json",
    "to_text",
    "write_html",
]
