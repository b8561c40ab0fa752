"""The explorer as a page of this machine only. Its contents are fixed bytes."""

import webbrowser
from collections.abc import Callable, Sequence

from textrnn.explorer.page import FIRST_TEXT, content_security_policy, named, page_html
from textrnn.explorer.payload import payload
from textrnn.local_server import Answer, LocalServer
from textrnn.runtime import Classifier


def explorer_server(
    classifiers: Sequence[Classifier], port: int = 0, *, names: Sequence[str] = (), text: str = FIRST_TEXT
) -> LocalServer:
    """A server that is not yet serving.

    Raises:
        ConfigError: the port is not free.
    """
    packed = [payload(one, name) for one, name in zip(classifiers, named(classifiers, names), strict=True)]
    paths = [f"/model-{k + 1}.bin" for k in range(len(packed))]
    page = page_html([one.at(path) for one, path in zip(packed, paths, strict=True)], text=text)
    contents = {"/": Answer("text/html; charset=utf-8", page.encode("utf-8", "replace"))}
    contents |= {path: Answer("application/octet-stream", one.weights) for one, path in zip(packed, paths, strict=True)}
    return LocalServer(port, lambda method, path: contents.get(path), policy=content_security_policy(served=True))


def serve(
    classifiers: Sequence[Classifier],
    port: int = 0,
    *,
    names: Sequence[str] = (),
    text: str = FIRST_TEXT,
    open_browser: bool = True,
    started: Callable[[str], None] = lambda address: None,
) -> None:
    """Serve the page of one or two models on this machine until Ctrl-C.

    Args:
        classifiers: the models.
        port: 0 takes a free one.
        names: what the page calls them.
        text: what stands in the box at first.
        open_browser: whether to open the page.
        started: told the address.

    Raises:
        ConfigError: the port is not free.
    """
    with explorer_server(classifiers, port, names=names, text=text) as server:
        started(server.address)
        if open_browser:
            webbrowser.open(server.address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return
