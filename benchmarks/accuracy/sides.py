"""All sides by name, in the order of the table's columns."""

from benchmarks.accuracy import bilstm, fast_text, linear, ours
from benchmarks.accuracy.side import Side

SIDES: dict[str, Side] = {
    side.name: side for side in (*ours.SIDES[:3], *fast_text.SIDES, *linear.SIDES, *bilstm.SIDES, *ours.SIDES[3:])
}
