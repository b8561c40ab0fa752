"""The documents against what they describe."""

import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from textrnn.history import EpochRecord, PretrainingRecord
from textrnn.modelfile import BaseHeader, BaseProvenance, Header, Provenance, TextsProvenance

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", document.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (document.parent / target).exists(), target


def test_whats_where_names_every_package() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    packages = [path.parent.name for path in (ROOT / "src" / "textrnn").glob("*/__init__.py")]
    assert len(packages) >= 10
    for name in packages:
        assert f"[src/textrnn/{name}](src/textrnn/{name})" in readme


def test_command_line_reference_is_fresh() -> None:
    subprocess.run([sys.executable, str(ROOT / "docs" / "generate.py"), "--check"], check=True)


@pytest.mark.parametrize(
    "record", [Header, Provenance, EpochRecord, BaseHeader, BaseProvenance, TextsProvenance, PretrainingRecord]
)
def test_model_file_specification_names_every_field(record: type[msgspec.Struct]) -> None:
    specification = (ROOT / "docs" / "model-file.md").read_text(encoding="utf-8")
    for name in record.__struct_fields__:
        assert f"`{name}`" in specification, name


def test_the_readmes_example_runs(tmp_path: Path) -> None:
    """As printed, on a file like the one it speaks of."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", readme, re.DOTALL)
    assert code is not None
    rows = [f"{'good' if i % 2 else 'bad'} film {i % 7},{1 + 3 * (i % 2)}" for i in range(60)]
    for name in ("reviews.csv", "test.csv"):
        (tmp_path / name).write_text("review,stars\n" + "\n".join(rows) + "\n")
    subprocess.run([sys.executable, "-c", code[1]], cwd=tmp_path, check=True, timeout=120)
    assert (tmp_path / "reviews.textrnn").exists()


def test_no_file_is_longer_than_it_may_be() -> None:
    for path in (ROOT / "src").rglob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 300, path
