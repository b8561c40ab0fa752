"""Measurements as tables of Markdown."""

from collections.abc import Iterable, Sequence
from typing import Any

Row = dict[str, Any]


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def number(value: float) -> str:
    """Three digits that count."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def speed_table(rows: list[Row], ours: str) -> str:
    cells = []
    for row in rows:
        speeds = row["tokens per second"]
        for side, speed in speeds.items():
            ratio = "" if side == ours else f"{speeds[ours] / speed:.2f}"
            cells.append([row["set"], side, f"{speed:,.0f}", ratio])
    return table(["set", "side", "tokens/s", "textrnn is faster by"], cells)


def ratio_table(rows: list[Row]) -> str:
    """One line for each row and peer: the speed of both, their ratio and what it was to reach."""
    lines = []
    for row in rows:
        ours = next(side for side in row["seconds"] if side not in row["times faster"])
        for side, ratio in row["times faster"].items():
            if "tokens per second" in row:
                speeds = [f"{row['tokens per second'][one] / 1e3:,.0f} k/s" for one in (ours, side)]
            else:
                speeds = [f"{1e6 * row['seconds'][one]:,.0f} us" for one in (ours, side)]
            aim = row["to reach"].get(side, row["to reach"].get("the best"))
            # More threads spend much of it waiting for each other.
            processor = number(row["times less processor time"][side]) if row["threads"] == 1 else ""
            cells = [row["work"], row["cell"], str(row["threads"]), side, *speeds, number(ratio), processor]
            limit = row.get("at most", {}).get(side)
            lines.append([*cells, "" if limit is None else number(limit), "" if aim is None else f"{aim:g}"])
    header = "work | cell | threads | against | textrnn | the other | times faster | by processor time | at most | aim"
    return table(header.split(" | "), lines)


def peak_table(rows: list[Row]) -> str:
    header = ["work", "cell", "threads", "products, GF/s", "measured peak, GF/s", "share %"]
    lines = []
    for row in rows:
        done, peak = (f"{row[what] / 1e9:,.0f}" for what in ("operations per second", "peak"))
        share = f"{100 * row['share of peak']:.0f}"
        lines.append([row["work"], row["cell"], str(row["threads"]), done, peak, share])
    return table(header, lines)


def side_table(sides: dict[str, float], unit: str) -> str:
    """One number a side."""
    return table(["side", unit], [[side, number(value)] for side, value in sides.items()])


def learning_table(rows: list[Row]) -> str:
    lines = []
    for row in rows:
        ours, theirs = (row["processor seconds"][side] for side in ("textrnn", "LIBLINEAR"))
        sizes = [f"{row[name]:,}" for name in ("problems", "n-grams", "numbers")]
        lines.append([row["set"], *sizes, f"{ours:.1f}", f"{theirs:.1f}", f"{theirs / ours:.1f}"])
    header = "set | linear models | n-grams | numbers in the matrix | textrnn, s | LIBLINEAR, s | times faster"
    return table(header.split(" | "), lines)


def whole_table(rows: list[Row]) -> str:
    lines = []
    for row in rows:
        told, seconds = row["seconds told beforehand"], row["seconds"]
        figures = [f"{value:.0f}" for value in (told, *seconds.values(), row["processor seconds"]["textrnn"])]
        lines.append([row["set"], f"{row['texts']:,}", *figures])
    header = ["set", "texts", "told beforehand, s", *(f"{side}, s" for side in rows[0]["seconds"])]
    return table([*header, "textrnn, processor s"], lines)


def optimizer_table(rows: list[Row]) -> str:
    lines = []
    for row in rows:
        in_turns, alone = row["milliseconds a step, in turns"], row["milliseconds a step, alone"]
        ours = next(side for side in in_turns if side.startswith("textrnn"))
        for side in in_turns:
            ratios = f"{in_turns[side] / in_turns[ours]:.1f}, {alone[side] / alone[ours]:.1f}"
            figures = [f"{times[side]:.2f}" for times in (in_turns, alone)]
            lines.append([f"{row['rows']:,}", side, *figures, "" if side == ours else ratios])
    header = "rows with a gradient | side | in turns, ms a step | alone, ms a step | textrnn is faster by"
    return table(header.split(" | "), lines)
