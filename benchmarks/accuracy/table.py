"""The results as tables: who is ahead, by how much, and what it costs."""

import math
from collections.abc import Sequence
from functools import cache
from statistics import mean, stdev
from typing import NamedTuple

from benchmarks.accuracy.results import Result, conditions, find, read
from benchmarks.accuracy.sets import ROWS, Row
from benchmarks.accuracy.sides import SIDES
from benchmarks.tables import number, table

OURS = ("textrnn", "textrnn, quick", "textrnn, best")


class Cell(NamedTuple):
    """What one side reached on one row."""

    side: str
    results: list[Result]
    value: float
    """Mean of the row's metric over the seeds, 0 to 1."""
    spread: float | None
    """Standard deviation over the seeds; None with one seed."""
    outdated: bool
    """Whether one of the results belongs to older code or settings."""

    def mean(self, what: str) -> float:
        return float(mean(result[what] for result in self.results))


@cache
def current(side: str, row: str) -> Result:
    return conditions(SIDES[side], ROWS[row])


def cells(row: Row, results: list[Result]) -> list[Cell]:
    """The sides that were measured on a row."""
    found = []
    for side in SIDES:
        if some := find(results, row.name, side):
            values = [result[row.metric] for result in some]
            now = current(side, row.name)
            outdated = any(result[key] != now[key] for result in some for key in now)
            spread = stdev(values) if len(values) > 1 else None
            found.append(Cell(side, some, mean(values), spread, outdated))
    return found


def overview(results: list[Result] | None = None) -> str:
    """One line a row; the highest figure is bold."""
    results = read() if results is None else results
    measured = [side for side in SIDES if any(result["side"] == side for result in results)]
    lines = []
    for row in ROWS.values():
        by_side = {cell.side: cell for cell in cells(row, results)}
        best = max((round(cell.value, 3) for cell in by_side.values()), default=None)
        shown = [_shown(by_side.get(side), best) for side in measured]
        lines.append([f"{row.name}, {row.metric_shown}", *shown, verdict(list(by_side.values()))])
    return table(["set, metric in %", *measured, "the defaults are"], lines)


def _shown(cell: Cell | None, best: float | None) -> str:
    if cell is None:
        return "–"
    text = f"{100 * cell.value:.1f}"
    text = f"**{text}**" if round(cell.value, 3) == best else text
    text += "" if cell.spread is None else f" ± {100 * cell.spread:.1f}"
    return text + (" †" if cell.outdated else "")


def verdict(row: Sequence[Cell]) -> str:
    """Our defaults against the best of the others, with what chance can do to the difference."""
    ours = next((cell for cell in row if cell.side == "textrnn"), None)
    peers = [cell for cell in row if cell.side not in OURS]
    if ours is None:
        return "not measured yet"
    if not peers:
        return "alone"
    best = max(peers, key=lambda cell: cell.value)
    difference = 100 * (ours.value - best.value)
    what = "ahead of" if difference > 0 else "behind"
    return f"{what} {best.side} by {abs(difference):.1f} (± {100 * chance(ours, best):.1f} by chance)"


def chance(one: Cell, other: Cell) -> float:
    """Half of the 95 % interval of a difference of two shares on as many texts, as if drawn independently.

    That is wider than a test on pairs would have it, because both sides fail on the same hard texts. For F1 it is a
    rough guide.
    """
    texts = one.results[0]["test texts"]
    variance = sum(cell.value * (1 - cell.value) / texts for cell in (one, other))
    return 1.96 * math.sqrt(variance)


def details(results: list[Result] | None = None) -> str:
    """One line for each side of each row."""
    results = read() if results is None else results
    lines = []
    for row in ROWS.values():
        for cell in cells(row, results):
            lines.append(
                [
                    row.name,
                    cell.side + (" †" if cell.outdated else ""),
                    str(len(cell.results)),
                    f"{100 * cell.mean('accuracy'):.1f}",
                    f"{100 * cell.mean('macro_f1'):.1f}",
                    number(cell.mean("seconds")),
                    number(cell.mean("processor seconds")),
                    number(cell.mean("bytes") / 1e6),
                    f"{cell.mean('texts per second'):,.0f}",
                ]
            )
    header = "set | side | seeds | accuracy % | macro-F1 % | training s | processor s | model MB | texts/s"
    return table(header.split(" | "), lines)
