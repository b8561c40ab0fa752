"""Looking inside a trained classifier: what it computes, why it decides, how it learns, what it learned.

The names are resolved when they are first used, since all of it runs on the readable cells, in PyTorch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textrnn.inspection.attribution import Attribution, contrast
    from textrnn.inspection.behaviour import Behaviour, Case, falls, invariance, minimum_functionality, suite
    from textrnn.inspection.embeddings import EmbeddingMap, embedding_map, neighbours
    from textrnn.inspection.faithfulness import Deletion, deletion
    from textrnn.inspection.flow import Flow, gradient_flow
    from textrnn.inspection.gradients import gradient_input, integrated_gradients
    from textrnn.inspection.hiding import occlusion
    from textrnn.inspection.linear_split import recurrence
    from textrnn.inspection.networks import Networks
    from textrnn.inspection.parameters import Norms, parameter_norms, spectral_radii
    from textrnn.inspection.pooling_shares import shares
    from textrnn.inspection.reading import Reading, Token, read_text
    from textrnn.inspection.remembering import Memory, memory
    from textrnn.inspection.tracing import DirectionTrace, MemberTrace, Trace, trace
    from textrnn.inspection.unit_words import Moment, Unit, units
    from textrnn.inspection.why import METHODS, attribute

_HOMES = {
    "Attribution": "attribution",
    "Behaviour": "behaviour",
    "Case": "behaviour",
    "Deletion": "faithfulness",
    "DirectionTrace": "tracing",
    "EmbeddingMap": "embeddings",
    "Flow": "flow",
    "METHODS": "why",
    "MemberTrace": "tracing",
    "Memory": "remembering",
    "Moment": "unit_words",
    "Networks": "networks",
    "Norms": "parameters",
    "Reading": "reading",
    "Token": "reading",
    "Trace": "tracing",
    "Unit": "unit_words",
    "attribute": "why",
    "contrast": "attribution",
    "deletion": "faithfulness",
    "embedding_map": "embeddings",
    "falls": "behaviour",
    "gradient_flow": "flow",
    "gradient_input": "gradients",
    "integrated_gradients": "gradients",
    "invariance": "behaviour",
    "memory": "remembering",
    "minimum_functionality": "behaviour",
    "neighbours": "embeddings",
    "occlusion": "hiding",
    "parameter_norms": "parameters",
    "read_text": "reading",
    "recurrence": "linear_split",
    "shares": "pooling_shares",
    "spectral_radii": "parameters",
    "suite": "behaviour",
    "trace": "tracing",
    "units": "unit_words",
}

__all__ = [
    "METHODS",
    "Attribution",
    "Behaviour",
    "Case",
    "Deletion",
    "DirectionTrace",
    "EmbeddingMap",
    "Flow",
    "MemberTrace",
    "Memory",
    "Moment",
    "Networks",
    "Norms",
    "Reading",
    "Token",
    "Trace",
    "Unit",
    "attribute",
    "contrast",
    "deletion",
    "embedding_map",
    "falls",
    "gradient_flow",
    "gradient_input",
    "integrated_gradients",
    "invariance",
    "memory",
    "minimum_functionality",
    "neighbours",
    "occlusion",
    "parameter_norms",
    "read_text",
    "recurrence",
    "shares",
    "spectral_radii",
    "suite",
    "trace",
    "units",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'textrnn.inspection' has no attribute {name!r}")
    from textrnn.files import require

    require("torch", extra="train", purpose="inspection")
    return getattr(import_module(f"textrnn.inspection.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
