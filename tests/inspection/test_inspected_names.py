"""The façade of the package: what is promised is there, and costs nothing before it is used."""

import inspect
import subprocess
import sys
from types import ModuleType

import pytest

import textrnn.inspection


@pytest.mark.parametrize("name", textrnn.inspection.__all__)
def test_public_names_resolve_to_what_is_documented(name: str) -> None:
    value = getattr(textrnn.inspection, name)
    assert not isinstance(value, ModuleType)  # a module of that name would hide it, once it is imported
    assert name == "METHODS" or inspect.getdoc(value)
    assert name in dir(textrnn.inspection)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'tracee'"):
        textrnn.inspection.tracee  # noqa: B018


def test_without_torch_it_is_imported_and_says_what_to_install() -> None:
    code = """
import sys
sys.modules["torch"] = None
import textrnn, textrnn.inspection, textrnn.cli.inspect
try:
    textrnn.inspection.trace
except textrnn.MissingDependencyError as error:
    assert "inspection needs the library torch" in str(error), error
else:
    raise AssertionError
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
