"""Where settings are searched: ranges around what published recurrent classifiers use. `docs/tuning.md` is the table.

A setting that the user has chosen is not searched. Every range is widened to hold the recipe's default, so that the
defaults are a point of the space and can be its first trial.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

from textrnn.config import CELLS_WITHOUT_RECURRENT_WEIGHT, Recipe, setting_sections
from textrnn.settings import Config, choices, kinds

if TYPE_CHECKING:
    from optuna.distributions import CategoricalChoiceType
    from optuna.trial import Trial


class Range(NamedTuple):
    """Numbers from `low` to `high`, both included."""

    low: float
    high: float
    log: bool = False
    """Whether factors count instead of differences."""


SPACE: dict[str, Range | None] = {
    "cell": None,
    "layers": Range(1, 2),
    "bidirectional": None,
    "embedding_size": Range(32, 256, log=True),
    "hidden_size": Range(32, 256, log=True),
    "pooling": None,
    "max_length": Range(64, 512, log=True),
    "min_count": Range(1, 5),
    "epochs": Range(3, 30, log=True),
    "batch_size": Range(8, 128, log=True),
    "learning_rate": Range(3e-4, 1e-2, log=True),
    "schedule": None,
    "weight_decay": Range(1e-3, 0.3, log=True),
    "dropout": Range(0.0, 0.7),
    "word_dropout": Range(0.0, 0.4),
    "recurrent_dropout": Range(0.0, 0.4),
}
"""Range of each setting that is searched; None: all its values. Whole numbers where the setting has these."""


class Dimension(NamedTuple):
    """One setting with all that may become of it."""

    name: str
    default: Any
    values: tuple[Any, ...]
    """Of settings that are no numbers."""
    range: Range
    """Of numbers."""

    def suggest(self, trial: "Trial") -> Any:
        """A value, by the trial's sampler."""
        if self.values:
            listed: list[CategoricalChoiceType] = list(self.values)
            return trial.suggest_categorical(self.name, listed)
        low, high, log = self.range
        if isinstance(self.default, int):
            return trial.suggest_int(self.name, int(low), int(high), log=log)
        return trial.suggest_float(self.name, low, high, log=log)


def dimensions(fixed: dict[str, Any], given: dict[str, Any]) -> list[Dimension]:
    """What is searched, given the settings that are fixed, and others that are where the search begins."""
    defaults = Recipe.from_settings(**given | fixed).settings()
    return [
        _dimension(name, space, defaults[name])
        for name, space in SPACE.items()
        if name not in fixed and not (name == "recurrent_dropout" and not _has_recurrent_weight(fixed))
    ]


def _dimension(name: str, space: Range | None, default: Any) -> Dimension:
    if space is None:
        config: type[Config] = type(getattr(Recipe(), setting_sections()[name]))
        kind = kinds(config)[name]
        return Dimension(name, default, choices(kind) or (False, True), Range(0, 0))
    low, high = min(space.low, default), max(space.high, default)
    return Dimension(name, default, (), Range(low, high, space.log and low > 0))


def _has_recurrent_weight(settings: dict[str, Any]) -> bool:
    return settings.get("cell") not in CELLS_WITHOUT_RECURRENT_WEIGHT


def suggest(trial: "Trial", space: list[Dimension]) -> dict[str, Any]:
    """The settings of a trial; dropout of recurrent weights is asked for only where a cell has these."""
    chosen: dict[str, Any] = {}
    for dimension in space:
        if dimension.name != "recurrent_dropout" or _has_recurrent_weight(chosen):
            chosen[dimension.name] = dimension.suggest(trial)
    return chosen


def default_point(space: list[Dimension]) -> dict[str, Any]:
    """The recipe's defaults as a point of the space."""
    point = {dimension.name: dimension.default for dimension in space}
    if not _has_recurrent_weight(point):
        point.pop("recurrent_dropout", None)
    return point


def described(space: list[Dimension]) -> dict[str, list[Any]]:
    """The space as JSON can hold it, to compare with that of a study."""
    return {name: [default, list(values), list(limits)] for name, default, values, limits in space}
