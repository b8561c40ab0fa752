"""Runs the notebooks of the course and writes them with what they print and show.

`python docs/course/build.py [2 5 …]`: all, or those with these numbers. The first is the lesson, which the package writes;
the others are kept as Python scripts with cells, from which jupytext makes notebooks.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbclient import NotebookClient

from textrnn.lesson import write_notebook

FOLDER = Path(__file__).parent
LESSON = "1-the-lesson"


def sources() -> dict[str, Any]:
    """Every notebook by its name, not yet run."""
    with tempfile.TemporaryDirectory() as folder:
        write_notebook(Path(folder) / "lesson.ipynb")
        found = {LESSON: nbformat.read(Path(folder) / "lesson.ipynb", as_version=4)}
    for path in sorted(FOLDER.glob("[0-9]-*.py")):
        notebook = jupytext.read(path)
        for number, cell in enumerate(notebook.cells):  # random otherwise: the same source should make the same file
            cell.id = f"cell-{number:02d}"
        found[path.stem] = notebook
    return found


def run(notebook: Any, folder: Path = FOLDER) -> Any:
    """Execute all cells; raises nbclient.exceptions.CellExecutionError where one fails."""
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(folder)}}, record_timing=False).execute()
    return notebook


def main(numbers: list[str]) -> None:
    for name, notebook in sources().items():
        if not numbers or name[0] in numbers:
            notebook.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
            nbformat.write(run(notebook), FOLDER / f"{name}.ipynb")
            print(name)


if __name__ == "__main__":
    main(sys.argv[1:])
