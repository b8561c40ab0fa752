"""Probabilities and true classes become figures, reports and pages. Never imports torch."""

from textrnn.evaluation.figures import draw_png
from textrnn.evaluation.metrics import METRICS, better, evaluate, score
from textrnn.evaluation.page import write_html
from textrnn.evaluation.report import to_json, to_text
from textrnn.evaluation.results import ClassScores, Estimate, Evaluation, Mistake

__all__ = [
    "METRICS",
    "ClassScores",
    "Estimate",
    "Evaluation",
    "Mistake",
    "better",
    "draw_png",
    "evaluate",
    "score",
    "to_json",
    "to_text",
    "write_html",
]
