"""A web server for this machine's own pages: read-only, by the standard library.

It is enough: it is read by one person, no request has a body, and everything heavier would bring an event loop and
signal handlers into the process. Any page on the web can send requests to 127.0.0.1, so the name in `Host` must be ours
(DNS rebinding: a page elsewhere whose name leads here says its own), and the answers forbid other pages to read or
frame them.
"""

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from textrnn.errors import ConfigError

ADDRESS = "127.0.0.1"
SECONDS = 10
"""That a connection may take to say what it wants."""
HEADERS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
NO_CONTENT = 204


class Answer(NamedTuple):
    """What is sent."""

    kind: str
    """The media type."""
    body: bytes
    status: int = 200
    sent: Callable[[], None] = lambda: None
    """Called when it is."""


def plain(status: int, sentence: str) -> Answer:
    """A sentence for whoever reads it."""
    return Answer("text/plain; charset=utf-8", f"{sentence}\n".encode(), status)


NOTHING = Answer("", b"", NO_CONTENT)
"""There is nothing new to be sent."""


class LocalServer(ThreadingHTTPServer):
    """Answers GET and HEAD requests of this machine, each on a thread of its own."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, port: int, answer: Callable[[str, str], Answer | None], *, policy: str) -> None:
        """Listens from now on, and answers once it is told to serve.

        Args:
            port: 0 takes a free one.
            answer: (method, path with query) -> what is there; None: nothing.
            policy: the pages' Content-Security-Policy; that nobody may frame them is added.

        Raises:
            ConfigError: the port cannot be had.
        """
        try:
            super().__init__((ADDRESS, port), _Handler)
        except (OSError, OverflowError) as error:
            reason = error.strerror if isinstance(error, OSError) else "there is no such port"
            raise ConfigError(f"port: {ADDRESS}:{port} cannot be used: {reason}") from error
        self.answer = answer
        self.headers = HEADERS | {"Content-Security-Policy": f"{policy}; frame-ancestors 'none'"}

    @property
    def port(self) -> int:
        """The one that it listens on."""
        return int(self.server_address[1])

    @property
    def address(self) -> str:
        """What to open."""
        return f"http://{ADDRESS}:{self.port}/"

    def hosts(self) -> set[str]:
        """What a request may call this machine."""
        here = {f"{ADDRESS}:{self.port}", f"localhost:{self.port}"}
        return here | ({ADDRESS, "localhost"} if self.port == 80 else set())

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away in the middle of an answer is nobody's business."""


class _Handler(BaseHTTPRequestHandler):
    server: LocalServer
    timeout = SECONDS
    server_version, sys_version = "textrnn", ""

    def do_GET(self) -> None:
        if self.headers.get_all("Host", []) not in [[host] for host in self.server.hosts()]:
            self._send(plain(421, f"this page answers only as {self.server.address}"))
        else:
            self._send(self.server.answer(self.command, self.path) or plain(404, "there is nothing here"))

    do_HEAD = do_GET

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        if answer.status != NO_CONTENT:
            self.send_header("Content-Type", answer.kind)
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
        answer.sent()

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing: the terminal belongs to the command."""
