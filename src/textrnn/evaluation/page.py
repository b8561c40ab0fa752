"""An evaluation as one HTML page that needs no network and trusts no label and no text."""

import re
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from textrnn.evaluation.baseline_lines import FIGURES, description, verdict
from textrnn.evaluation.by_task import AnyEvaluation
from textrnn.evaluation.certainty import coverage, span
from textrnn.evaluation.figures import (
    COUNTED_CLASSES,
    confusion_svg,
    curves_svg,
    numbers_svg,
    quantities,
    reliability_svg,
)
from textrnn.evaluation.lines import one_line
from textrnn.evaluation.mistakes import most_frequent_confusions
from textrnn.evaluation.numbers import NumberEvaluation
from textrnn.evaluation.results import Evaluation
from textrnn.evaluation.sets import SetEvaluation
from textrnn.evaluation.style import ACCENT, GRID, INK, MUTED
from textrnn.evaluation.task_reports import (
    label_table,
    number_mistake,
    number_summary,
    set_mistake,
    set_summary,
)
from textrnn.files import replacing, require
from textrnn.history import EpochRecord

CSS_COLORS = {INK: "var(--ink)", MUTED: "var(--muted)", GRID: "var(--line)", ACCENT: "var(--accent)"}


def write_html(path: str | Path, evaluation: AnyEvaluation, history: Sequence[EpochRecord], title: str) -> None:
    """Write the page to `path`; it holds its figures itself and follows the reader's light or dark setting.

    Raises:
        OutputError: the file cannot be written.
        MissingDependencyError: Jinja2 or matplotlib is not installed.
    """
    jinja2 = require("jinja2", extra="evaluate", purpose="an HTML page")
    markup = require("markupsafe", extra="evaluate", purpose="an HTML page").Markup
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=jinja2.FunctionLoader(lambda name: resources.files(__package__).joinpath(name).read_text("utf-8")),
    )
    environment.filters["line"] = one_line

    def inlined(svg: str, name: str) -> Any:
        return markup(_inlined(svg, name))  # matplotlib escapes the texts in its SVG, so that the whole is markup

    curves = {name.capitalize(): inlined(curves_svg(history, name), name) for name in quantities(history)}
    template, fields = PAGES[type(evaluation)](evaluation, inlined)
    page = environment.get_template(template).render(
        title=one_line(title), evaluation=evaluation, history=history, curves=curves, **fields
    )
    with replacing(path) as file:
        file.write(page.encode("utf-8"))


Inlined = Callable[[str, str], Any]
"""An SVG element and a name of its own -> markup."""


def _of_classes(evaluation: Evaluation, inlined: Inlined) -> tuple[str, dict[str, Any]]:
    many = len(evaluation.per_class) > COUNTED_CLASSES
    return "page.html", {
        "matrix": inlined(confusion_svg(evaluation), "matrix") if many else None,
        "reliability": inlined(reliability_svg(evaluation.calibration), "reliability"),
        "span": span,
        "coverage": coverage,
        "baseline_figures": FIGURES,
        "baseline_notes": [description(evaluation.baseline), verdict(evaluation.baseline)]
        if evaluation.baseline
        else [],
        "confusions": most_frequent_confusions(evaluation, count=10) if many else [],
    }


def _of_sets(evaluation: SetEvaluation, inlined: Inlined) -> tuple[str, dict[str, Any]]:
    return "task_page.html", {
        "examples": evaluation.examples,
        "confidence": evaluation.confidence,
        "summary": set_summary(evaluation),
        "table": label_table(evaluation),
        "heading": "Can the probabilities be believed? All decisions together",
        "figure": inlined(reliability_svg(evaluation.calibration), "reliability"),
        "mistakes": [(set_mistake(mistake), mistake.text, mistake.place) for mistake in evaluation.mistakes],
    }


def _of_numbers(evaluation: NumberEvaluation, inlined: Inlined) -> tuple[str, dict[str, Any]]:
    return "task_page.html", {
        "examples": evaluation.examples,
        "confidence": evaluation.confidence,
        "summary": number_summary(evaluation),
        "table": [],
        "heading": "Predicted against true numbers",
        "figure": inlined(numbers_svg(evaluation), "numbers"),
        "mistakes": [(number_mistake(mistake), mistake.text, mistake.place) for mistake in evaluation.mistakes],
    }


PAGES: dict[type[AnyEvaluation], Callable[[Any, Inlined], tuple[str, dict[str, Any]]]] = {
    Evaluation: _of_classes,
    SetEvaluation: _of_sets,
    NumberEvaluation: _of_numbers,
}
"""The template of each kind of evaluation, and what it shows."""


def _inlined(svg: str, name: str) -> str:
    """An SVG element that shares a page: its colours follow the page's, its ids are its own."""
    for color, variable in CSS_COLORS.items():
        svg = svg.replace(f": {color}", f": {variable}")
    return re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", svg)
