"""Finding and loading the shared library."""

import ctypes
import functools
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from textrnn.native.interface import SIGNATURES

_NAME = {"win32": "textrnn.dll", "darwin": "libtextrnn.dylib"}.get(sys.platform, "libtextrnn.so")


@functools.cache
def library() -> ctypes.CDLL | None:
    """The kernels; None where they were not built, cannot be loaded, or `TEXTRNN_NATIVE=0` forbids them.

    `TEXTRNN_LIBRARY` names the file to load instead of the one that was installed, and no other is tried then.
    `TEXTRNN_INSTRUCTION_SET` (`avx512`, `avx2`, `portable`) chooses among what the processor offers.
    """
    if os.environ.get("TEXTRNN_NATIVE") == "0":
        return None
    for path in _candidates():
        try:
            loaded = ctypes.CDLL(str(path))
            for name, (result, arguments) in SIGNATURES.items():
                function = getattr(loaded, name)
                function.restype, function.argtypes = result, arguments
        except (OSError, AttributeError):  # absent, of another machine, or of another version
            continue
        if wanted := os.environ.get("TEXTRNN_INSTRUCTION_SET"):
            loaded.textrnn_use_instruction_set(wanted.encode())
        return loaded
    return None


def _candidates() -> Iterator[Path]:
    """The one that `TEXTRNN_LIBRARY` names; else beside this file, as in a wheel, or where an editable installation
    has put it."""
    if given := os.environ.get("TEXTRNN_LIBRARY"):
        yield Path(given).absolute()
        return
    yield Path(__file__).with_name(_NAME)
    from importlib import metadata  # costs a fourteenth of the import of textrnn, and a wheel does without

    try:
        files = metadata.files("textrnn") or []
    except metadata.PackageNotFoundError:
        return
    yield from (Path(str(file.locate())) for file in files if file.name == _NAME)


def instruction_set() -> str | None:
    """The instruction set in use: `avx512`, `avx2` or `portable`; None without the library."""
    kernels = library()
    return kernels.textrnn_instruction_set().decode() if kernels else None


def use_instruction_set(name: str) -> None:
    """Use another instruction set from now on, for tests and measurements.

    Raises:
        ValueError: this processor, or this build, lacks it.
    """
    kernels = library()
    if kernels is None or not kernels.textrnn_use_instruction_set(name.encode()):
        raise ValueError(f"the instruction set {name!r} is not available here")


def available_instruction_sets() -> list[str]:
    """Those that this processor and this build offer, the fastest first."""
    before = instruction_set()
    found = []
    for name in ("avx512", "avx2", "portable"):
        try:
            use_instruction_set(name)
        except ValueError:
            continue
        found.append(name)
    if before:
        use_instruction_set(before)
    return found


def available_threads() -> int:
    """Threads to use where nobody says a number: `TEXTRNN_NUM_THREADS`, else the CPUs this process may use."""
    wanted = os.environ.get("TEXTRNN_NUM_THREADS", "")
    if wanted.isdecimal() and int(wanted) > 0:
        return min(int(wanted), 256)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
