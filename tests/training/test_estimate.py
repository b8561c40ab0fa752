"""How long a training will take, told beforehand, on a clock of our own."""

from typing import Any

import numpy as np
import pytest

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
    assert seconds == pytest.approx(3 * 0.001 * sample * (texts / sample) ** 1.3)
