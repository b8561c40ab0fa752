"""Accuracy against training time, a panel for each row."""

from pathlib import Path
from typing import Any

from benchmarks.accuracy.results import Result, read
from benchmarks.accuracy.sets import ROWS
from benchmarks.accuracy.sides import SIDES
from benchmarks.accuracy.table import OURS, cells
from textrnn.evaluation.style import ACCENT, new_figure, rendered, style

COLUMNS = 3
MARKERS = "o^vsDPX*<>"
COLORS = ["#d97706", "#b45309", "#059669", "#0f766e", "#7c3aed", "#64748b"]


def draw(path: Path, results: list[Result] | None = None) -> None:
    """An SVG of all rows that were measured; none where nothing was."""
    results = read() if results is None else results
    rows = [row for row in ROWS.values() if cells(row, results)]
    if not rows:
        return
    others = [side for side in SIDES if side not in OURS]
    looks = {side: (ACCENT, MARKERS[i]) for i, side in enumerate(OURS)}
    looks |= {side: (COLORS[i % len(COLORS)], MARKERS[3 + i]) for i, side in enumerate(others)}
    with style():
        height = -(-len(rows) // COLUMNS)
        figure = new_figure(10, 2.5 * height + 0.6)
        shown = {}
        for position, row in enumerate(rows, start=1):
            axes = figure.add_subplot(height, COLUMNS, position)
            for cell in cells(row, results):
                color, marker = looks[cell.side]
                shown[cell.side] = axes.errorbar(
                    cell.mean("processor seconds"),
                    100 * cell.value,
                    yerr=None if cell.spread is None else 100 * cell.spread,
                    color=color,
                    marker=marker,
                    markersize=6,
                    linestyle="none",
                    elinewidth=1,
                )
            axes.set_xscale("log")
            axes.set_title(row.name)
            axes.set_ylabel(f"{row.metric_shown} %")
            axes.set_xlabel("training, seconds of one core")
            axes.grid(True)
            axes.margins(0.15)
        sides = [side for side in SIDES if side in shown]
        handles: list[Any] = [shown[side] for side in sides]  # matplotlib's own types refuse error bars
        figure.legend(handles, sides, loc="outside lower center", ncols=4)
        data = rendered(figure, "svg")
    path.write_bytes(data)
