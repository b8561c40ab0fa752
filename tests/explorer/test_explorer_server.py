"""The local page: who gets it, what it holds, and how the command begins and ends."""

import http.client
import signal
import socket
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from browsing import needs_browser, number, opened, opened_browser, write_text
from builders import header, random_weights
from commands import TEXTRNN, assert_refused, run_here
from textrnn.cli.explore import write_page
from textrnn.errors import ConfigError
from textrnn.explorer.payload import payload
from textrnn.explorer.server import explorer_server, serve
from textrnn.local_server import LocalServer
from textrnn.runtime import Classifier


@pytest.fixture
def classifier() -> Classifier:
    head = header(cell="gru", bidirectional=True)
    return Classifier(head, random_weights(head))


@pytest.fixture
def model(classifier: Classifier, tmp_path: Path) -> Path:
    classifier.save(tmp_path / "m.textrnn")
    return tmp_path / "m.textrnn"


@contextmanager
def serving(classifier: Classifier) -> Iterator[LocalServer]:
    with explorer_server([classifier]) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def ask(server: LocalServer, path: str, *, host: str | None = None, method: str = "GET") -> tuple[int, bytes, str]:
    """Status, body and type."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
    try:
        connection.putrequest(method, path, skip_host=host is not None)
        if host:
            connection.putheader("Host", host)
        connection.endheaders()
        response = connection.getresponse()
        return response.status, response.read(), str(response.headers.get("Content-Type"))
    finally:
        connection.close()


def test_only_this_machine_by_its_own_name(classifier: Classifier) -> None:
    with serving(classifier) as server:
        port = server.server_address[1]
        assert server.server_address[0] == "127.0.0.1"
        for host in (f"127.0.0.1:{port}", f"localhost:{port}"):
            assert ask(server, "/", host=host)[0] == 200
        for host in (
            "evil.example",
            f"evil.example:{port}",
            "127.0.0.1",
            f"127.0.0.1:{port + 1}",
            f"127.0.0.1:{port}.evil",
        ):
            status, body, _ = ask(server, "/", host=host)
            assert status == 421 and b"data" not in body
            assert ask(server, "/model-1.bin", host=host)[0] == 421
        assert ask(server, "/", host="")[0] in (400, 421)


def test_two_hosts_or_none_are_refused(classifier: Classifier) -> None:
    with serving(classifier) as server:
        port = server.server_address[1]
        for lines in ("", f"Host: 127.0.0.1:{port}\r\nHost: evil.example\r\n"):
            with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
                raw.sendall(f"GET / HTTP/1.0\r\n{lines}\r\n".encode())
                assert b" 421 " in raw.recv(100)


def test_page_and_weights_and_nothing_else(classifier: Classifier) -> None:
    with serving(classifier) as server:
        status, page, kind = ask(server, "/")
        assert status == 200 and kind == "text/html; charset=utf-8" and b"/model-1.bin" in page
        status, weights, kind = ask(server, "/model-1.bin")
        assert (status, weights) == (200, payload(classifier, "m").weights)
        assert kind == "application/octet-stream"
        assert ask(server, "/model-1.bin", method="HEAD")[:2] == (200, b"")
        for path in ("/model-2.bin", "/..", "/../../etc/passwd", "/?x"):
            assert ask(server, path)[0] == 404
        assert ask(server, "http://evil.example/")[0] == 421
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            assert ask(server, "/", method=method)[0] == 501


def test_headers_forbid_what_the_page_does_not_need(classifier: Classifier) -> None:
    with serving(classifier) as server, urllib.request.urlopen(server.address, timeout=10) as response:
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "connect-src 'self'" in policy and "frame-ancestors 'none'" in policy
        assert "unsafe-inline" not in policy and "'unsafe-eval'" not in policy
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "Access-Control-Allow-Origin" not in response.headers


def test_payload_holds_every_tensor(classifier: Classifier) -> None:
    packed = payload(classifier, "m")
    assert len(packed.weights) == packed.record["bytes"]
    for name, begin, count in packed.record["tensors"]:
        numbers = np.frombuffer(packed.weights, dtype="<f4", count=count, offset=begin)
        np.testing.assert_array_equal(numbers, classifier.weights[name].ravel())
    assert packed.record["header"].get("provenance") is None


def test_a_port_that_is_taken(classifier: Classifier, model: Path) -> None:
    with serving(classifier) as server:
        port = server.server_address[1]
        with pytest.raises(ConfigError, match=f"127.0.0.1:{port} cannot be used"):
            serve([classifier], port, open_browser=False)
        assert_refused(run_here("inspect", model, "--no-open", "--port", port), port, "cannot be used")


@needs_browser
def test_the_served_page_computes(classifier: Classifier) -> None:
    with serving(classifier) as server, opened_browser() as browser, opened(browser, server.address) as page:
        write_text(page, "a very good film")
        shown = number(page.inner_text(".bars .value[data-label=pos]"))
        assert shown == pytest.approx(classifier.predict_proba(["a very good film"])[0, 1], abs=6e-4)


def test_the_command_serves_until_ctrl_c(model: Path) -> None:
    command = [*TEXTRNN, "inspect", str(model), "--compare", str(model), "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        address = process.stdout.readline().split()[0]
        with urllib.request.urlopen(address, timeout=10) as response:
            assert response.read().count(b"model-") == 2
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
        assert process.stderr.read() == "the explorer is closed\n"


def test_the_command_writes_one_file(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    result = run_here("inspect", model, "--html", out)
    assert result.code == 0 and result.err == "" and result.out == f"{out}: {out.stat().st_size:,} bytes\n"
    page = out.read_text(encoding="utf-8")
    assert "connect-src 'none'" in page and "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert run_here("inspect", model, "--html", out).code == 0
    assert out.read_text(encoding="utf-8") == page  # byte for byte


def test_a_page_begins_with_the_text_that_is_given(model: Path, tmp_path: Path) -> None:
    write_page(str(model), str(tmp_path / "page.html"), compare=str(model), text="<b> film")
    assert ">&lt;b&gt; film</textarea>" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_mistakes_are_one_sentence(model: Path, tmp_path: Path) -> None:
    assert_refused(run_here("inspect", tmp_path / "none.textrnn", "--no-open"), "none.textrnn")
    assert_refused(run_here("inspect", model, "--html", tmp_path / "no" / "page.html"), "does not exist")
    assert_refused(run_here("inspect", model, "--html", model), "it is also read")
    assert_refused(run_here("inspect", model, "--html", "x.html", "--port", 80), "--port")
    assert_refused(run_here("inspect", model, "--port", 70000), "70000")
    (tmp_path / "broken.textrnn").write_bytes(b"no model")
    assert_refused(run_here("inspect", model, "--compare", tmp_path / "broken.textrnn", "--no-open"), "broken.textrnn")


def test_the_packages_files_are_there() -> None:
    """What a wheel must bring: importlib finds them beside the code."""
    from importlib.resources import files

    folder = files("textrnn.explorer")
    for name in ("page.html", "style.css", "runtime/classifier.js", "view/main.js"):
        assert folder.joinpath(name).is_file()


def test_the_page_is_opened_and_closed_in_this_process(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened_pages: list[str] = []

    def interrupted(server: LocalServer) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("webbrowser.open", opened_pages.append)
    monkeypatch.setattr(LocalServer, "serve_forever", interrupted)
    result = run_here("inspect", model)
    assert (result.code, result.err) == (0, "the explorer is closed\n")
    assert result.out == f"{opened_pages[0]}  (Ctrl-C ends)\n" and len(opened_pages) == 1
    run_here("inspect", model, "--no-open")
    assert len(opened_pages) == 1


def test_a_large_page_is_told(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textrnn.cli.explore.LARGE_PAGE", 100)
    result = run_here("inspect", model, "--html", tmp_path / "page.html")
    assert result.code == 0 and result.err.startswith("note: a page with 0 MB of weights opens slowly")
