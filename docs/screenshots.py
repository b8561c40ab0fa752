"""Takes the pictures of the explorer: python docs/screenshots.py MODEL OTHER, two model files of sentences in English.

Those in the repository show a model of sst2 by `textrnn train train.csv.gz --effort quick`, and beside it one by
`--effort plain --cell lstm`. It needs Chromium, playwright and Pillow.
"""

import io
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import textrnn
from textrnn.explorer import write_html

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from browsing import opened, opened_browser

FOLDER = Path(__file__).with_name("screenshots")
TEXT = "The acting is wonderful and the story is not bad at all, but the ending is a lifeless mess."
MOST_BYTES = 300_000


def take(browser: "Browser", path: Path, name: str, *, word: str = "", full: bool = True, **context: Any) -> None:
    """One picture of the page, with a word chosen."""
    with opened(browser, path, **context) as page:
        if word:
            page.locator(".words [role=option]", has_text=word).first.click()
        page.mouse.move(0, 0)
        page.wait_for_timeout(400)
        save(page, name, full=full)


def save(page: "Page", name: str, *, full: bool, part: str = "") -> None:
    """In few colours, so that it stays small."""
    from PIL import Image

    raw = page.locator(part).screenshot() if part else page.screenshot(full_page=full)
    picture = Image.open(io.BytesIO(raw)).convert("RGB").quantize(200)
    path = FOLDER / f"{name}.png"
    picture.save(path, optimize=True)
    size = path.stat().st_size
    print(f"{path.name}: {picture.width} x {picture.height}, {size:,} bytes")
    if size > MOST_BYTES:
        sys.exit(f"{path} is larger than {MOST_BYTES:,} bytes")


def main(model: str, other: str) -> None:
    """All of them."""
    FOLDER.mkdir(exist_ok=True)
    first, second = textrnn.load(model), textrnn.load(other)
    with tempfile.TemporaryDirectory() as folder, opened_browser() as browser:
        single, both = Path(folder) / "reviews.html", Path(folder) / "both.html"
        write_html(first, single, names=["reviews.textrnn"], text=TEXT)
        write_html(first, both, second=second, names=["gru.textrnn", "lstm.textrnn"], text=TEXT)
        for scheme in ("light", "dark"):
            take(browser, single, f"explorer-{scheme}", word="lifeless", color_scheme=scheme)
        take(browser, single, "explorer-single-file", full=False, word="mess", viewport={"width": 1280, "height": 800})
        take(browser, single, "explorer-400", word="lifeless", viewport={"width": 400, "height": 850})
        take(browser, both, "explorer-two-models", word="lifeless", viewport={"width": 1500, "height": 900})
        with opened(browser, single) as page:
            page.locator(".words [role=option]", has_text="lifeless").first.click()
            page.keyboard.press("ArrowRight")
            page.keyboard.press("ArrowLeft")
            save(page, "explorer-step", full=False, part=".step")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
