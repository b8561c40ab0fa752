"""How long a training will take, told beforehand, on a clock of our own; and texts whose sample shares nothing."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import textrnn
from textrnn.config import Recipe
from textrnn.data import read_labelled
from textrnn.training import estimate


@pytest.mark.parametrize("texts", [5, 400, 4000])
def test_the_n_grams_are_timed_on_a_sample(texts: int, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, learned = [100.0], []

    def fit(some: list[str], targets: Any, *further: Any, **settings: Any) -> None:
        assert [int(text.split()[1]) % 2 for text in some] == targets.tolist()  # texts keep their targets
        learned.append(len(some))
        clock[0] += 0.001 * len(some) + (3.0 if len(learned) == 1 else 0.0)  # the first time libraries are loaded

    monkeypatch.setattr(estimate, "fit_ngrams", fit)
    monkeypatch.setattr("time.perf_counter", lambda: clock[0])
    targets = np.arange(texts) % 2
    rows = [(f"text {index}", "no yes".split()[target]) for index, target in enumerate(targets)]
    dataset = read_labelled(rows)
    seconds = estimate.ngram_seconds(Recipe.from_settings(ngrams=2), dataset, 2)
    sample = min(texts, 1000)
    assert learned[-1] == sample
    assert seconds == pytest.approx(5 * 0.001 * sample * (texts / sample) ** 1.3)


LABELS: dict[str, list[Any]] = {
    "single_label": ["no", "yes", "perhaps"],
    "multi_label": [[], ["x"], ["x", "y"]],
    "ordinal": [1, 2, 3],
    "regression": [0.5, 2.0, 3.25],
}


@pytest.mark.parametrize("task", LABELS)
def test_texts_without_a_common_ngram(task: str, tmp_path: Path) -> None:
    texts = [f"t{index}" for index in range(60)]
    labels = [LABELS[task][index % 3] for index in range(60)]
    settings: dict[str, Any] = {"hidden_size": 4, "embedding_size": 4, "epochs": 1, "members": 1, "character_ngrams": 0}
    quiet: dict[str, Any] = {"on_event": lambda event: None}
    trained = textrnn.train(texts, labels, task=task, ngrams=2, **settings, **quiet)
    assert trained.header.ngrams == 0
    trained.save(tmp_path / "one.textrnn")
    logits = textrnn.load(tmp_path / "one.textrnn").logits(["t1", "something else"])
    assert np.isfinite(logits).all()
    np.testing.assert_array_equal(logits, trained.logits(["t1", "something else"]))
