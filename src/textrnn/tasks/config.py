"""The settings that say what is predicted."""

from typing import Annotated, Literal

from msgspec import Meta

from textrnn.errors import ConfigError
from textrnn.settings import Config


class TaskConfig(Config, frozen=True, kw_only=True):
    """What a label is, and so what is predicted."""

    task: Annotated[
        Literal["single_label", "multi_label", "ordinal", "regression"],
        Meta(
            description="What is predicted: one of several labels (`single_label`), any number of labels "
            "(`multi_label`), one of several levels in their order, such as stars (`ordinal`), or a number "
            "(`regression`)."
        ),
    ] = "single_label"
    label_separator: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=8,
            description="With `multi_label`: what stands between the labels of a text where they are in one column.",
        ),
    ] = "|"
    label_order: Annotated[
        str,
        Meta(
            max_length=100_000,
            description="With `ordinal`: all labels from the lowest to the highest, separated by commas, where they "
            "are not numbers.",
        ),
    ] = ""

    decisions: Annotated[
        Literal["most_probable", "macro_f1"],
        Meta(
            description="With `single_label`: what the predicted class is chosen for. The most probable one makes the "
            "fewest mistakes; `macro_f1` weighs the probabilities so that rare classes are found as well, by the "
            "validation texts."
        ),
    ] = "most_probable"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.label_order and self.task != "ordinal":
            raise ConfigError(f"label_order: expected nothing unless task is 'ordinal', got {self.label_order!r}")
        if self.decisions != "most_probable" and self.task != "single_label":
            raise ConfigError(
                f"decisions: expected 'most_probable' unless task is 'single_label', got {self.decisions!r}"
            )
        levels = self.levels
        if self.label_order and (len(levels) < 2 or len(set(levels)) < len(levels) or not all(levels)):
            raise ConfigError(
                f"label_order: expected at least two different labels separated by commas, got {self.label_order!r}"
            )

    @property
    def levels(self) -> list[str]:
        """The labels of `label_order`."""
        return [label.strip() for label in self.label_order.split(",")] if self.label_order else []
