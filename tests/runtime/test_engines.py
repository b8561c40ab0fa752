"""Every network that a model file can hold, computed by the runtime and by others."""

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from numpy.typing import NDArray

from builders import header, random_texts, random_weights
from runtime_oracles import expected_logits
from textrnn.config import ModelConfig
from textrnn.errors import ConfigError, ModelFileError
from textrnn.modelfile import CELL_TENSORS, Header, Weights
from textrnn.runtime import ENGINES, Classifier, NumpyNetwork, build_network, inputs, load
from textrnn.runtime.engines import VARIABLE
from textrnn.runtime.pooling import POOLS
from textrnn.runtime.steps import STEPS
from textrnn.settings import kinds

SETTINGS = [
    {"cell": cell, "pooling": pooling, "padding": padding, "layers": layers, "bidirectional": bidirectional}
    for cell, pooling, padding, layers, bidirectional in product(
        STEPS, POOLS, ["masked", "through"], [1, 3], [False, True]
    )
]
DEEP = [settings for settings in SETTINGS if settings["layers"] == 3]


def weights_of(head: Header) -> Weights:
    """Random ones; smaller where the state has no bound, so that scores of rounding errors stay comparable."""
    return random_weights(head, scale=0.3 if head.model.cell == "elman_relu" else 0.6)


def name(settings: dict[str, Any]) -> str:
    return "-".join(map(str, settings.values()))


def listed(setting: str) -> set[str]:
    kind = kinds(ModelConfig)[setting]
    return set(get_args(get_args(kind)[0]))


def ids_of(classifier: Classifier, texts: Sequence[str]) -> list[NDArray[np.int32]]:
    return [classifier.encoder.encode(text) for text in texts]


def test_every_cell_and_pooling_of_the_settings_has_a_runtime() -> None:
    assert STEPS.keys() == CELL_TENSORS.keys() == listed("cell")
    assert POOLS.keys() == listed("pooling")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("settings", SETTINGS, ids=name)
def test_matches_the_oracle(settings: dict[str, Any], engine: str, tmp_path: Path) -> None:
    head = header(["a", "b", "c"], **settings)
    classifier = Classifier(head, weights_of(head))
    texts = ids_of(classifier, random_texts(70, longest=12))
    network = ENGINES[engine](head.model, classifier.weights, max_length=12)
    expected = expected_logits(head.model, classifier.weights, texts, max_length=12)
    assert expected.std() > 0.1
    np.testing.assert_allclose(network.logits(texts), expected, rtol=1e-5, atol=1e-5)
    path = tmp_path / "m.textrnn"
    classifier.save(path)
    loaded = ENGINES[engine](head.model, load(path).weights, max_length=12)
    np.testing.assert_array_equal(loaded.logits(texts), network.logits(texts))


