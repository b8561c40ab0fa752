"""The state of the page: complete for small trainings, bounded for long ones."""

import json
import threading

import numpy as np
import pytest

import textrnn
from made import pairs
from textrnn.history import EpochRecord
from textrnn.live import LiveState
from textrnn.live.thinned import Means, Thinned
from textrnn.training import Step


@pytest.mark.parametrize("most", [1, 4, 7])
@pytest.mark.parametrize("count", [0, 1, 5, 8, 9, 100, 1000])
def test_thinned_keeps_equal_distances_and_the_last(most: int, count: int) -> None:
    series: Thinned[int] = Thinned(most)
    for number in range(count):
        series.add(number)
    items = series.items()
    assert items[-1:] == ([count - 1] if count else []) and len(items) <= most + 1
    assert items[:-1] == list(range(0, count, series.stride))[: len(items) - 1]
    if count <= most:
        assert items == list(range(count))


@pytest.mark.parametrize("count", [1, 7, 8, 9, 16, 17, 123, 1000])
def test_means_are_numpy_s(count: int) -> None:
    values = np.random.default_rng(0).standard_normal((count, 2))
    means = Means(8)
    for step, row in enumerate(values, 1):
        means.add(step, *row)
    rows, width = means.rows(), means.width
    assert len(rows) <= 10
    for number, (place, *found) in enumerate(rows):
        stretch = values[number * width : (number + 1) * width]
        assert place == number * width + len(stretch)
        np.testing.assert_allclose(found, stretch.mean(axis=0), atol=1e-12)
    assert rows[-1][0] == count


def test_the_state_is_the_history_of_the_training() -> None:
    state = LiveState("reviews")
    assert json.loads(state.as_json()[1])["status"] == "starting"
    classifier = textrnn.train(pairs(240), on_event=state, watch=True, members=2, epochs=2, hidden_size=8, ngrams=2)
    version, raw = state.as_json()
    found = json.loads(raw)
    assert found["version"] == version and found["status"] == "finished" and found["title"] == "reviews"
    assert [network["number"] for network in found["networks"]] == [1, 2]
    assert [record["loss"] for record in found["networks"][0]["epochs"]] == [one.loss for one in classifier.history]
    assert found["networks"][1]["epochs"][1]["network"] == 2
    parts = classifier.header.provenance.parts  # type: ignore[union-attr]
    assert [part["scale"] for part in found["final"]["parts"]] == [part.scale for part in parts]
    texts = [one["text"] for one in found["texts"]]
    expected = classifier.predict_proba(texts)
    for said, row in zip(found["final"]["said"], expected, strict=True):
        assert [place for place, _ in said["answer"]] == [0, 1]
        np.testing.assert_allclose([value for _, value in said["answer"]], row, atol=1e-5)


def test_a_long_training_stays_small() -> None:
    state = LiveState()
    for epoch in range(1, 1001):
        for index in range(1, 21):
            state(Step(epoch, index, 20, 0.123456789, 0.01, 1.23456789, 100))
        state(
            EpochRecord(
                epoch=epoch, loss=0.1, accuracy=0.5, learning_rate=0.1, gradient_norm=0.3, tokens_per_second=1.0
            )
        )
    raw = state.as_json()[1]
    network = json.loads(raw)["networks"][0]
    assert len(raw) < 200_000 and network["epochs"][-1]["epoch"] == 1000 and network["steps"][-1][0] == 1000


def test_reading_while_it_is_written_is_always_consistent() -> None:
    state = LiveState()
    ended = threading.Event()
    faults: list[str] = []

    def read() -> None:
        while not ended.is_set():
            found = json.loads(state.as_json()[1])
            for network in found["networks"]:
                if found["now"][:2] != [1, network["steps"][-1][0] // 1 + (network["steps"][-1][0] % 1 > 0)]:
                    faults.append(str(found["now"]))

    reader = threading.Thread(target=read)
    reader.start()
    for epoch in range(1, 51):
        for index in range(1, 51):
            state(Step(epoch, index, 50, 0.5, 0.01, 1.0, 10))
    ended.set()
    reader.join()
    assert not faults
