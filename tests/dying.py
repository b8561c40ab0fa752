"""`python dying.py SUFFIX MOMENT ARGUMENTS...`: the command line, killed by itself while it writes a file.

In a process of its own: a fork of the test runner would inherit PyTorch's thread pools without their threads, and wait
for them for ever.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import textrnn.files
from textrnn.cli.main import entry

MOMENTS = ("before the file is complete", "before it is renamed", "after it is renamed")


def die_while_writing(suffix: str, moment: str) -> None:
    """From now on SIGKILL this process while it writes its third checkpoint, or its first file of another suffix."""
    rename = Path.replace
    write = textrnn.files._OutputFile.write
    wanted = 2 if suffix == ".checkpoint" else 0
    count = 0

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def dying_write(file: Any, content: bytes) -> int:
        if file.target.suffix == suffix and count >= wanted and moment == MOMENTS[0]:
            write(file, content[: len(content) // 2])
            die()
        return write(file, content)

    def dying_rename(path: Path, target: Path) -> Path:
        nonlocal count
        if target.suffix == suffix:
            count += 1
            if count > wanted and moment == MOMENTS[1]:
                die()
        done = rename(path, target)
        if target.suffix == suffix and count > wanted:
            die()
        return done

    textrnn.files._OutputFile.write = dying_write  # type: ignore
    Path.replace = dying_rename  # type: ignore


if __name__ == "__main__":
    die_while_writing(sys.argv.pop(1), sys.argv.pop(1))
    entry()
