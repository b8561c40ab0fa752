"""The explorer as one file: page, style, script and models, with nothing left to download."""

import base64
import hashlib
import html
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from textrnn.explorer.payload import payload
from textrnn.explorer.scripts import page_script, read
from textrnn.explorer.unicode_kinds import code_point_runs
from textrnn.files import replacing
from textrnn.runtime import Classifier

FIRST_TEXT = "It is not bad at all, although the beginning is a little slow."


def write_html(
    classifier: Classifier,
    path: str | Path,
    *,
    second: Classifier | None = None,
    names: Sequence[str] = (),
    text: str = FIRST_TEXT,
) -> None:
    """Write one page that reads any text with the model inside it, without network access.

    Args:
        classifier: the model; a page holds four thirds of its weights' bytes.
        path: the file; an older one is replaced only when the new one is complete.
        second: a model to stand beside it.
        names: what the page calls them.
        text: what stands in the box at first.

    Raises:
        OutputError: the file cannot be written.
    """
    classifiers = [classifier] if second is None else [classifier, second]
    records = [payload(one, name).in_page() for one, name in zip(classifiers, named(classifiers, names), strict=True)]
    page = page_html(records, text=text)
    with replacing(path) as file:
        file.write(page.encode("utf-8", "replace"))


def named(classifiers: Sequence[Classifier], names: Sequence[str]) -> list[str]:
    """A name for each model; those that have none are counted."""
    return [*names, *(f"Model {k + 1}" for k in range(len(names), len(classifiers)))]


def page_html(records: Sequence[dict[str, Any]], *, text: str = FIRST_TEXT) -> str:
    """The page. `records`: of each model, with its weights or the path to them."""
    script, style = page_script(), read("style.css")
    data = {"kinds": code_point_runs(), "models": list(records)}
    parts = {
        "policy": content_security_policy(served=any("path" in record for record in records)),
        "title": html.escape("textrnn explorer: " + ", ".join(str(record["name"]) for record in records)),
        "style": style,
        "text": html.escape(text),
        "data": _for_script(data),
        "script": script,
    }
    # One pass from left to right: nothing that stands in a model is looked at for places to fill in.
    page: list[str] = []
    for piece in read("page.html").split("{"):
        name, found, rest = piece.partition("}")
        page += [parts[name], rest] if found else [piece]
    return "".join(page)


def content_security_policy(*, served: bool) -> str:
    """Only this very script and style may run, and the WebAssembly that the script itself writes.

    Requests go nowhere, or to where the page came from.
    """
    script, style = _digest(page_script()), _digest(read("style.css"))
    connect = "'self'" if served else "'none'"
    return (
        f"default-src 'none'; script-src {script} 'wasm-unsafe-eval'; style-src {style}; connect-src {connect}; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode('ascii')}'"


def _for_script(data: Any) -> str:
    """JSON that no HTML parser takes for markup: whatever stands in it, there is no `<`."""
    raw = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    return raw.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
