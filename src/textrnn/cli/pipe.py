"""Pipes and signals: what a command meets in a shell."""

import os
import queue
import select
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any, TypeVar

Item = TypeVar("Item")
_END = object()


def as_they_come(items: Iterator[Item], size: int) -> Iterator[list[Item]]:
    """Lists of 1 to `size` items in order: whatever has arrived when the consumer is ready for more.

    A thread reads ahead, at most `2 * size` items; what it raises is raised here, after the items before it.
    """
    arrived: queue.Queue[object] = queue.Queue(maxsize=2 * size)
    failure: list[BaseException] = []

    def read() -> None:
        try:
            for item in items:
                arrived.put(item)
        except BaseException as error:  # handed over, not swallowed
            failure.append(error)
        arrived.put(_END)

    threading.Thread(target=read, daemon=True).start()
    while True:
        chunk = [arrived.get()]
        while len(chunk) < size and chunk[-1] is not _END:
            try:
                chunk.append(arrived.get_nowait())
            except queue.Empty:
                break
        ended = chunk[-1] is _END
        if ended:
            chunk.pop()
        if chunk:
            yield chunk  # type: ignore[misc]  # only items are left
        if ended:
            if failure:
                raise failure[0]
            return


class StandardInput:
    """Standard input for a thread that may still be reading when the program ends.

    It goes past Python's buffer: the interpreter would wait for the buffer's lock at its end, and abort.
    """

    name = "standard input"

    def __init__(self) -> None:
        self._raw: Any = getattr(sys.stdin.buffer, "raw", sys.stdin.buffer)

    def read(self, size: int) -> bytes:
        """What is there, at most `size` bytes; none at the end."""
        while (found := self._raw.read(size)) is None:  # a pipe that does not wait, and has nothing yet
            select.select([self._raw], [], [])
        return bytes(found)


def discard(stream: IO[str]) -> None:
    """From now on nothing that is written reaches this stream, whose other end is gone or full."""
    with suppress(OSError, ValueError):  # ValueError: it never was a file of the system
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)


@contextmanager
def terminate_as_interrupt() -> Iterator[None]:
    """A polite SIGTERM (from `timeout`, a container, a cluster) cleans up and keeps the best model, as Ctrl-C does."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
