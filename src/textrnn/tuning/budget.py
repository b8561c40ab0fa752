"""How long a search may take."""

import math
import re

from textrnn.errors import ConfigError

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def seconds_of(budget: str | float) -> float:
    """Seconds of a time such as `30s`, `10m` or `2h`, or of a number that is seconds already.

    Raises:
        ConfigError: it is something else, or not above 0.
    """
    seconds = math.nan
    if isinstance(budget, str):
        if match := re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh])", budget.strip().lower()):
            seconds = float(match[1]) * _UNITS[match[2]]
    elif not isinstance(budget, bool):
        seconds = float(budget)
    if not 0 < seconds < math.inf:
        raise ConfigError(f"budget: expected a time such as 30s, 10m or 2h, got {budget!r}")
    return seconds


def clock_time(seconds: float) -> str:
    """Minutes and seconds, as a clock shows them."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
