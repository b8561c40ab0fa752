"""Running the command line as a user does, in this process or in one of its own."""

import io
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from textrnn.cli.main import entry

TEXTRNN = [sys.executable, "-m", "textrnn"]


class _Bytes(io.BytesIO):
    name = "<memory>"


class _Text(io.TextIOWrapper):
    mode = "w"  # as a real stream has it; the type checker looks for it


class Result(NamedTuple):
    """What a command leaves in a terminal."""

    code: int
    out: str
    err: str


def run_here(*arguments: object, stdin: bytes = b"") -> Result:
    """The command in this process: fast, since nothing has to be imported again."""
    out, err = _Bytes(), _Bytes()
    streams = [_Text(stream, encoding="utf-8", write_through=True) for stream in (out, err)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["textrnn", *map(str, arguments)])
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        patch.setattr(sys, "stdout", streams[0])
        patch.setattr(sys, "stderr", streams[1])
        with pytest.raises(SystemExit) as ended:
            entry()
        code = ended.value.code
    assert isinstance(code, int)
    return Result(code, out.getvalue().decode(), err.getvalue().decode())


def run_apart(*arguments: object, command: list[str] = TEXTRNN, timeout: float = 60, **options: Any) -> Result:
    """The command in a process of its own."""
    done = subprocess.run(
        [*command, *map(str, arguments)], capture_output=True, timeout=timeout, check=False, **options
    )
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


def assert_refused(result: Result, *parts: object) -> None:
    """Exit code 2 and one sentence with all these parts; nothing on standard output."""
    assert "Traceback" not in result.err and result.code == 2, result.err
    lines = [line for line in result.err.splitlines() if not line.startswith("note: ")]
    if lines[-1].startswith("Error: "):  # click's own form
        assert len(lines) == 1 or lines[0].startswith("Usage: "), result.err
        sentence = lines[-1]
    else:
        assert len(lines) == 1 and lines[0].startswith("error: "), result.err
        sentence = lines[0]
    for part in parts:
        assert str(part) in sentence, f"{part!r} is missing in {sentence!r}"
    assert not result.out


@contextmanager
def nothing_changes(folder: Path) -> Iterator[None]:
    """Within the block no file below `folder` appears, vanishes or gets other bytes."""

    def content() -> dict[Path, bytes | None]:
        return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}

    before = content()
    yield
    after = content()
    assert after.keys() == before.keys(), sorted(map(str, after.keys() ^ before.keys()))
    assert [path for path in before if before[path] != after[path]] == []
