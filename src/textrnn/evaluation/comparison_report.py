"""A comparison as plain text, for readers who are no statisticians, and as JSON."""

import textwrap

import msgspec
from rich.cells import cell_len

from textrnn.evaluation.comparison import Comparison
from textrnn.evaluation.lines import aligned, one_line
from textrnn.evaluation.report import COLUMNS


def comparison_json(comparison: Comparison) -> bytes:
    """Indented JSON, which `msgspec.json.decode(..., type=Comparison)` reads back."""
    return msgspec.json.format(msgspec.json.encode(comparison), indent=2) + b"\n"


def comparison_text(comparison: Comparison) -> str:
    """A report in aligned plain text, at most 100 terminal columns wide."""
    sections = [_summary(comparison), _table(comparison), _verdict(comparison), _disagreements(comparison)]
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def verdict(comparison: Comparison) -> list[str]:
    """What the figures mean, in plain sentences; A is the first model, B the second."""
    difference, level = comparison.difference, f"{100 * comparison.confidence:g} %"
    gained = comparison.only_second - comparison.only_first
    if gained == 0:
        first = "B is right on exactly as many texts as A."
    else:
        texts = "text" if abs(gained) == 1 else "texts"
        first = (
            f"B is right on {abs(gained):,} {texts} {'more' if gained > 0 else 'fewer'} than A "
            f"({100 * difference.value:+.2f} points; {level} interval {100 * difference.low:+.2f} to "
            f"{100 * difference.high:+.2f})."
        )
    form = "exact" if comparison.test == "exact" else f"chi-squared {comparison.statistic:.2f}"
    discordant = comparison.only_first + comparison.only_second
    if discordant == 0:
        return [first, "There is no text on which only one of them is right, so nothing tells them apart."]
    p = comparison.p_value
    p_text = f"p = {p:.4f}" if p >= 0.0001 else "p < 0.0001"
    often = f"in {100 * p:.1f} of 100 such test sets" if p >= 0.001 else "in fewer than 1 of 1,000 such test sets"
    second = f"Were both equally good, chance alone would part them so far {often} (McNemar's test, {form}, {p_text})."
    if p > 1 - comparison.confidence:
        third = "That is no evidence of a difference: more test texts might show one."
    else:
        third = f"So the difference is probably real: {'B' if gained > 0 else 'A'} is the better model on such texts."
    return [first, second, third]


def _verdict(comparison: Comparison) -> list[str]:
    return [line for sentence in verdict(comparison) for line in textwrap.wrap(sentence, COLUMNS)]


def _summary(comparison: Comparison) -> list[str]:
    rows = [
        [
            letter,
            f"{accuracy.value:.4f}",
            f"{accuracy.low:.4f} to {accuracy.high:.4f}",
            one_line(name, 50),
        ]
        for letter, accuracy, name in zip("AB", comparison.accuracy, comparison.names, strict=True)
    ]
    head = ["", "accuracy", f"{100 * comparison.confidence:g} % interval", "model"]
    return [f"{comparison.examples:,} examples", "", *(line.rstrip() for line in aligned([head, *rows], gap=3, left=4))]


def _table(comparison: Comparison) -> list[str]:
    return aligned(
        [
            ["", "B right", "B wrong"],
            ["A right", f"{comparison.both_right:,}", f"{comparison.only_first:,}"],
            ["A wrong", f"{comparison.only_second:,}", f"{comparison.both_wrong:,}"],
        ],
        gap=3,
    )


def _disagreements(comparison: Comparison) -> list[str]:
    if not comparison.disagreements:
        return []
    lines = ["where they differ most (true label; prediction of A and of B, probability of the true label)"]
    for found in comparison.disagreements:
        a, b = (
            f"{one_line(predicted, 20)} {probability:.4f}"
            for predicted, probability in zip(found.predicted, found.probabilities, strict=True)
        )
        head = f"{one_line(found.label, 20)}; A: {a}, B: {b}"
        if found.place is not None:  # a long path loses its beginning, because the line number stands at the end
            head += "   " + one_line(found.place[::-1], COLUMNS - cell_len(head) - 3)[::-1]
        lines += ["", head]
        if found.text is not None:
            lines.append(f"    {one_line(found.text, COLUMNS - 4)}".rstrip())
    return lines
