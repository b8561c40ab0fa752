"""Traces and attributions as plain records, for JSON; the names are those of Python."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textrnn.inspection.attribution import Attribution
from textrnn.inspection.reading import Token
from textrnn.inspection.remembering import Memory
from textrnn.inspection.tracing import DirectionTrace, Trace
from textrnn.labels import Label


def inspection_record(text: str, traced: Trace, attribution: Attribution, memories: Sequence[Memory]) -> dict[str, Any]:
    """All numbers of one text."""
    return {
        "text": text,
        **trace_record(traced),
        "attribution": attribution_record(attribution),
        "half_lives": [
            {
                "member": one.member,
                "layer": one.layer,
                "direction": one.direction,
                "half_lives": numbers(one.half_lives),
            }
            for one in memories
        ],
    }


def trace_record(traced: Trace) -> dict[str, Any]:
    """States, gates and answers; arrays as nested lists, time first."""
    return {
        "labels": label_names(traced),
        "predicted": traced.predicted,
        "probabilities": numbers(traced.probabilities),
        "logits": numbers(traced.logits),
        "tokens": [token_record(token) for token in traced.tokens],
        "cut_off": traced.reading.cut_off,
        "before": numbers(traced.before),
        "running": numbers(traced.running),
        "moves": numbers(traced.moves),
        "pooled_so_far": numbers(traced.pooled_so_far),
        "members": [
            {
                "logits": numbers(member.logits),
                "pooled": numbers(member.pooled),
                "layers": [
                    {direction.direction: direction_record(direction) for direction in layer} for layer in member.layers
                ],
            }
            for member in traced.members
        ],
    }


def direction_record(direction: DirectionTrace) -> dict[str, Any]:
    """One direction of one layer."""
    record: dict[str, Any] = {"states": numbers(direction.states)}
    record["gates"] = {name: numbers(gate) for name, gate in direction.gates.items()}
    if direction.memory is not None:
        record["memory"] = numbers(direction.memory)
    return record


def attribution_record(attribution: Attribution) -> dict[str, Any]:
    """Scores by token and output, and what is left over."""
    return {
        "method": attribution.method,
        "tokens": [token_record(token) for token in attribution.tokens],
        "scores": numbers(attribution.scores),
        "bias": numbers(attribution.bias),
        "padding": numbers(attribution.padding),
        "logits": numbers(attribution.logits),
        "exact": attribution.exact,
        "error": attribution.error,
    }


def token_record(token: Token) -> dict[str, Any]:
    """A token and what the model knows of it."""
    return token._asdict()


def label_names(traced: Trace) -> list[Label]:
    """Those of the columns of the answers."""
    return list(traced.networks.header.labels) or ["value"]


def numbers(values: NDArray[np.floating]) -> Any:
    """Nested lists; what is not finite is null, which JSON has no number for."""
    if np.isfinite(values).all():
        return values.tolist()
    return _replaced(values.tolist())


def _replaced(values: Any) -> Any:
    if isinstance(values, list):
        return [_replaced(value) for value in values]
    return values if math.isfinite(values) else None
