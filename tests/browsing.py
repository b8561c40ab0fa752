"""A real browser for the explorer's tests: headless Chromium through Playwright."""

import importlib.util
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = os.environ.get("TEXTRNN_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--no-first-run"),
]
MISSING = "Chromium is not installed (or not named by TEXTRNN_CHROMIUM)" if CHROMIUM is None else None
if MISSING is None and importlib.util.find_spec("playwright") is None:
    MISSING = "playwright is not installed"

needs_browser = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))


@contextmanager
def opened_browser() -> Iterator["Browser"]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(browser: "Browser", address: str | Path, **context: Any) -> Iterator["Page"]:
    """The page, ready. Afterwards nothing may have been complained about, and nothing asked from anywhere else."""
    address = address.as_uri() if isinstance(address, Path) else address
    complaints: list[str] = []
    requests: list[str] = []
    with browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **context}) as own:
        page = own.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(address)
        page.wait_for_selector("html[data-ready]", timeout=30_000)
        yield page
        assert complaints == []
        allowed = (address, "blob:") if address.startswith("file:") else (address,)
        assert [url for url in requests if not url.startswith(allowed)] == []


def write_text(page: "Page", text: str) -> None:
    """As if it was pasted; what is shown is of this text afterwards."""
    page.fill("#text", text)
    settle(page)


def settle(page: "Page") -> None:
    """Two frames: what was asked for before is drawn."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))")


def serious_findings(page: "Page") -> list[str]:
    """What axe-core finds, of the kinds "serious" and "critical"."""
    script = files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    page.evaluate(script)
    found = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
    return [
        json.dumps([one["id"], one["help"], [node["html"][:200] for node in one["nodes"][:3]]])
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]


def number(text: str) -> float:
    """A number as the page writes it."""
    return float(text.replace("\u2212", "-").replace("+", ""))
