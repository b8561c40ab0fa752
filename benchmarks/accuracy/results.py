"""The file in which every result is kept as soon as it is there."""

import datetime
import fcntl
import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.accuracy.sets import Row
from benchmarks.accuracy.side import Side

Result = dict[str, Any]
PATH = Path(__file__).resolve().parents[1] / "accuracy.json"


def conditions(side: Side, row: Row) -> Result:
    """What a result belongs to: with other settings or other code it must be measured anew."""
    settings = {"row": row.settings, "side": side.settings}
    return {"settings": json.loads(json.dumps(settings)), "code": side.code()}


def circumstances(side: Side) -> Result:
    """Where and when, for the record."""
    from benchmarks.__main__ import processor

    return {
        "date": datetime.date.today().isoformat(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": 1,
        "load": [round(load, 1) for load in os.getloadavg()],
        "versions": {"python": platform.python_version()} | {name: metadata.version(name) for name in side.packages},
    }


def read(path: Path = PATH) -> list[Result]:
    results: list[Result] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return results


def find(results: list[Result], set_name: str, side: str, seed: int | None = None) -> list[Result]:
    """The results of one cell of the table, or of one seed of it."""
    return [
        result
        for result in results
        if result["set"] == set_name and result["side"] == side and seed in (None, result["seed"])
    ]


def keep(result: Result, path: Path = PATH) -> None:
    """Put a result in the place of an older one; several processes may do so."""
    with _locked(path):
        others = [one for one in read(path) if _key(one) != _key(result)]
        text = json.dumps(sorted([*others, result], key=_key), indent=1, ensure_ascii=False)
        temporary = path.with_suffix(".partial")
        temporary.write_text(text + "\n", encoding="utf-8")
        temporary.replace(path)


def _key(result: Result) -> tuple[str, str, int]:
    return result["set"], result["side"], result["seed"]


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
