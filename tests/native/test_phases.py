"""The names of the phases that a counting build reports are those of the benchmark that prints them."""

import re
from pathlib import Path

from benchmarks.phases import PHASES

HEADER = Path(__file__).parents[2] / "src" / "textrnn" / "native" / "phases.h"


def test_names_are_those_of_the_header() -> None:
    names = re.search(r"enum Name \{(.*?)COUNT", HEADER.read_text(encoding="utf-8"), re.DOTALL)
    assert names is not None
    phases = [name.lower().replace("_", " ") for name in re.findall(r"^  ([A-Z_]+),", names[1], re.MULTILINE)]
    assert phases[0] == "outside"  # of the kernels: what Python and PyTorch do
    assert ("Python", *phases[1:]) == PHASES
