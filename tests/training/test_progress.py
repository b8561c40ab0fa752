"""What people and pipes see of a training."""

import io
import json
import sys

import msgspec
import pytest

from textrnn.history import EpochRecord
from textrnn.training import Step
from textrnn.training.progress import describe, json_lines, progress_bar, progress_bar_or_nothing

STEP = Step(epoch=1, index=1, steps=2, loss=0.5, learning_rate=0.1, gradient_norm=1.0, tokens=7)
RECORD = EpochRecord(
    epoch=3,
    loss=0.25,
    accuracy=0.875,
    learning_rate=0.1,
    gradient_norm=0.5,
    tokens_per_second=123_456.0,
    validation={"loss": 0.5, "accuracy": 0.75, "macro_f1": 0.7},
)
LINE = (
    "epoch   3  loss 0.2500  accuracy  87.50 %  validation:  loss 0.5000  accuracy  75.00 %  macro_f1 0.7000"
    "  123k tokens/s"
)


def test_one_line_an_epoch() -> None:
    assert describe(RECORD) == LINE
    bare = msgspec.structs.replace(RECORD, validation=None, tokens_per_second=None)
    assert describe(bare) == "epoch   3  loss 0.2500  accuracy  87.50 %"


def test_json_lines_hold_the_whole_record() -> None:
    stream = io.StringIO()
    show = json_lines(stream)
    show(STEP)
    show(RECORD)
    assert [json.loads(line) for line in stream.getvalue().splitlines()] == [
        {"event": "epoch", **msgspec.structs.asdict(RECORD)}
    ]


def test_bar_prints_epochs_even_where_there_is_no_terminal() -> None:
    stream = io.StringIO()
    with progress_bar(5, stream) as show:
        show(STEP)
        show(RECORD)
    assert LINE in stream.getvalue()


def test_bar_counts_steps_in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with progress_bar_or_nothing(5) as show:
        show(STEP)
        show(RECORD)
    assert "epoch 1 of at most 5" in terminal.getvalue() and "1/2 steps  loss 0.5000" in terminal.getvalue()


def test_a_notebook_gets_lines_and_a_script_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    for expected in ("", LINE + "\n"):
        with progress_bar_or_nothing(5) as show:
            show(STEP)
            show(RECORD)
        assert capsys.readouterr().out == expected
        monkeypatch.setitem(sys.modules, "ipykernel", sys)
