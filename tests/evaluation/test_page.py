import re
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from textrnn.errors import MissingDependencyError, OutputError
from textrnn.evaluation import Evaluation, write_html
from textrnn.history import EpochRecord

HOSTILE = '</title></svg><script>alert("x")</script><img src=x onerror=alert(1)>{{ 7 * 7 }}$\\frac'
VOID = {"meta", "link", "img", "br", "use"}


class Reader(HTMLParser):
    """Elements with their attributes, visible texts, and whether every element is closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append(data.strip())


@pytest.mark.parametrize("classes", [2, 6, 12, 20, 21, 150])
@pytest.mark.parametrize("with_history", [True, False])
def test_hostile_texts_stay_texts_and_nothing_is_fetched(
    evaluation_of: Callable[..., Evaluation],
    history: list[EpochRecord],
    tmp_path: Path,
    classes: int,
    with_history: bool,
) -> None:
    labels = [f"{i} {HOSTILE}" for i in range(classes)]
    evaluation = evaluation_of(classes, 400, labels, texts=[HOSTILE] * 400, places=[HOSTILE] * 400)
    records = history if with_history else []
    for name in ("one.html", "two.html"):
        write_html(tmp_path / name, evaluation, records, HOSTILE)
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()
    page = (tmp_path / "one.html").read_text("utf-8")
    reader = Reader(page)
    assert reader.open == []
    assert not {"script", "img", "iframe", "object", "link"} & {tag for tag, _ in reader.elements}
    assert HOSTILE in reader.texts
    for _, attributes in reader.elements:
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href", "xlink:href"):
            assert re.match(r"#|data:image/png;base64,", attributes.get(name) or "#")
    assert not re.search(r"@import|url\((?!#)", page)
    ids = [attributes["id"] for _, attributes in reader.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    used = set(re.findall(r'(?:url\(|xlink:href=")#([\w-]+)', page))
    labelled = {attributes.get("aria-labelledby") for _, attributes in reader.elements} - {None}
    assert used | labelled <= set(ids)


@pytest.mark.parametrize("classes", [2, 21])
def test_page_is_accessible(
    evaluation_of: Callable[..., Evaluation], history: list[EpochRecord], tmp_path: Path, classes: int
) -> None:
    write_html(tmp_path / "page.html", evaluation_of(classes, texts=["x"] * 400), history, "Reviews")
    reader = Reader((tmp_path / "page.html").read_text("utf-8"))
    tags = [tag for tag, _ in reader.elements]
    assert tags.count("h1") == tags.count("main") == tags.count("title") == 1
    assert next(tag for tag in tags if re.fullmatch(r"h\d", tag)) == "h1"
    assert all(a.get("scope") in {"col", "row"} for tag, a in reader.elements if tag == "th")
    assert all(a.get("aria-label") for tag, a in reader.elements if tag == "figure")
    assert tags.count("figure") == tags.count("svg") == (3 if classes == 2 else 4)
    assert ("html", {"lang": "en"}) in reader.elements


def test_page_shows_the_figures(
    evaluation_of: Callable[..., Evaluation], history: list[EpochRecord], tmp_path: Path
) -> None:
    evaluation = evaluation_of(3, labels=["ไม่ดี", "中文", "plain"], texts=["some text"] * 400)
    write_html(tmp_path / "page.html", evaluation, history, "Reviews")
    texts = Reader((tmp_path / "page.html").read_text("utf-8")).texts
    for value in (
        evaluation.accuracy.value,
        evaluation.macro_f1.value,
        evaluation.log_loss,
        evaluation.majority_share,
        *(scores.recall for scores in evaluation.per_class),
        *(record.loss for record in history),
    ):
        assert f"{value:.4f}" in texts
    for row in evaluation.confusion:
        assert set(map(str, row)) <= set(texts)
    assert {"Reviews", "ไม่ดี", "中文", "plain", "some text"} <= set(texts)


def test_colors_follow_the_page(
    evaluation_of: Callable[..., Evaluation], history: list[EpochRecord], tmp_path: Path
) -> None:
    write_html(tmp_path / "page.html", evaluation_of(30), history, "Reviews")
    page = (tmp_path / "page.html").read_text("utf-8")
    assert "prefers-color-scheme: dark" in page
    figures = page[page.index("<svg") :]
    assert "var(--ink)" in figures
    assert not re.search(r"(?:fill|stroke): #(?!ffffff)", figures)


def test_one_class_only_and_unwritable_path(
    evaluation_of: Callable[..., Evaluation], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluation = evaluation_of(2, 1)
    assert evaluation.roc_auc is None
    write_html(tmp_path / "page.html", evaluation, [], "One")
    assert "undefined: one class only" in (tmp_path / "page.html").read_text("utf-8")
    with pytest.raises(OutputError, match="does not exist"):
        write_html(tmp_path / "missing" / "page.html", evaluation, [], "One")
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingDependencyError, match=r"jinja2.*pip install 'textrnn\[evaluate\]'"):
        write_html(tmp_path / "page.html", evaluation, [], "One")
