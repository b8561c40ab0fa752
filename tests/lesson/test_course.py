"""The six notebooks of the course run from top to bottom, check their answers, and are what their sources say."""

import importlib.util
from pathlib import Path
from typing import Any

import nbformat
import pytest

COURSE = Path(__file__).parents[2] / "docs" / "course"
NAMES = sorted(path.stem for path in COURSE.glob("[0-9]-*.ipynb"))


@pytest.fixture(scope="module")
def build() -> Any:
    spec = importlib.util.spec_from_file_location("course_build", COURSE / "build.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_there_are_six(build: Any) -> None:
    assert [name[0] for name in NAMES] == list("123456") and sorted(build.sources()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_notebook_is_what_its_source_says(build: Any, name: str) -> None:
    written = nbformat.read(COURSE / f"{name}.ipynb", as_version=4)
    source = build.sources()[name]
    assert [(c.cell_type, c.source) for c in written.cells] == [(c.cell_type, c.source) for c in source.cells]
    assert any(cell.get("outputs") for cell in written.cells), "run `python docs/course/build.py`"
    text = "".join(cell.source for cell in written.cells)
    assert "## Exercises" in text and text.count("assert ") >= 2


@pytest.mark.parametrize("name", NAMES)
def test_the_notebook_runs(build: Any, name: str, tmp_path: Path) -> None:
    build.run(build.sources()[name], tmp_path)
