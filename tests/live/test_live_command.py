"""`textrnn train --live` as a user runs it."""

import json
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

import textrnn
from commands import TEXTRNN
from made import write_csv

SETTINGS = ["--effort", "plain", "--epochs", "2", "--hidden-size", "8", "--progress", "none"]


def started(folder: Path, *options: str) -> tuple[subprocess.Popen[str], str]:
    """The process, and the address that it tells."""
    data = write_csv(folder / "d.csv", 200)
    command = [*TEXTRNN, "train", str(data), *SETTINGS, "--out", str(folder / "d.textrnn"), "--live", *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stderr is not None
    found = re.search(r"http://127\.0\.0\.1:\d+/", process.stderr.readline())
    assert found
    return process, found[0]


def state_of(url: str) -> Any:
    with urllib.request.urlopen(f"{url}state.json", timeout=10) as answer:
        return json.load(answer)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for other processes")
def test_it_stays_until_ctrl_c(tmp_path: Path) -> None:
    process, url = started(tmp_path, "--live-stay", "--watch", "good w3")
    try:
        deadline = time.monotonic() + 120
        while state_of(url)["status"] != "finished":
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.1)
        while not (tmp_path / "d.textrnn").exists():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        time.sleep(0.5)
        found = state_of(url)
        assert process.poll() is None and len(found["networks"][0]["epochs"]) == 2
        assert found["texts"] == [{"text": "good w3", "expected": None}]
        answer = textrnn.load(tmp_path / "d.textrnn").predict_proba(["good w3"])[0]
        assert [value for _, value in found["final"]["said"][0]["answer"]] == pytest.approx(answer, abs=1e-5)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        assert process.returncode == 0 and "saved" in out and "stays until Ctrl-C" in err and "Traceback" not in err
    finally:
        process.kill()


def test_it_ends_when_the_training_does(tmp_path: Path) -> None:
    process, url = started(tmp_path)
    try:
        assert state_of(url)["title"] == "d.textrnn"
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0 and "Traceback" not in err
        with pytest.raises(OSError):
            state_of(url)
    finally:
        process.kill()


def test_an_interrupted_training_goes_on_and_shows_what_was(tmp_path: Path) -> None:
    """Resumed from a checkpoint, the epochs before are told again."""
    from made import pairs
    from textrnn.live import LiveState
    from textrnn.training import Step

    settings: dict[str, Any] = {"effort": "plain", "epochs": 4, "hidden_size": 8, "timings": False}
    checkpoint = tmp_path / "c"

    def stop(event: Any) -> None:
        if isinstance(event, Step) and event.epoch == 3:
            raise KeyboardInterrupt

    textrnn.train(pairs(200), checkpoint=checkpoint, on_event=stop, watch=True, **settings)
    state = LiveState()
    resumed = textrnn.train(pairs(200), checkpoint=checkpoint, resume=True, on_event=state, watch=True, **settings)
    found = json.loads(state.as_json()[1])
    assert [record["epoch"] for record in found["networks"][0]["epochs"]] == [1, 2, 3, 4]
    assert [look["epoch"] for look in found["networks"][0]["looks"]] == [3, 4]
    whole = textrnn.train(pairs(200), **settings)
    assert all((resumed.weights[name] == whole.weights[name]).all() for name in whole.weights)
