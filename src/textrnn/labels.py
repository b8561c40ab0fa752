"""What a label may be, and in which order labels are listed."""

from collections.abc import Iterable
from typing import Any

Label = str | int
"""A label as it stands in the data: a string, or an integer where the source has integers (JSON, Parquet, Python)."""

AnyLabel = Label | tuple[Label, ...] | float
"""What stands beside a text, whatever is to be predicted: a label, several, or a number."""


def as_label(value: Any) -> Label:
    """`value` as a label: NumPy's strings and integers become Python's, nothing else is converted.

    Raises:
        ValueError: `value` is missing, empty, neither a string nor an integer, or holds half of a surrogate pair (as
                    a folder's name does that is not UTF-8); the message says what it is.
    """
    if isinstance(value, str):
        if not value.strip():
            raise ValueError("the label is empty")
        try:
            value.encode()
        except UnicodeEncodeError as error:  # refused here, before the training: no file can store it
            code_point = f"U+{ord(value[error.start]):04X}"
            raise ValueError(f"the label holds {code_point}, half of a surrogate pair") from error
        return str(value)
    if value is None or (isinstance(value, float) and value != value) or type(value).__name__ == "NAType":
        raise ValueError("the label is missing")
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if type(value).__module__ == "numpy" and getattr(value.dtype, "kind", "") in "iu":
        return int(value)
    raise ValueError(f"the label {value!r} is of type {type(value).__name__}, expected a string or an integer")


def ordered(labels: Iterable[Label]) -> list[Label]:
    """The distinct labels in their listing order: by number where all are whole numbers, else alphabetically.

    Raises:
        ValueError: strings and integers are mixed, so that 1 and "1" could be taken for each other.
    """
    distinct = set(labels)
    if len({type(label) for label in distinct}) > 1:
        text = next(label for label in distinct if isinstance(label, str))
        number = next(label for label in distinct if isinstance(label, int))
        raise ValueError(f"labels mix strings ({text!r}) and integers ({number!r}), expected one kind")
    try:
        return sorted(distinct, key=lambda label: (int(label), str(label)))
    except ValueError:
        return sorted(distinct, key=str)
