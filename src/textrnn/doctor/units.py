"""Checks of the recurrent cells: units that never move, gates that never change, memory that fades or explodes."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from textrnn.doctor.activity import HIGH, LOW, Activity, Place, cells_of
from textrnn.doctor.finding import Finding, percent
from textrnn.inspection import Networks
from textrnn.inspection.parameters import radii_of_cell

STILL = 1e-3
"""A unit whose state moves by less over all texts is dead: it adds a constant to the scores."""
MANY_DEAD = 0.1
MOSTLY_SATURATED = 0.5
STUCK = 0.95
"""A unit whose gate is beyond the same bound at more of the steps is stuck."""
MANY_STUCK = 0.25
EXPLODING = 1.05
"""Of the spectral radius of a network with relu, whose state nothing bounds."""


def dead_units(found: dict[Place, Activity]) -> Iterator[Finding]:
    """Units that never move over the data."""
    dead = {place: np.flatnonzero(seen.ranges < STILL).tolist() for place, seen in found.items() if seen.steps}
    units = sum(len(found[place].ranges) for place in dead)
    count = sum(map(len, dead.values()))
    numbers: dict[str, Any] = {
        "units": units,
        "dead": count,
        "share": count / max(1, units),
        "where": {str(place): which for place, which in dead.items() if which},
    }
    if not units:
        yield Finding(check="dead units", severity="note", message="No text has a step to look at.", numbers=numbers)
    elif not count:
        yield Finding(check="dead units", severity="fine", message=f"All {units} units move.", numbers=numbers)
    else:
        worst = max(dead, key=lambda place: len(dead[place]))
        yield Finding(
            check="dead units",
            severity="warning" if count / units >= MANY_DEAD else "note",
            message=f"{count} of {units} units ({percent(count / units)}) never move by more than {STILL:g} over the "
            f"texts; most of them ({len(dead[worst])}) in {worst}.",
            advice="They add a constant and cost time. Train with a smaller hidden_size; if there are many, lower "
            "learning_rate, and with cell 'elman_relu' use 'gru' instead, whose units cannot die at zero.",
            numbers=numbers,
        )


def saturated_gates(found: dict[Place, Activity]) -> Iterator[Finding]:
    """Gates that are open or shut nearly all the time."""
    gates = [gate for gate in next(iter(found.values())).high]
    if not gates:
        yield _saturated_states(found)
    for gate in gates:
        steps = sum(seen.steps * len(seen.ranges) for seen in found.values())
        if not steps:
            continue
        high = sum(int(seen.high[gate].sum()) for seen in found.values()) / steps
        low = sum(int(seen.low[gate].sum()) for seen in found.values()) / steps
        stuck = {str(place): which for place, seen in found.items() if (which := _stuck(seen, gate))}
        count = sum(map(len, stuck.values()))
        units = sum(len(seen.ranges) for seen in found.values())
        numbers = {"gate": gate, "above": high, "below": low, "units": units, "stuck": count, "where": stuck}
        bad = high + low > MOSTLY_SATURATED or count / units > MANY_STUCK
        share = f"{percent(high)} of its steps are above {HIGH}, {percent(low)} below {LOW}"
        stays = f"; {count} of {units} units stay there at more than {percent(STUCK)} of the steps" if count else ""
        yield Finding(
            check="saturated gates",
            severity="warning" if bad else "fine",
            message=f"The gate '{gate}': {share}{stays}.",
            advice="A gate that is always open or shut learns hardly more. Lower learning_rate, or raise weight_decay "
            "and dropout; if the cell needs no such gate, a smaller one ('mingru') does the same."
            if bad
            else "",
            numbers=numbers,
        )


def _stuck(seen: Activity, gate: str) -> list[int]:
    most = np.maximum(seen.high[gate], seen.low[gate])
    return np.flatnonzero(most > STUCK * seen.steps).tolist() if seen.steps else []


def _saturated_states(found: dict[Place, Activity]) -> Finding:
    """The vanilla network has no gates; its states take their place."""
    steps = sum(seen.steps * len(seen.ranges) for seen in found.values())
    share = sum(int(seen.loud.sum()) for seen in found.values()) / max(1, steps)
    bad = share > MOSTLY_SATURATED
    return Finding(
        check="saturated gates",
        severity="warning" if bad else "fine",
        message=f"This cell has no gates; {percent(share)} of its states lie beyond ±{HIGH}.",
        advice="States at their bounds pass hardly any gradient. Lower learning_rate or raise weight_decay."
        if bad
        else "",
        numbers={"gate": None, "beyond": share},
    )


def spectral_radius(networks: Networks) -> Iterator[Finding]:
    """The largest |eigenvalue| of every recurrent weight, block by block of its gates."""
    cell = networks.header.model.cell
    radii = {str(place): found for place, one in cells_of(networks) if (found := radii_of_cell(one))}
    if not radii:
        yield Finding(
            check="spectral radius",
            severity="fine",
            message=f"Cell '{cell}' has no recurrent weight: what it forgets is decided by its gates alone.",
        )
        return
    content = next(name for name in ("candidate", "proposal") if name in next(iter(radii.values())))
    largest = max(row[content] for row in radii.values())
    smallest = min(row[content] for row in radii.values())
    between = f"{smallest:.2f}" if smallest == largest else f"{smallest:.2f} to {largest:.2f}"
    exploding = cell == "elman_relu" and largest > EXPLODING
    fading = cell in ("elman", "elman_relu") and largest < 0.5
    meaning = {
        (True, False): "; above 1 a state that nothing bounds grows from step to step",
        (False, True): f"; what was read fades by at least half every step, to 1 % in {_steps_to_fade(largest)} steps",
    }.get((exploding, fading), "")
    yield Finding(
        check="spectral radius",
        severity="warning" if exploding or fading else "fine",
        message=f"The recurrent weight of the {content} has the spectral radius {between}{meaning}.",
        advice="Lower max_gradient_norm and learning_rate, or use cell 'gru'."
        if exploding
        else "Use initialization 'orthogonal' and a cell with gates ('gru', 'lstm') where far words matter."
        if fading
        else "",
        numbers={"radii": radii},
    )


def _steps_to_fade(radius: float) -> int:
    return 1 if radius <= 0.01 else int(np.ceil(np.log(0.01) / np.log(radius)))
