"""textrnn: train a text classifier that you can see through, at bag-of-words speed.

    classifier = textrnn.train("reviews.csv", text="review", label="stars")
    classifier.predict("not bad at all")
    classifier.save("reviews.textrnn")
    classifier = textrnn.load("reviews.textrnn")     # PyTorch is not imported

The names below are resolved when they are first used, so that `import textrnn` and `load` never import PyTorch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from textrnn.version import __version__

if TYPE_CHECKING:
    from textrnn.errors import (
        CheckpointError,
        ConfigError,
        DataError,
        MissingDependencyError,
        ModelFileError,
        OutputError,
        TextRNNError,
    )
    from textrnn.runtime import Classifier, Prediction, Stream, load
    from textrnn.runtime.choosing import Threshold, choose_threshold, with_threshold
    from textrnn.runtime.comparing import compare
    from textrnn.studies import learning_curve, suspects
    from textrnn.training import pretrain, train
    from textrnn.tuning import tune

_HOMES = {
    "CheckpointError": "textrnn.errors",
    "Classifier": "textrnn.runtime",
    "ConfigError": "textrnn.errors",
    "DataError": "textrnn.errors",
    "MissingDependencyError": "textrnn.errors",
    "ModelFileError": "textrnn.errors",
    "OutputError": "textrnn.errors",
    "Prediction": "textrnn.runtime",
    "Stream": "textrnn.runtime",
    "TextRNNError": "textrnn.errors",
    "Threshold": "textrnn.runtime.choosing",
    "choose_threshold": "textrnn.runtime.choosing",
    "compare": "textrnn.runtime.comparing",
    "learning_curve": "textrnn.studies",
    "load": "textrnn.runtime",
    "pretrain": "textrnn.training",
    "suspects": "textrnn.studies",
    "train": "textrnn.training",
    "tune": "textrnn.tuning",
    "with_threshold": "textrnn.runtime.choosing",
}

__all__ = [
    "CheckpointError",
    "Classifier",
    "ConfigError",
    "DataError",
    "MissingDependencyError",
    "ModelFileError",
    "OutputError",
    "Prediction",
    "Stream",
    "TextRNNError",
    "Threshold",
    "__version__",
    "choose_threshold",
    "compare",
    "learning_curve",
    "load",
    "pretrain",
    "suspects",
    "train",
    "tune",
    "with_threshold",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'textrnn' has no attribute {name!r}")
    if name in ("pretrain", "train", "tune"):
        from textrnn.files import require

        require("torch", extra="train", purpose="training")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
