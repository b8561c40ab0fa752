"""Which column holds the text and which the label: named by the caller or known by its name, never
guessed."""

import difflib
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from textrnn.errors import DataError
from textrnn.labels import AnyLabel, as_label

TEXT_NAMES = frozenset(
    (
        *(
            "text",
            "texts",
            "review",
            "reviews",
            "sentence",
            "content",
            "comment",
            "message",
            "document",
            "tweet",
        ),
        *("question", "query", "utterance", "body", "post", "description", "phrase", "headline"),
    )
)
LABEL_NAMES = frozenset(
    (
        *("label", "labels", "class", "category", "target", "sentiment", "stars", "star", "rating", "score"),
        *("intent", "polarity", "topic", "tag", "emotion"),
    )
)


class Wanted(NamedTuple):
    """What a caller says about the columns and what stands there."""

    text: str | None = None
    """Name of the text's column; None: recognise it."""
    label: str | None = None
    """Name of the label's column; None: recognise it where a label is needed."""
    need_label: bool = True
    read_label: Callable[[Any], AnyLabel] = as_label
    """A label from what stands in its place; raises ValueError with a sentence."""


def choose_columns(
    names: Sequence[str],
    wanted: Wanted,
    *,
    path: str | None = None,
    line: int | None = None,
    advice: str = "pass --text and --label",
) -> tuple[int, int | None]:
    """Positions of the text's and the label's column; the latter is None where no label is needed or named.

    A column is taken if it is named, if it is the only one with a known name (`TEXT_NAMES`, `LABEL_NAMES`,
    whatever the case), or if there are two columns and the other one is taken. Where no label is needed and
    there is one column, it is the text.

    Raises:
        DataError: a named column is missing, two columns have one name, or the choice is not certain; the
            message lists the columns and names the nearest one, or ends in `advice`.
    """

    def refuse(message: str) -> DataError:
        return DataError(message, path=path, line=line)

    repeated = [name for name, count in Counter(names).items() if count > 1 and name]  # "" only pads a header
    if repeated:
        raise refuse(f"two columns have the name {repeated[0]!r}, expected different names")
    text = _named(names, wanted.text, refuse)
    label = _named(names, wanted.label, refuse)
    if text is not None and text == label:
        raise refuse(f"text and label are both the column {names[text]!r}, expected two columns")

    if text is None:
        text = _recognised(names, TEXT_NAMES, other=label)
    known_label = label if label is not None else _recognised(names, LABEL_NAMES, other=text)
    if text is None and len(names) == 2 and known_label is not None:
        text = 1 - known_label
    if text is None and len(names) == 1 and not wanted.need_label:
        text = 0
    if label is None and wanted.need_label:
        label = 1 - text if known_label is None and text is not None and len(names) == 2 else known_label
    if text is not None and (label is not None or not wanted.need_label):
        return text, label

    missing = "text" if text is None else "label"
    if len(names) == 1 and (separators := [mark for mark in ";\t|," if mark in names[0]]):
        hint = f"the columns seem to be separated by {separators[0]!r}"
    elif len(names) == 1 and wanted.need_label:
        hint = "expected two columns, text and label"
    else:
        hint = advice
    raise refuse(f"cannot tell which column is the {missing}: found {listed(names)}; {hint}")


def listed(names: Sequence[str], limit: int = 20) -> str:
    """Names for a message, each shortened to 40 characters, at most `limit` of them."""
    shown = [repr(name if len(name) <= 40 else name[:39] + "…") for name in names[:limit]]
    return ", ".join(shown) + (f", … ({len(names)} in all)" if len(names) > limit else "")


def _named(names: Sequence[str], name: str | None, refuse: Callable[[str], DataError]) -> int | None:
    if name is None:
        return None
    if name in names:
        return names.index(name)
    by_lower_case = {other.strip().lower(): other for other in names}
    near = difflib.get_close_matches(name.strip().lower(), by_lower_case, n=1)
    hint = f"; did you mean {by_lower_case[near[0]]!r}?" if near else ""
    raise refuse(f"there is no column {name!r}, found {listed(names)}{hint}")


def _recognised(names: Sequence[str], known: frozenset[str], other: int | None) -> int | None:
    """The only column with a known name, `other` left aside."""
    found = [position for position, name in enumerate(names) if name.strip().lower() in known and position != other]
    return found[0] if len(found) == 1 else None
