"""Searching for the settings that suit a data set best, within a given time."""

from textrnn.tuning.report import draw_tuning, tuning_to_text
from textrnn.tuning.results import TrialRecord, Tuning
from textrnn.tuning.tune import tune

__all__ = ["TrialRecord", "Tuning", "draw_tuning", "tune", "tuning_to_text"]
