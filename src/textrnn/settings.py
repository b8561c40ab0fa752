"""What every record of settings has: values that are checked as soon as it is built."""

import difflib
import functools
import math
from typing import Annotated, Any, Literal, Self, get_args, get_origin, get_type_hints

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


class Sections(Config, frozen=True, kw_only=True):
    """A record of records; settings are named across all of them."""

    @classmethod
    def from_settings(cls, **settings: Any) -> Self:
        """The record with some settings changed, each by its flat name.

        Raises:
            TypeError: there is no setting of this name; the message names the nearest one.
            ConfigError: a value cannot be used.
        """
        sections = sections_of(cls)
        chosen: dict[str, dict[str, Any]] = {section: {} for section in cls.__struct_fields__}
        for name, value in settings.items():
            if name not in sections:
                near = difflib.get_close_matches(name, sections, n=1)
                hint = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(sections)}"
                raise TypeError(f"unknown setting {name!r}{hint}")
            chosen[sections[name]][name] = value
        defaults = cls()
        return cls(**{name: msgspec.structs.replace(getattr(defaults, name), **chosen[name]) for name in chosen})

    def settings(self) -> dict[str, Any]:
        """All settings by their flat names; the inverse of `from_settings`."""
        return {
            name: value
            for section in self.__struct_fields__
            for name, value in msgspec.structs.asdict(getattr(self, section)).items()
        }


def sections_of(recipe: type[Sections]) -> dict[str, str]:
    """The section in which each setting lies, by the setting's flat name."""
    defaults = recipe()
    return {
        name: section
        for section in recipe.__struct_fields__
        for name in type(getattr(defaults, section)).__struct_fields__
    }


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
