"""The training page on this machine only: four files and the state as JSON.

The page asks for the whole state twice a second instead of being sent events: so a page that is opened late, slow, or
closed is nothing special, and no queue can grow.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from textrnn.errors import TextRNNError
from textrnn.live.state import LiveState
from textrnn.local_server import NOTHING, Answer, LocalServer

PAGE = Path(__file__).with_name("page")
FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/charts.js": ("charts.js", "text/javascript; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
}
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'none'"
)
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
        self.server = LocalServer(port, self._answer, policy=POLICY)
        self.port, self.url = self.server.port, self.server.address
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)

    def start(self) -> "LivePage":
        """Answer from now on."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Let an open page fetch the final state, and stop."""
        deadline = time.monotonic() + LAST_LOOK_SECONDS
        while self._somebody_waits() and time.monotonic() < deadline:
            time.sleep(0.02)
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()

    def _somebody_waits(self) -> bool:
        return self._served < self.state.version and time.monotonic() - self._asked < LAST_LOOK_SECONDS

    def _answer(self, method: str, path: str) -> Answer | None:
        url = urlsplit(path)
        if url.path in FILES:
            name, kind = FILES[url.path]
            return Answer(kind, (PAGE / name).read_bytes())
        if url.path != "/state.json":
            return None
        self._asked = time.monotonic()
        if parse_qs(url.query).get("version") == [str(self.state.version)]:
            return NOTHING
        version, state = self.state.as_json()

        def sent() -> None:
            if method == "GET":
                self._served = max(self._served, version)

        return Answer("application/json", state, sent=sent)


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
