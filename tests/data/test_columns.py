"""The choice of columns: certain, or refused."""

import pytest

from textrnn.data.columns import LABEL_NAMES, TEXT_NAMES, Wanted, choose_columns
from textrnn.errors import DataError

CHOSEN: list[tuple[list[str], Wanted, tuple[int, int | None]]] = [
    (["label", "text"], Wanted(), (1, 0)),
    (["Review", "STARS", "id"], Wanted(), (0, 1)),
    (["", " text ", "sentiment"], Wanted(), (1, 2)),
    (["text", "v1"], Wanted(), (0, 1)),
    (["v1", "label"], Wanted(), (0, 1)),
    (["a", "b"], Wanted(text="b"), (1, 0)),
    (["a", "b"], Wanted(label="b"), (0, 1)),
    (["a", "b", "c"], Wanted(text="c", label="a"), (2, 0)),
    (["text", "review", "label"], Wanted(text="review"), (1, 2)),
    (["text", "label", "category"], Wanted(label="category"), (0, 2)),
    (["text", "label"], Wanted(text="label", label="text"), (1, 0)),
    (["v1", "v2", "", "", ""], Wanted(text="v2", label="v1"), (1, 0)),
    (["anything"], Wanted(need_label=False), (0, None)),
    (["text", "label"], Wanted(need_label=False), (0, None)),
    (["id", "text", "more"], Wanted(need_label=False), (1, None)),
    (["a", "label"], Wanted(need_label=False), (0, None)),
    (["text", "a", "b"], Wanted(label="b", need_label=False), (0, 2)),
]


@pytest.mark.parametrize(("names", "wanted", "expected"), CHOSEN)
def test_chosen(names: list[str], wanted: Wanted, expected: tuple[int, int | None]) -> None:
    assert choose_columns(names, wanted) == expected


REFUSED: list[tuple[list[str], Wanted, str]] = [
    (["a", "b"], Wanted(), "cannot tell which column is the text: found 'a', 'b'; pass"),
    (["text", "review"], Wanted(), "cannot tell which column is the text: found 'text', 'review'; pass"),
    (["text", "label", "stars"], Wanted(), "cannot tell which column is the label: found"),
    (["text", "a", "b"], Wanted(), "cannot tell which column is the label: found 'text', 'a', 'b'; pass"),
    (["a", "b", "c"], Wanted(need_label=False), "cannot tell which column is the text"),
    (
        ["text"],
        Wanted(),
        "cannot tell which column is the label: found 'text'; expected two columns, text and",
    ),
    (["text\tlabel"], Wanted(need_label=True), r"seem to be separated by '\\t'"),
    (
        ["text", "label"],
        Wanted(text="text", label="text"),
        "text and label are both the column 'text', expected",
    ),
    (
        ["text", "label"],
        Wanted(text="tekst"),
        "no column 'tekst', found 'text', 'label'; did you mean 'text'?",
    ),
    (["text", "label"], Wanted(label="zzz"), "there is no column 'zzz', found 'text', 'label'"),
    (["a", "x", "x"], Wanted(text="a", label="x"), "two columns have the name 'x', expected different names"),
    (["x" * 50, *map(str, range(30))], Wanted(), f"found '{'x' * 39}…', '0', "),
    ([*map(str, range(30))], Wanted(), r"'19', … \(30 in all\); pass"),
]


@pytest.mark.parametrize(("names", "wanted", "sentence"), REFUSED)
def test_refused(names: list[str], wanted: Wanted, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence.replace("?", r"\?")):
        choose_columns(names, wanted)


def test_the_place_is_told() -> None:
    with pytest.raises(DataError, match=r"^a\.csv, line 3: there is no column 'c'"):
        choose_columns(["a", "b"], Wanted(text="c"), path="a.csv", line=3)


def test_no_name_is_known_as_both() -> None:
    assert not TEXT_NAMES & LABEL_NAMES
    assert all(name == name.lower() for name in TEXT_NAMES | LABEL_NAMES)
