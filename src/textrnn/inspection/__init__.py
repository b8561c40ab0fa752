"""Looking inside a trained classifier: what it computes, why it decides, how it learns, what it learned.

The names are resolved when they are first used, since all of it runs on the readable cells, in PyTorch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textrnn.inspection.attribution import Attribution, contrast
    from textrnn.inspection.embeddings import EmbeddingMap, embedding_map, neighbours
    from textrnn.inspection.gradients import gradient_input, integrated_gradients
    from textrnn.inspection.networks import Networks
    from textrnn.inspection.occlusion import occlusion
    from textrnn.inspection.reading import Reading, Token, read_text
    from textrnn.inspection.recurrence import recurrence
    from textrnn.inspection.shares import shares
    from textrnn.inspection.trace import DirectionTrace, MemberTrace, Trace, trace
    from textrnn.inspection.why import METHODS, attribute

_HOMES = {
    "Attribution": "attribution",
    "DirectionTrace": "trace",
    "EmbeddingMap": "embeddings",
    "METHODS": "why",
    "MemberTrace": "trace",
    "Networks": "networks",
    "Reading": "reading",
    "Token": "reading",
    "Trace": "trace",
    "attribute": "why",
    "contrast": "attribution",
    "embedding_map": "embeddings",
    "gradient_input": "gradients",
    "integrated_gradients": "gradients",
    "neighbours": "embeddings",
    "occlusion": "occlusion",
    "read_text": "reading",
    "recurrence": "recurrence",
    "shares": "shares",
    "trace": "trace",
}

__all__ = [
    "METHODS",
    "Attribution",
    "DirectionTrace",
    "EmbeddingMap",
    "MemberTrace",
    "Networks",
    "Reading",
    "Token",
    "Trace",
    "attribute",
    "contrast",
    "embedding_map",
    "gradient_input",
    "integrated_gradients",
    "neighbours",
    "occlusion",
    "read_text",
    "recurrence",
    "shares",
    "trace",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'textrnn.inspection' has no attribute {name!r}")
    from textrnn.files import require

    require("torch", extra="train", purpose="inspection")
    return getattr(import_module(f"textrnn.inspection.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
