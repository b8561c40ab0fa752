"""Every way to tell which words decided, in one table behind one signature."""

from collections.abc import Callable

from textrnn.errors import ConfigError
from textrnn.inspection.attribution import Attribution
from textrnn.inspection.gradients import gradient_input, integrated_gradients
from textrnn.inspection.hiding import occlusion
from textrnn.inspection.linear_split import ADDING, recurrence
from textrnn.inspection.networks import Networks
from textrnn.inspection.pooling_shares import shares
from textrnn.inspection.reading import Reading
from textrnn.runtime import Classifier

Method = Callable[[Classifier | Networks, str | Reading], Attribution]

METHODS: dict[str, Method] = {
    "shares": shares,
    "integrated_gradients": integrated_gradients,
    "gradient_input": gradient_input,
    "occlusion": occlusion,
    "recurrence": recurrence,
}
"""Every method by name."""


def methods_for(networks: Networks) -> list[str]:
    """The names of those that this model has."""
    return [name for name in METHODS if name != "recurrence" or networks.header.model.cell in ADDING]


def attribute(model: Classifier | Networks, text: str | Reading, method: str = "shares") -> Attribution:
    """Which tokens the scores of a text come from.

    Args:
        model: a classifier.
        text: as a string.
        method: a name in `METHODS`.

    Raises:
        ConfigError: there is no such method, or not for this cell.
        TypeError: the text is not a string.
    """
    if method not in METHODS:
        raise ConfigError(f"method: expected one of {', '.join(METHODS)}, got {method!r}")
    return METHODS[method](model, text)
