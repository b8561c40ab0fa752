"""The training page on this machine only: four files and the state as JSON, read-only.

The standard library's server is enough: it is read by one person, holds no connection open, and everything heavier
would bring an event loop and signal handlers into the process that trains. The page asks for the whole state twice a
second instead of being sent events: so a page that is opened late, slow, or closed is nothing special, and no queue
can grow. Any page on the web can send requests to 127.0.0.1, so the name in `Host` must be ours (DNS rebinding), and
the answers forbid other pages to read or frame them.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from textrnn.errors import ConfigError, TextRNNError
from textrnn.live.state import LiveState

ADDRESS = "127.0.0.1"
PAGE = Path(__file__).with_name("page")
FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/charts.js": ("charts.js", "text/javascript; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
LAST_LOOK_SECONDS = 2.0
"""How long the end waits at most until an open page has fetched the final state."""


class LivePage:
    """Serves the page from threads of its own, from `start` to `close`."""

    def __init__(self, state: LiveState, port: int = 0) -> None:
        """`port`: 0 takes a free one.

        Raises:
            ConfigError: the port cannot be had.
        """
        self.state = state
        self._asked, self._served = 0.0, -1
        """When somebody asked for the state last, and the last version that anybody has got."""
        try:
            self._server = _Server((ADDRESS, port), self._handler())
        except OSError as error:
            raise ConfigError(f"live_port: cannot listen on port {port}: {error.strerror or error}") from error
        self.port = self._server.server_address[1]
        self.url = f"http://{ADDRESS}:{self.port}/"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)

    def start(self) -> "LivePage":
        """Answer from now on."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Let an open page fetch the final state, and stop."""
        deadline = time.monotonic() + LAST_LOOK_SECONDS
        while self._somebody_waits() and time.monotonic() < deadline:
            time.sleep(0.02)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _somebody_waits(self) -> bool:
        return self._served < self.state.version and time.monotonic() - self._asked < LAST_LOOK_SECONDS

    def _handler(page) -> type[BaseHTTPRequestHandler]:  # two kinds of self
        class Handler(BaseHTTPRequestHandler):
            timeout = 10
            server_version, sys_version = "textrnn", ""

            def do_GET(self) -> None:
                page._answer(self)

            do_HEAD = do_GET

            def log_message(self, format: str, *arguments: Any) -> None:
                """Nothing: standard error belongs to the training."""

        return Handler

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        hosts = {f"{ADDRESS}:{self.port}", f"localhost:{self.port}"}
        if request.headers.get_all("Host") is None or set(request.headers.get_all("Host", [])) - hosts:
            _send(request, HTTPStatus.FORBIDDEN, b"open http://" + f"{ADDRESS}:{self.port}/".encode())
            return
        url = urlsplit(request.path)
        if url.path in FILES:
            name, kind = FILES[url.path]
            _send(request, HTTPStatus.OK, (PAGE / name).read_bytes(), kind)
        elif url.path == "/state.json":
            self._asked = time.monotonic()
            if parse_qs(url.query).get("version") == [str(self.state.version)]:
                _send(request, HTTPStatus.NO_CONTENT)
                return
            version, state = self.state.as_json()
            _send(request, HTTPStatus.OK, state, "application/json")
            if request.command == "GET":
                self._served = max(self._served, version)
        else:
            _send(request, HTTPStatus.NOT_FOUND, b"not found")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away in the middle of an answer is nobody's problem."""


def _send(
    request: BaseHTTPRequestHandler, status: HTTPStatus, body: bytes = b"", kind: str = "text/plain; charset=utf-8"
) -> None:
    request.send_response(status)
    for name, value in HEADERS.items():
        request.send_header(name, value)
    if status != HTTPStatus.NO_CONTENT:
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    if request.command != "HEAD":
        request.wfile.write(body)


@contextmanager
def live_page(title: str = "", port: int = 0) -> Iterator[LivePage]:
    """A page that is there during the block; give `page.state` to `textrnn.train` as `on_event`, with `watch=True`.

    Raises:
        ConfigError: the port cannot be had.
    """
    page = LivePage(LiveState(title), port).start()
    try:
        yield page
    except TextRNNError as error:
        page.state.end(str(error))
        raise
    except KeyboardInterrupt:
        page.state.end("interrupted")
        raise
    except BaseException as error:
        page.state.end(type(error).__name__)
        raise
    finally:
        page.state.end()
        page.close()
