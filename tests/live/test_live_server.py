"""The server of the training page: only this machine, only these files, only reading."""

import http.client
import json
import socket
import time
from collections.abc import Iterator

import pytest

from textrnn.errors import ConfigError, DataError
from textrnn.live import LivePage, live_page
from textrnn.training import Step

STEP = Step(epoch=1, index=1, steps=2, loss=0.5, learning_rate=0.1, gradient_norm=1.0, tokens=7)


@pytest.fixture
def page() -> Iterator[LivePage]:
    with live_page("reviews") as found:
        yield found


def ask(
    page: LivePage, path: str, method: str = "GET", headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=10)
    try:
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("path", ["/", "/page.css", "/page.js", "/charts.js", "/state.json"])
def test_what_is_served_may_neither_be_framed_nor_read_nor_kept(page: LivePage, path: str) -> None:
    status, headers, body = ask(page, path)
    assert status == 200 and int(headers["Content-Length"]) == len(body) > 0
    assert "default-src 'none'" in headers["Content-Security-Policy"] and "'unsafe" not in str(headers)
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin" and headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff" and "Access-Control-Allow-Origin" not in headers
    assert ask(page, path, "HEAD")[0] == 200


@pytest.mark.parametrize(
    "path", ["/../state.py", "/%2e%2e/server.py", "//etc/passwd", "/page/index.html", "/favicon.ico"]
)
def test_nothing_else_is_served(page: LivePage, path: str) -> None:
    assert ask(page, path)[0] == 404


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost.evil:{port}", ""]
)
def test_another_name_is_refused(page: LivePage, host: str) -> None:
    for path in ("/", "/state.json"):
        assert ask(page, path, headers={"Host": host.format(port=page.port)})[0] == 421
    assert ask(page, "/", headers={"Host": f"localhost:{page.port}"})[0] == 200


def test_two_names_or_none_are_refused(page: LivePage) -> None:
    for lines in ("", f"Host: 127.0.0.1:{page.port}\r\nHost: evil.example\r\n"):
        with socket.create_connection(("127.0.0.1", page.port), timeout=10) as link:
            link.sendall(f"GET /state.json HTTP/1.1\r\n{lines}\r\n".encode())
            assert link.recv(100).split()[1] == b"421"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_can_be_changed(page: LivePage, method: str) -> None:
    assert ask(page, "/state.json", method)[0] == 501


def test_only_this_machine_is_listened_to(page: LivePage) -> None:
    assert page.server.server_address[0] == "127.0.0.1"


def test_who_has_the_newest_state_gets_none(page: LivePage) -> None:
    page.state(STEP)
    found = json.loads(ask(page, "/state.json?version=-1")[2])
    assert found["networks"][0]["steps"] == [[0.5, 0.5, 1.0]]
    assert ask(page, f"/state.json?version={found['version']}")[0] == 204
    page.state(STEP)
    assert ask(page, f"/state.json?version={found['version']}")[0] == 200


def test_a_client_that_says_nothing_keeps_nobody_waiting() -> None:
    with live_page() as page:
        links = [socket.create_connection(("127.0.0.1", page.port)) for _ in range(20)]
        started = time.monotonic()
        page.state(STEP)
        assert ask(page, "/")[0] == 200
    assert time.monotonic() - started < 2
    for link in links:
        link.close()


def test_the_end_waits_for_an_open_page_but_not_for_ever() -> None:
    with live_page() as page:
        ask(page, "/state.json")
        page.state(STEP)
        started = time.monotonic()
    assert 0.5 < time.monotonic() - started < 4  # somebody had asked, and never came back
    with live_page() as page:
        page.state(STEP)
        started = time.monotonic()
    assert time.monotonic() - started < 1  # nobody had


@pytest.mark.parametrize(
    ("error", "told"), [(DataError("no texts", path="a.csv"), "a.csv: no texts"), (ValueError("x"), "ValueError")]
)
def test_a_failure_is_told(error: Exception, told: str) -> None:
    with pytest.raises(type(error)), live_page() as page:
        raise error
    found = json.loads(page.state.as_json()[1])
    assert (found["status"], found["error"]) == ("failed", told)


def test_a_port_in_use_is_one_sentence() -> None:
    with live_page() as page, pytest.raises(ConfigError, match=f"port: 127.0.0.1:{page.port} cannot be used"):
        LivePage(page.state, page.port)
