"""The kernels without Python, and as other compilers and other processors have them, against those in use here.

`layer_driver.cpp` runs every cell forward and back through the C interface and writes what it gets. The library as
Clang builds it, and as GCC builds it for arm64 in an emulator, must give the same numbers; the ones in use here are
compared with other software's by the tests beside this one.
"""

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from textrnn.native import available_instruction_sets, library

kernels = library()
pytestmark = [
    pytest.mark.skipif(kernels is None, reason="the native library was not built"),
    pytest.mark.skipif(os.name == "nt", reason="the driver loads the library as POSIX systems do"),
]

SETS = available_instruction_sets() if kernels else []
ROOT = Path(__file__).resolve().parents[2]
ARM = "aarch64-linux-gnu"


def needed(*programs: str) -> None:
    if missing := [program for program in programs if not shutil.which(program)]:
        pytest.skip(f"not installed: {', '.join(missing)}")


def driver(folder: Path, compiler: str) -> Path:
    program = folder / f"driver-{compiler}"
    source = Path(__file__).with_name("layer_driver.cpp")
    subprocess.run(
        [compiler, "-std=c++20", "-O1", "-I", ROOT / "src/textrnn/native", source, "-o", program, "-ldl"], check=True
    )
    return program


def build(folder: Path, *settings: str) -> Path:
    """The library, by CMake."""
    subprocess.run(
        ["cmake", "-S", ROOT, "-B", folder, "-DCMAKE_BUILD_TYPE=Release", *(f"-D{setting}" for setting in settings)],
        check=True,
    )
    subprocess.run(["cmake", "--build", folder], check=True)
    return folder / "libtextrnn.so"


def results(*command: str | Path) -> NDArray[np.float32]:
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    numbers = np.frombuffer(done.stdout, dtype=np.float32)
    assert len(numbers) > 3_000_000
    assert np.isfinite(numbers).all()
    assert (numbers != 0).mean() > 0.8
    return numbers


def in_use(folder: Path, way: str) -> NDArray[np.float32]:
    assert kernels is not None
    return results(driver(folder, "c++"), kernels._name, way)


@pytest.mark.parametrize("way", SETS)
def test_the_instruction_sets_agree(way: str, tmp_path: Path) -> None:
    """The order of every sum is the same; only roundings of multiply-adds differ."""
    needed("c++")
    expected = in_use(tmp_path, "portable")
    np.testing.assert_allclose(in_use(tmp_path, way), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.slow
def test_another_compiler_gives_the_same_bits(tmp_path: Path) -> None:
    needed("c++", "clang++", "cmake")
    other = build(tmp_path / "clang", "CMAKE_CXX_COMPILER=clang++", "CMAKE_CXX_FLAGS=-Werror")
    program = driver(tmp_path, "clang++")
    for way in SETS:
        assert np.array_equal(results(program, other, way), in_use(tmp_path, way)), way


@pytest.mark.slow
def test_arm64_gives_the_same_numbers(tmp_path: Path) -> None:
    """Those of AVX2, which fuses multiply-adds as arm64 does, to the last bit; 0 and -0 count as equal."""
    compiler, emulator = f"{ARM}-g++", "qemu-aarch64-static"
    needed("c++", compiler, emulator, "cmake")
    if "avx2" not in SETS:
        pytest.skip("there is nothing to compare with on this processor")
    other = build(
        tmp_path / "arm",
        *("CMAKE_SYSTEM_NAME=Linux", "CMAKE_SYSTEM_PROCESSOR=aarch64", f"CMAKE_CXX_COMPILER={compiler}"),
        "CMAKE_CXX_FLAGS=-Werror",
    )
    found = results(emulator, "-L", f"/usr/{ARM}", driver(tmp_path, compiler), other, "portable")
    assert np.array_equal(found, in_use(tmp_path, "avx2"))