@pytest.mark.parametrize("cell", STEPS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_long_texts_and_sizes_of_no_vector(cell: str, bidirectional: bool) -> None:
    head = header(cell=cell, bidirectional=bidirectional, layers=2, hidden_size=33, embedding_size=17, max_length=700)
    classifier = Classifier(head, random_weights(head, scale=0.15))
    texts = ids_of(classifier, [*random_texts(5, longest=600), "good film " * 350, "bad", ""])
    expected = expected_logits(head.model, classifier.weights, texts, max_length=700)
    np.testing.assert_allclose(classifier._network.logits(texts), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("settings", DEEP, ids=name)
def test_batch_mates_change_nothing_to_the_bit(settings: dict[str, Any]) -> None:
    head = header(["a", "b", "c"], **settings)
    weights = weights_of(head)
    texts = random_texts(77)
    together = Classifier(head, weights).logits(texts)
    fresh = Classifier(head, weights)  # with tables that are filled in another order
    alone = np.concatenate([fresh.logits([text]) for text in texts[::-1]])[::-1]
    np.testing.assert_array_equal(alone, together)
    order = np.random.default_rng(0).permutation(77)
    np.testing.assert_array_equal(fresh.logits([texts[row] for row in order]), together[order])
    with_giants = fresh.logits([*texts, "film " * 500, "good " * 12])[:77]
    np.testing.assert_array_equal(with_giants, together)


@pytest.mark.parametrize("hidden_size", [1, 16, 128, 131])
@pytest.mark.parametrize("cell", STEPS)
def test_batch_mates_change_nothing_whatever_the_size(cell: str, hidden_size: int) -> None:
    head = header(cell=cell, hidden_size=hidden_size, embedding_size=100, layers=2, bidirectional=True)
    weights = random_weights(head, scale=0.1)
    texts = random_texts(40)
    together = Classifier(head, weights).logits(texts)
    streamed = Classifier(head, weights)
    alone = np.concatenate([streamed.logits([text]) for text in texts])
    np.testing.assert_array_equal(alone, together)


@pytest.mark.parametrize("settings", DEEP, ids=name)
def test_folding_changes_nothing(settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    head = header(["a", "b", "c"], **settings)
    weights, texts = weights_of(head), random_texts(40)
    monkeypatch.setattr(inputs, "LARGEST_FOLD", 10**9)
    folded = Classifier(head, weights).logits(texts)
    monkeypatch.setattr(inputs, "LARGEST_FOLD", 0)
    unfolded = Classifier(head, weights)
    np.testing.assert_allclose(unfolded.logits(texts), folded, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(np.concatenate([unfolded.logits([text]) for text in texts]), unfolded.logits(texts))


@pytest.mark.parametrize("settings", DEEP, ids=name)
def test_empty_texts_are_legal(settings: dict[str, Any]) -> None:
    head = header(["a", "b", "c"], **settings)
    classifier = Classifier(head, weights_of(head))
    scores = classifier.logits(["", "good film", ""])
    assert np.isfinite(scores).all()
    if settings["padding"] == "masked":
        np.testing.assert_array_equal(scores[[0, 2]], [classifier.weights["head.bias"]] * 2)
    assert classifier.logits([]).shape == (0, 3) and classifier.predict([]) == []


@pytest.mark.parametrize("cell", ["mingru", "minlstm"])
def test_gates_that_are_shut_are_no_division_by_zero(cell: str) -> None:
    """sigmoid(-200) is 0 in 32 bits; with both gates of a minLSTM there the quotient is that of their exponentials."""
    head = header(cell=cell, pooling="last")
    weights = weights_of(head)
    size = head.model.hidden_size
    bias = weights["layers.0.left_to_right.from_input.bias"]
    bias[:size], bias[size : (len(bias) // size - 1) * size] = -200, -201
    classifier = Classifier(head, weights)
    texts = ids_of(classifier, random_texts(40))
    expected = expected_logits(head.model, weights, texts, max_length=12)
    np.testing.assert_allclose(classifier._network.logits(texts), expected, rtol=1e-5, atol=1e-5)


def test_scores_that_overflow_are_told() -> None:
    head = header(cell="elman_relu", max_length=1000)
    weights = weights_of(head)
    weights["layers.0.left_to_right.from_hidden.weight"][:] = 1e10
    classifier = Classifier(head, weights)
    assert classifier.predict("good").label in ("neg", "pos")
    with pytest.raises(ModelFileError, match="states of this network overflow"):
        classifier.predict("good film story " * 100)


def test_engines_are_chosen_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    head = header()
    weights = weights_of(head)
    monkeypatch.setenv(VARIABLE, "gpu")
    with pytest.raises(ConfigError, match=f"{VARIABLE}: expected one of .*numpy, got 'gpu'"):
        Classifier(head, weights)
    monkeypatch.setenv(VARIABLE, "numpy")
    assert isinstance(build_network(head.model, weights, max_length=12), NumpyNetwork)


def test_an_engine_that_does_not_load_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object, **options: object) -> Any:
        raise ImportError("built for another machine")

    head = header()
    weights = weights_of(head)
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr("textrnn.runtime.engines.ENGINES", {"broken": broken, "numpy": ENGINES["numpy"]})
    assert isinstance(build_network(head.model, weights, max_length=12), NumpyNetwork)
    monkeypatch.setenv(VARIABLE, "broken")
    with pytest.raises(ConfigError, match=r"no engine runs on this machine: broken \(built for another machine\)"):
        build_network(head.model, weights, max_length=12)
