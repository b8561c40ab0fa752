"""An inspected text in a terminal."""

import numpy as np
from numpy.typing import NDArray
from rich.table import Table
from rich.text import Text

from textrnn.evaluation.lines import one_line
from textrnn.inspection.attribution import Attribution, contrast
from textrnn.inspection.records import label_names
from textrnn.inspection.remembering import Memory
from textrnn.inspection.tracing import Trace

LONGEST = 60
"""Tokens of a text of which every one has a line; of longer ones those with the largest scores have one."""
BAR = 8
"""Columns of the bar on each side of its middle."""


def view(traced: Trace, attribution: Attribution, memories: list[Memory], label: int) -> list[Text | Table]:
    """What is printed, one thing after the other."""
    toward = attribution.towards(contrast(traced.networks, label))
    name = one_line(label_names(traced)[label], 40)
    return [
        answer(traced),
        legend(attribution, name),
        coloured(attribution, toward),
        Text(),
        table(traced, attribution, toward, label),
        *notes(traced, attribution, contrast(traced.networks, label)),
        *half_lives(memories),
    ]


def half_lives(memories: list[Memory]) -> list[Text]:
    """How long words are remembered; one line a direction and layer, the networks side by side."""
    lines = []
    for layer, direction in dict.fromkeys((memory.layer, memory.direction) for memory in memories):
        lives = [one.half_life for one in memories if (one.layer, one.direction) == (layer, direction)]
        if any(np.isnan(life) for life in lives):
            return []
        shown = ", ".join("longer than the text" if np.isinf(life) else f"{life:g} tokens" for life in lives)
        place = f"layer {layer + 1}, " if max(memory.layer for memory in memories) else ""
        lines.append(Text(f"a word's influence halves in ({place}{direction.replace('_', ' ')}): {shown}"))
    return lines


def answer(traced: Trace) -> Text:
    """The most probable labels, or the number."""
    header, values = traced.networks.header, traced.probabilities
    if not header.labels:
        return Text(f"value {values[0]:.6g}", style="bold")
    first = [traced.predicted, *(k for k in np.argsort(-values, kind="stable").tolist() if k != traced.predicted)]
    shown = [f"{one_line(header.labels[k], 40)} {values[k]:.4f}" for k in first[:5]]
    more = ", …" if len(first) > 5 else ""
    return Text.assemble((shown[0], "bold"), ("  " + "  ".join(shown[1:]) + more if len(shown) > 1 else ""))


def legend(attribution: Attribution, name: str) -> Text:
    """Method, completeness error and colours."""
    method = attribution.method.replace("_", " ")
    return Text.assemble(
        f"{method}, completeness error {attribution.error:.1e}; ",
        ("for", "black on green"),
        " and ",
        ("against", "white on red"),
        f" {name}",
    )


def coloured(attribution: Attribution, toward: NDArray[np.float64]) -> Text:
    """The words of the text, by how much they speak for the label; unknown ones are underlined."""
    largest = np.abs(toward).max(initial=0.0) or 1.0
    text = Text()
    for token, score in zip(attribution.tokens, toward.tolist(), strict=True):
        style = _colour(score / largest) if token.known or not token.read else f"{_colour(score / largest)} underline"
        text.append(one_line(token.text, 40) or " ", style=style if token.read else f"{style} strike")
        text.append(" ")
    return text


def _colour(strength: float) -> str:
    """Six steps on each side, of 24-bit colours, which terminals without them take for the nearest they have."""
    step = round(5 * min(1.0, abs(strength)))
    if not step:
        return "default"
    pale = 235 - 39 * step
    return f"black on rgb({pale},235,{pale})" if strength > 0 else f"black on rgb(245,{pale},{pale})"


def table(traced: Trace, attribution: Attribution, toward: NDArray[np.float64], label: int) -> Table:
    """One line a token: its score, the running answer after it, and by how much that moved."""
    rows = np.arange(len(toward))
    if len(rows) > LONGEST:
        rows = np.sort(np.argsort(-np.abs(toward), kind="stable")[:LONGEST])
    number = not traced.networks.header.labels
    lines = Table(box=None, pad_edge=False)
    lines.add_column("", justify="right")
    lines.add_column("word")
    lines.add_column("score", justify="right")
    lines.add_column("")
    lines.add_column("value so far" if number else "probability so far", justify="right")
    lines.add_column("moved", justify="right")
    running = np.concatenate([traced.before[None], traced.running])[:, label]
    largest = np.abs(toward).max(initial=0.0) or 1.0
    steps = _steps(attribution)
    for row in rows.tolist():
        token, step = attribution.tokens[row], steps[row]
        word = one_line(token.text, 30) + ("" if token.known else " (unknown)")
        so_far = ("cut off", "") if step < 0 else (f"{running[step + 1]:.4f}", f"{np.diff(running)[step]:+.4f}")
        lines.add_row(str(row + 1), word, f"{toward[row]:+.3f}", _bar(toward[row] / largest), *so_far)
    return lines


def _steps(attribution: Attribution) -> list[int]:
    """At which step the networks read each token; -1: they do not."""
    read = np.array([token.read for token in attribution.tokens], dtype=np.bool_)
    found: list[int] = np.where(read, np.cumsum(read) - 1, -1).tolist()
    return found


def _bar(strength: float) -> Text:
    full = round(BAR * min(1.0, abs(strength)))
    if strength < 0:
        return Text.assemble(" " * (BAR - full), ("█" * full, "red"), "│", " " * BAR)
    return Text.assemble(" " * BAR, "│", ("█" * full, "green"), " " * (BAR - full))


def notes(traced: Trace, attribution: Attribution, direction: NDArray[np.float64]) -> list[Text]:
    """What the parts say, what stands in no line, and what was not read."""
    lines = []
    along = [float(member.logits @ direction) for member in traced.members]
    parts = [f"network {at + 1} {score:+.3f}" for at, score in enumerate(along)]
    if traced.networks.ngrams is not None:
        parts.append(f"n-grams {float(traced.logits @ direction) - sum(along):+.3f}")
    if len(parts) > 1:
        lines.append(Text("parts: " + ", ".join(parts)))
    rest = f"no word: {float(attribution.bias @ direction):+.3f}"
    if attribution.padding.any():
        rest += f", of which the padding {float(attribution.padding @ direction):+.3f}"
    lines.append(Text(rest + f"; all together {float(attribution.logits @ direction):+.3f}"))
    if len(attribution.tokens) > LONGEST:
        lines.append(Text(f"the {LONGEST} largest scores of {len(attribution.tokens)} words are listed"))
    unknown = sum(not token.known for token in traced.tokens)
    if unknown:
        lines.append(Text(f"unknown to the networks: {unknown} of {len(traced.tokens)} words"))
    if traced.reading.cut_off:
        text = traced.networks.header.text
        end = {"head": "end", "tail": "beginning", "both": "middle"}[text.keep]
        reader = " (n-grams read it)" if traced.networks.ngrams is not None else ""
        lines.append(
            Text(
                f"cut off: {traced.reading.cut_off} words in the {end}{reader}, since the networks read "
                f"{text.max_length}"
            )
        )
    return lines
