"""How long does the explorer take for a keystroke? Measured in the page itself, in headless Chromium.

A text of 200 words, models with random weights, and a known word that is exchanged for another at the end, in the
middle or at the beginning; a letter typed at the end costs as much or less. Milliseconds of

    read      tokens, states and scores
    draw      what the page changes after that
    frame     from the beginning of `read` until the browser has laid out and painted the page, without a GPU

What is written goes between two marks of docs/explorer.md: `python -m benchmarks.explorer`.
"""

import json
import os
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from textrnn.config import ModelConfig, TextConfig
from textrnn.explorer import write_html
from textrnn.modelfile import FORMAT_VERSION, Header, expected_tensors
from textrnn.runtime import Classifier

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "explorer.md"
BEGIN, END = "<!-- measured: begin -->\n", "<!-- measured: end -->"
WORDS, TYPED, ROUNDS = 200, 3000, 60
MODELS: dict[str, dict[str, Any]] = {
    "GRU-128": {"cell": "gru"},
    "GRU-128, both directions": {"cell": "gru", "bidirectional": True, "pooling": "max"},
    "LSTM-128, both directions": {"cell": "lstm", "bidirectional": True, "pooling": "max"},
    "4 × GRU-128, both directions": {"cell": "gru", "bidirectional": True, "pooling": "max", "members": 4},
}
PLACES = ("end", "middle", "beginning")
CHROMIUM = os.environ.get("TEXTRNN_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync", "--no-first-run"]

MEASURE = """
async ([base, texts]) => {
  const box = document.getElementById("text");
  const found = { read: [], draw: [], frame: [] };
  const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
  const write = (text) => {
    box.value = text;
    box.dispatchEvent(new Event("input"));
  };
  write(base);
  await pause(300);
  for (const text of texts) {
    performance.clearMeasures();
    write(text);
    const painted = await new Promise((done) => requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => done(performance.now());
      channel.port2.postMessage(0);
    }));
    const [read] = performance.getEntriesByName("textrnn:read");
    const [draw] = performance.getEntriesByName("textrnn:draw");
    found.read.push(read.duration);
    found.draw.push(draw.duration);
    found.frame.push(painted - read.startTime);
    await pause(20);
  }
  return found;
}
"""


def classifier(**model: Any) -> Classifier:
    """With random weights and TYPED words."""
    words = [f"w{word}" for word in range(TYPED)]
    head = Header(
        format_version=FORMAT_VERSION,
        labels=["neg", "pos"],
        text=TextConfig(),
        vocabulary=["<PAD>", "<UNK>", *words],
        model=ModelConfig(**model),
    )
    rng = np.random.default_rng(0)
    shapes = expected_tensors(head).items()
    return Classifier(head, {name: (0.1 * rng.standard_normal(shape)).astype(np.float32) for name, shape in shapes})


def texts_of(place: str) -> tuple[str, list[str]]:
    """A text, and the same with another word at a place each time."""
    words = [f"w{7 * word % TYPED}" for word in range(WORDS)]
    at = {"end": WORDS - 1, "middle": WORDS // 2, "beginning": 0}[place]
    changed = [[*words[:at], f"w{11 * turn + 1}", *words[at + 1 :]] for turn in range(ROUNDS)]
    return " ".join(words), [" ".join(one) for one in changed]


def measure() -> list[dict[str, Any]]:
    """A row for each model and place: medians and least values in milliseconds."""
    from playwright.sync_api import sync_playwright

    rows = []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for name, model in MODELS.items():
            path = Path(folder) / "page.html"
            write_html(classifier(**model), path)
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(path.as_uri())
            page.wait_for_selector("html[data-ready]")
            for place in PLACES:
                times = page.evaluate(MEASURE, list(texts_of(place)))
                row: dict[str, Any] = {"model": name, "place": place, "browser": f"Chromium {browser.version}"}
                for part, values in times.items():
                    row |= {part: statistics.median(values), f"least {part}": min(values)}
                row["load average"] = [round(load, 2) for load in os.getloadavg()]
                rows.append(row)
            page.close()
        browser.close()
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown, with what it was measured on."""
    from benchmarks.__main__ import processor

    loads = [row["load average"][0] for row in rows]
    lines = [
        f"{processor()}, {os.cpu_count()} cores, load {min(loads):.1f} to {max(loads):.1f} by others, "
        f"{rows[0]['browser']}, headless and without a GPU; median (least) of {ROUNDS}, in milliseconds.",
        "",
        "| model | word exchanged at the | read | draw | frame |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        cells = [f"{row[part]:.1f} ({row[f'least {part}']:.1f})" for part in ("read", "draw", "frame")]
        lines.append(f"| {row['model']} | {row['place']} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    found = measure()
    print(json.dumps(found, indent=1))
    document = DOCUMENT.read_text(encoding="utf-8")
    before, rest = document.split(BEGIN)
    DOCUMENT.write_text(before + BEGIN + table(found) + END + rest.split(END)[1], encoding="utf-8")
    results = ROOT / "benchmarks" / "explorer.json"
    results.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")
