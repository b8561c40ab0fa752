"""What all tests share."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of real data sets: `TEXTRNN_DATA`, or `shared/data` beside the repository."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("TEXTRNN_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"the real data sets are not in {folder}; set TEXTRNN_DATA to their folder")
    return folder
