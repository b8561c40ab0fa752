"""The training page in a real browser, its numbers compared with the training's own."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import textrnn
from made import pairs
from textrnn.history import EpochRecord
from textrnn.live import LivePage, LiveState, live_page
from textrnn.training import Finished, Step, Watched

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync "
    "--no-first-run"
).split()
SETTINGS: dict[str, Any] = {"members": 2, "epochs": 3, "hidden_size": 8, "ngrams": 2, "watch": True}

pytestmark = [
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"needs the browser {CHROMIUM}"),
    # Playwright leaves its sockets and its event loop to the garbage collector.
    pytest.mark.filterwarnings("ignore"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    with api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield found
        found.close()


class Tab:
    """A page and what it must not do: ask anybody else, or fail."""

    def __init__(self, browser: Any, served: LivePage, **how: Any) -> None:
        self.asked: list[str] = []
        self.errors: list[str] = []
        self.page = browser.new_page(**{"viewport": {"width": 1200, "height": 900}} | how)
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda line: self.errors.append(line.text) if line.type == "error" else None)
        self.page.goto(served.url)
        self.url = served.url

    def __enter__(self) -> Any:
        return self.page

    def __exit__(self, *problem: object) -> None:
        self.page.close()
        if problem[0] is None:
            assert not self.errors
            assert all(url.startswith((self.url, "data:")) for url in self.asked), self.asked


def trained(served: LivePage, data: Any = None, **settings: Any) -> tuple[textrnn.Classifier, list[Any]]:
    events: list[Any] = []

    def on_event(event: Any) -> None:
        events.append(event)
        served.state(event)

    return textrnn.train(data or pairs(240), on_event=on_event, **SETTINGS | settings), events


def share(value: float) -> str:
    return f"{100 * value:.1f} %"


def test_a_page_that_is_opened_late_shows_the_whole_training(browser: Any) -> None:
    with live_page("reviews") as served:
        classifier, events = trained(served)
        with Tab(browser, served) as page:
            page.wait_for_selector("#status[data-status=finished]")
            assert page.inner_text("h1") == "Training reviews"
            rows = page.locator("#table tbody tr").all_inner_texts()
            records = [event for event in events if isinstance(event, EpochRecord)]
            assert len(rows) == len(records) == 6
            for row, record in zip(rows, records, strict=True):
                cells = row.split("\t")
                assert cells[:2] == [str(record.network), str(record.epoch)]
                assert float(cells[2]) == pytest.approx(record.loss, rel=1e-3) and record.accuracy is not None
                assert cells[3] == share(record.accuracy) and record.validation is not None
                assert share(record.validation["accuracy"]) in cells
            finished = events[-1]
            assert isinstance(finished, Finished)
            assert share(finished.metrics["accuracy"]) in page.inner_text("#final")
            assert page.locator("#final li").count() == 3
            items = page.locator("#texts > li")
            assert items.count() == len(finished.texts)
            answers = classifier.predict_proba([text.text for text in finished.texts])
            for place, text in enumerate(finished.texts):
                shown = items.nth(place).inner_text()
                assert text.text in shown and f"labelled {text.expected}" in shown
                assert ("✓ right" in shown) == text.right and ("✗ wrong" in shown) == (not text.right)
                for label, probability in zip(classifier.labels, answers[place], strict=True):
                    meter = items.nth(place).get_by_role("meter", name=f"probability of {label}")
                    assert float(meter.get_attribute("value")) == pytest.approx(probability, abs=1e-5)


def test_every_network_can_be_chosen(browser: Any) -> None:
    with live_page() as served:
        _, events = trained(served)
        with Tab(browser, served) as page:
            page.wait_for_selector("#charts figure")
            for number in (1, 2):
                page.get_by_role("button", name=f"Network {number}").click()
                last = [one for one in events if isinstance(one, EpochRecord) and one.network == number][-1]
                look = [one for one in events if isinstance(one, Watched) and one.network == number][-1]
                label = page.get_by_role("img", name="Loss by epoch").get_attribute("aria-label")
                told = float(label.split("training ")[1].split(",")[0])
                assert told == pytest.approx(last.loss, rel=1e-3)
                label = page.get_by_role("img", name="Gradient norm by group").get_attribute("aria-label")
                for group, norm in (
                    ("embedding", "embedding"),
                    ("layer 1, left to right, hidden", None),
                    ("head", "head"),
                ):
                    told = float(label.split(f"{group} ")[1].split(",")[0])
                    name = norm or "layers.0.left_to_right.from_hidden"
                    assert told == pytest.approx(look.gradient_norms[name], rel=1e-2)
                assert f"network {number} after each" in page.inner_text("#predictions-note")


def test_a_page_that_is_open_follows_and_keeps_the_end(browser: Any) -> None:
    """The training goes on in a thread, held after its first epoch until the page has shown that."""
    seen, go_on = threading.Event(), threading.Event()
    results: list[textrnn.Classifier] = []

    def train(served: LivePage) -> None:
        def on_event(event: Any) -> None:
            served.state(event)
            if isinstance(event, Watched) and not seen.is_set():
                seen.set()
                go_on.wait(60)

        results.append(textrnn.train(pairs(240), on_event=on_event, timings=False, **SETTINGS))

    with live_page("reviews") as served:
        thread = threading.Thread(target=train, args=(served,))
        tab = Tab(browser, served)
        thread.start()
        assert seen.wait(120)
        tab.page.wait_for_selector("#texts > li")
        assert tab.page.inner_text("#status") == "training"
        assert "network 1 of 2, epoch 1 of at most 3" in tab.page.inner_text("#now")
        assert tab.page.locator("#table tbody tr").count() == 1
        go_on.set()
        tab.page.wait_for_selector("#status[data-status=finished]")
        thread.join()
    with tab as page:  # the server has gone; what it told stays
        assert page.inner_text("#status") == "finished" and page.locator("#table tbody tr").count() == 6
    alone = textrnn.train(pairs(240), timings=False, **SETTINGS | {"watch": False})
    texts = [text for text, _ in pairs(50, seed=5)]
    assert (results[0].predict_proba(texts) == alone.predict_proba(texts)).all()


def test_a_training_that_dies_is_told(browser: Any) -> None:
    served = LivePage(LiveState("x")).start()
    served.state(Step(epoch=1, index=1, steps=2, loss=0.5, learning_rate=0.1, gradient_norm=1.0, tokens=7))
    page = browser.new_page()
    page.goto(served.url)
    page.wait_for_selector("#figures div")
    served.close()
    page.wait_for_selector("#status[data-status=gone]", timeout=20_000)
    page.close()


def test_texts_and_labels_are_never_markup(browser: Any) -> None:
    evil = "<img src=x onerror=alert(1)>"
    data = [(f"{text} <script>alert(2)</script>", evil if label == "pos" else "neg") for text, label in pairs(120)]
    with live_page(evil) as served:
        trained(served, data, tokenizer="whitespace")
        with Tab(browser, served) as page:
            page.wait_for_selector("#texts > li")
            assert page.locator("img[src], #texts script").count() == 0
            assert evil in page.inner_text("h1") and "<script>" in page.inner_text("#texts")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1200])
def test_axe_finds_nothing_serious_and_nothing_overflows(browser: Any, scheme: str, width: int) -> None:
    axe = pytest.importorskip("axe_core_python.sync_playwright", reason="needs axe-core-python")
    with live_page("reviews") as served:
        trained(served, epochs=2)
        # axe is put into the page by the test, which the page's own policy would forbid.
        tab = Tab(browser, served, color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=True)
        with tab as page:
            page.wait_for_selector("#texts > li")
            found = axe.Axe().run(page)["violations"]
            assert [(one["id"], one["impact"]) for one in found if one["impact"] in ("serious", "critical")] == []
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_it_can_be_used_by_keyboard(browser: Any) -> None:
    with live_page() as served:
        trained(served, epochs=2)
        with Tab(browser, served) as page:
            page.wait_for_selector("#texts > li")
            page.keyboard.press("Tab")
            assert page.evaluate("document.activeElement.textContent") == "Skip to the predictions"
            page.keyboard.press("Tab")
            page.keyboard.press("Tab")
            page.keyboard.press("Enter")
            assert page.get_by_role("button", name="Network 1").get_attribute("aria-pressed") == "true"
