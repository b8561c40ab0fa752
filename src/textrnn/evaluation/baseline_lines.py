"""A network beside a linear model, in words: which of the two is better?"""

from textrnn.history import BaselineRecord

FIGURES = (("accuracy", "accuracy"), ("macro F1", "macro_f1"), ("log loss", "loss"), ("ECE", "calibration_error"))
"""As they are shown, and their fields in `SideFigures`."""
JUDGED = FIGURES[:3]
"""Those by which a model is called better. Calibration can be put right afterwards."""


def baseline_lines(record: BaselineRecord, what: str) -> list[str]:
    """A small table and the verdict; `what`: the texts that both were measured on, e.g. "validation"."""
    lines = [f"{f'{record.texts:,} {what} texts':<27}{'network':>12}{'linear model':>15}"]
    for shown, name in FIGURES:
        network, linear = getattr(record.network, name), getattr(record.linear, name)
        lines.append(f"{shown:<27}{network:>12.4f}{linear:>15.4f}")
    return [*lines, description(record), verdict(record)]


def description(record: BaselineRecord) -> str:
    """What the linear model is."""
    time = "" if record.seconds is None else f", {record.seconds:.1f} s"
    stopped = "" if record.converged else "; it did not converge"
    return (
        f"linear model: tf-idf and logistic regression, C {record.c:g}, {record.features:,} features, "
        f"{record.learned_from:,} texts{time}{stopped}"
    )


def verdict(record: BaselineRecord) -> str:
    """Who is better, by which figures."""
    sides: dict[str, list[str]] = {"the linear model": [], "the network": [], "neither": []}
    for shown, name in JUDGED:
        difference = getattr(record.linear, name) - getattr(record.network, name)
        difference = -difference if name == "loss" else difference
        sides["the linear model" if difference > 0 else "the network" if difference < 0 else "neither"].append(shown)
    found = [f"{side} is better by {_listed(names)}" for side, names in sides.items() if names]
    return "; ".join(found)


def linear_is_better(record: BaselineRecord) -> bool:
    """Whether the linear model has both the higher accuracy and the lower log loss."""
    return record.linear.accuracy > record.network.accuracy and record.linear.loss < record.network.loss


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
