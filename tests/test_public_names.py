"""The façade: what is promised is there, and nothing else."""

import inspect

import pytest

import textrnn


@pytest.mark.parametrize("name", textrnn.__all__)
def test_public_names_resolve_and_are_documented(name: str) -> None:
    value = getattr(textrnn, name)
    if name != "__version__":
        assert inspect.getdoc(value)
    assert name in dir(textrnn)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'tran'"):
        textrnn.tran  # noqa: B018


def test_public_methods_are_documented() -> None:
    for name, member in inspect.getmembers(textrnn.Classifier):
        if not name.startswith("_") and callable(member):
            assert inspect.getdoc(member), name
