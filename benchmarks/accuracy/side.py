"""What every side of the comparison is to the program that measures it."""

import ast
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.accuracy.sets import Classes, Row, Task

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Fitted:
    """A trained model of any side."""

    predict: Callable[[list[str]], Classes]
    """The class of each text, from the text as it stands in the file."""
    size: Callable[[], int]
    """Bytes of the model as its library stores it."""
    validation: float | None = None
    """The row's metric on the validation texts; None where nothing was chosen on them."""
    chosen: dict[str, Any] = field(default_factory=dict)
    """What was chosen on the validation texts."""
    probabilities: Callable[[list[str]], Any] | None = None
    """Of each class, [texts, classes], of a model that gives some; `predict` takes the highest."""


@dataclass(frozen=True)
class Side:
    """One column of the table."""

    name: str
    fit: Callable[[Task, int], Fitted]
    """From what it is given and a seed."""
    settings: dict[str, Any]
    sources: tuple[Path, ...]
    """The files whose code decides its results."""
    packages: tuple[str, ...]
    """The libraries whose versions are recorded."""
    seeds: int = 1
    """How many are run when nobody says which: one where chance plays no part, or where each takes long."""
    runs_on: Callable[[Row], bool] = lambda row: row.unlabelled is None

    def code(self) -> str:
        """A digest of the code; comments, documentation and line breaks of Python do not count."""
        digest = hashlib.sha256()
        for source in sorted((*self.sources, HERE / "sets.py")):
            digest.update(source.name.encode())
            digest.update(_essence(source))
        return digest.hexdigest()[:16]


def _essence(source: Path) -> bytes:
    if source.suffix != ".py":
        return source.read_bytes()
    tree = ast.parse(source.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [one for one in body if not _is_text(one)]  # type: ignore[attr-defined]
    return ast.dump(tree).encode()


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
