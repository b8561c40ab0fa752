"""The page's JavaScript: small modules, put one after the other into one scope. No bundler, nothing is downloaded."""

import functools
import re
from importlib.resources import files

RUNTIME = ("text", "ngrams", "products", "simd", "cells", "reading", "member", "tasks", "classifier")
"""What computes, each before those that read it."""
VIEW = ("format", "marks", "charts", "tables", "equations", "layout", "panel", "main")
"""What is seen."""

_IMPORT = re.compile(r"^import [^\n]*;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export ", re.MULTILINE)


def read(name: str) -> str:
    """A file of this package."""
    return files("textrnn.explorer").joinpath(name).read_text(encoding="utf-8")


@functools.cache
def runtime_script() -> str:
    """The runtime, as lines for one scope."""
    return _joined("runtime", RUNTIME)


@functools.cache
def page_script() -> str:
    """Runtime and view, as a script of its own scope."""
    return f'(() => {{\n"use strict";\n{runtime_script()}{_joined("view", VIEW)}}})();\n'


def _joined(folder: str, names: tuple[str, ...]) -> str:
    parts = [_EXPORT.sub("", _IMPORT.sub("", read(f"{folder}/{name}.js"))) for name in names]
    return "\n".join(parts)
