"""An evaluation as one HTML page that needs no network and trusts no label and no text."""

import re
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from textrnn.evaluation.baseline_lines import FIGURES, description, verdict
from textrnn.evaluation.certainty import coverage, span
from textrnn.evaluation.figures import COUNTED_CLASSES, confusion_svg, curves_svg, reliability_svg
from textrnn.evaluation.lines import one_line
from textrnn.evaluation.mistakes import most_frequent_confusions
from textrnn.evaluation.results import Evaluation
from textrnn.evaluation.style import ACCENT, GRID, INK, MUTED
from textrnn.files import replacing, require
from textrnn.history import EpochRecord

CSS_COLORS = {INK: "var(--ink)", MUTED: "var(--muted)", GRID: "var(--line)", ACCENT: "var(--accent)"}


def write_html(path: str | Path, evaluation: Evaluation, history: Sequence[EpochRecord], title: str) -> None:
    """Write the page to `path`; it holds its figures itself and follows the reader's light or dark setting.

    Raises:
        OutputError: the file cannot be written.
        MissingDependencyError: Jinja2 or matplotlib is not installed.
    """
    jinja2 = require("jinja2", extra="evaluate", purpose="an HTML page")
    markup = require("markupsafe", extra="evaluate", purpose="an HTML page").Markup
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["line"] = one_line
    template = environment.from_string(resources.files(__package__).joinpath("page.html").read_text("utf-8"))
    many = len(evaluation.per_class) > COUNTED_CLASSES
    page = template.render(
        title=one_line(title),
        evaluation=evaluation,
        history=history,
        # matplotlib escapes the texts in its SVG, so that the whole is markup.
        curves={name.capitalize(): markup(_inlined(curves_svg(history, name), name)) for name in ("loss", "accuracy")}
        if history
        else {},
        matrix=markup(_inlined(confusion_svg(evaluation), "matrix")) if many else None,
        reliability=markup(_inlined(reliability_svg(evaluation), "reliability")),
        span=span,
        coverage=coverage,
        baseline_figures=FIGURES,
        baseline_notes=[description(evaluation.baseline), verdict(evaluation.baseline)] if evaluation.baseline else [],
        confusions=most_frequent_confusions(evaluation, count=10) if many else [],
    )
    with replacing(path) as file:
        file.write(page.encode("utf-8"))


def _inlined(svg: str, name: str) -> str:
    """An SVG element that shares a page: its colours follow the page's, its ids are its own."""
    for color, variable in CSS_COLORS.items():
        svg = svg.replace(f": {color}", f": {variable}")
    return re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", svg)
