"""Reading a pipe without making its writer wait for an answer."""

import queue
import threading
from collections.abc import Iterator
from typing import TypeVar

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
