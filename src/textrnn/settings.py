"""What every record of settings has: values that are checked as soon as it is built."""

import functools
import math
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from textrnn.errors import ConfigError


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all settings: each value is checked against its type and limits as soon as the record is built.

    Raises:
        ConfigError: a value has the wrong type or lies outside its limits.
    """

    def __post_init__(self) -> None:
        for name, kind in kinds(type(self)).items():
            value = getattr(self, name)
            if isinstance(value, Config):
                continue
            try:
                converted = msgspec.convert(value, kind)
            except msgspec.ValidationError as error:
                raise ConfigError(f"{name}: {_expectation(error, kind)}, got {value!r}") from error
            if isinstance(converted, float) and not math.isfinite(converted):
                raise ConfigError(f"{name}: expected a finite number, got {value!r}")
            # Assigning the converted value makes 1 a 1.0 where a float is meant, so that JSON has one form.
            msgspec.structs.force_setattr(self, name, converted)


@functools.cache
def kinds(config: type[Config]) -> dict[str, Any]:
    return get_type_hints(config, include_extras=True)


def choices(kind: Any) -> tuple[str, ...]:
    """The values a setting's type allows where these are listed, else nothing."""
    base = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    return get_args(base) if get_origin(base) is Literal else ()


def _expectation(error: msgspec.ValidationError, kind: Any) -> str:
    if listed := choices(kind):
        return f"expected one of {', '.join(listed)}"
    sentence = str(error).partition(", got")[0]
    return sentence[:1].lower() + sentence[1:]
