"""What is wrong with a model, or with its data, in plain words and with the setting to change."""

from textrnn.doctor.examine import CHECKS, Case, examine
from textrnn.doctor.finding import Finding, to_json, to_text

__all__ = ["CHECKS", "Case", "Finding", "examine", "to_json", "to_text"]
