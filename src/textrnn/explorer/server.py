"""The explorer as a page of this machine only, by the standard library's server.

It is enough: the contents are fixed, two kinds of requests are answered, and no request has a body that would be read.
"""

import http.server
import webbrowser
from collections.abc import Callable, Sequence
from typing import Any

from textrnn.errors import ConfigError
from textrnn.explorer.page import FIRST_TEXT, content_security_policy, named, page_html
from textrnn.explorer.payload import payload
from textrnn.runtime import Classifier

ADDRESS = "127.0.0.1"
SECONDS = 10
"""That a connection may take to say what it wants."""


class ExplorerServer(http.server.ThreadingHTTPServer):
    """Serves fixed contents to this machine."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, port: int, contents: dict[str, tuple[str, bytes]]) -> None:
        """contents: type and bytes by path."""
        super().__init__((ADDRESS, port), _Handler)
        self.contents = contents
        self.policy = content_security_policy(served=True) + "; frame-ancestors 'none'"

    @property
    def address(self) -> str:
        """What to open."""
        return f"http://{ADDRESS}:{self.server_address[1]}/"

    def hosts(self) -> set[str]:
        """What a request may call this machine. A page elsewhere whose name leads here (DNS rebinding) says its own."""
        port = self.server_address[1]
        return {f"{ADDRESS}:{port}", f"localhost:{port}"} | ({ADDRESS, "localhost"} if port == 80 else set())

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away in the middle is nobody's business."""


class _Handler(http.server.BaseHTTPRequestHandler):
    server: ExplorerServer
    timeout = SECONDS
    server_version = "textrnn"
    sys_version = ""

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        if self.headers.get_all("Host", []) not in [[host] for host in self.server.hosts()]:
            return self._send(421, "text/plain; charset=utf-8", b"this page answers only as 127.0.0.1\n", with_body)
        found = self.server.contents.get(self.path)
        if found is None:
            return self._send(404, "text/plain; charset=utf-8", b"there is nothing here\n", with_body)
        return self._send(200, *found, with_body)

    def _send(self, status: int, kind: str, body: bytes, with_body: bool) -> None:
        self.send_response(status)
        for name, value in {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            "Content-Security-Policy": self.server.policy,
            "Cross-Origin-Resource-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the terminal belongs to the command."""


def explorer_server(
    classifiers: Sequence[Classifier], port: int = 0, *, names: Sequence[str] = (), text: str = FIRST_TEXT
) -> ExplorerServer:
    """A server that is not yet serving.

    Raises:
        ConfigError: the port is not free.
    """
    packed = [payload(one, name) for one, name in zip(classifiers, named(classifiers, names), strict=True)]
    paths = [f"/model-{k + 1}.bin" for k in range(len(packed))]
    page = page_html([one.at(path) for one, path in zip(packed, paths, strict=True)], text=text)
    contents = {"/": ("text/html; charset=utf-8", page.encode("utf-8", "replace"))}
    contents |= {path: ("application/octet-stream", one.weights) for one, path in zip(packed, paths, strict=True)}
    try:
        return ExplorerServer(port, contents)
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) else "there is no such port"
        raise ConfigError(f"port: {ADDRESS}:{port} cannot be used: {reason}") from error


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
