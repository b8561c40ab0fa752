"""The step in one native call against the readable one by autograd, whose parts have foreign oracles of their own."""

import dataclasses
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import entropy

from textrnn.cells import kernel_threads
from textrnn.config import ModelConfig, TrainingConfig
from textrnn.data import EncodedTexts
from textrnn.model import Noise, TextClassifier, initialize
from textrnn.native import library
from textrnn.training import lazy_adam
from textrnn.training.adversarial import Adversary
from textrnn.training.losses import CROSS_ENTROPY
from textrnn.training.native_step import native_step_or_none
from textrnn.training.optimizer import make_optimizer, set_rate
from textrnn.training.randomness import random_stream
from textrnn.training.steps import Setting, Taken, by_autograd, choose_step, divergence

VOCABULARY, TEXTS, CLASSES = 40, 30, 3
WEIGHTS = np.random.default_rng(5).permutation(np.linspace(0, 1, TEXTS, dtype=np.float32))

pytestmark = pytest.mark.skipif(library() is None, reason="the native library was not built")


def examples() -> tuple[EncodedTexts, Any]:
    """Texts of 0 to 11 tokens, the id of padding among them."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(0, 12, size=TEXTS)
    texts = EncodedTexts.from_ids([rng.integers(0, VOCABULARY, size=n).astype(np.int32) for n in lengths])
    return texts, rng.integers(0, CLASSES, size=TEXTS)


def make(backend: str = "native", **settings: Any) -> TextClassifier:
    model = TextClassifier(
        ModelConfig(**{"embedding_size": 6, "hidden_size": 7} | settings),
        vocabulary_size=VOCABULARY,
        classes=CLASSES,
        backend=backend,
        sparse_embedding=backend == "native",
    )
    return initialize(model, "torch", random_stream(0))


FROM_BASE = ("embedding.weight", "layers.0.left_to_right.from_input.weight", "layers.0.left_to_right.from_input.bias")


def setting(model: TextClassifier, *, stream: int = 1, optimizer: str = "adamw", **options: Any) -> Setting:
    config = TrainingConfig(learning_rate=0.01, weight_decay=0.1 if optimizer == "adamw" else 0.0, optimizer=optimizer)  # type: ignore[arg-type]
    pad_to = 12 if model.config.padding == "through" else None
    weights = torch.tensor([1.0, 2.0, 0.5]) if options.pop("weighted", False) else None
    loss = replace(CROSS_ENTROPY, weights=weights)
    r_drop, from_base = options.pop("r_drop", 0.0), options.pop("from_base", ())
    options.pop("weighted_texts", None)
    noise = Noise(random_stream(stream), **options, readings=2 if r_drop else 1)
    return Setting(model, make_optimizer(model, config, from_base), noise, 0.5, loss, pad_to, r_drop)


def train(
    of: Setting, *, native: bool, threads: int = 1, weights: Any = None
) -> tuple[list[Taken], dict[str, Any], list[Any]]:
    texts, targets = examples()
    if not native:
        assert of.model.backend != "native"
    take, taken = choose_step(of), []
    with kernel_threads(threads):
        for step in range(25):
            set_rate(of.optimizer, 0.01 / (1 + step / 10), 0.0 if step < 5 else 0.1)
            taken.append(take(texts.batch(np.arange(step % 5, TEXTS, 2), targets, weights)))
    of.optimizer.synchronize()
    states = [of.optimizer.state[parameter] for parameter in of.model.parameters()]
    return taken, of.model.weights(), [state[name] for state in states for name in ("step", "exp_avg", "exp_avg_sq")]


CASES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"cell": "gru", "pooling": "mean", "hidden_size": 16}, {"dropout": 0.5}),
    ({"cell": "gru", "pooling": "max", "bidirectional": True}, {"dropout": 0.3, "word_dropout": 0.2, "weighted": True}),
    ({"cell": "lstm", "pooling": "last", "bidirectional": True, "hidden_size": 33}, {"word_dropout": 0.3}),
    ({"cell": "lstm", "pooling": "mean", "padding": "through"}, {"dropout": 0.2, "optimizer": "adam"}),
    ({"cell": "elman", "pooling": "mean", "hidden_size": 20}, {}),
    ({"cell": "elman_relu", "pooling": "last"}, {"dropout": 0.4, "variational": True}),
    ({"cell": "mingru", "pooling": "mean", "bidirectional": True}, {"dropout": 0.2, "variational": True}),
    ({"cell": "gru", "pooling": "max", "bidirectional": True}, {"dropout": 0.3, "word_dropout": 0.2, "r_drop": 2.0}),
    (
        {"cell": "gru", "pooling": "max", "bidirectional": True},
        {"dropout": 0.3, "word_dropout": 0.2, "dropout_by_word": True},
    ),
    (
        {"cell": "lstm", "pooling": "mean"},
        {"dropout": 0.3, "dropout_by_word": True, "word_dropout": 0.2, "r_drop": 2.0},
    ),
    (
        {"cell": "mingru", "pooling": "mean", "padding": "through"},
        {"dropout": 0.3, "dropout_by_word": True, "r_drop": 1.0},
    ),
    ({"cell": "gru", "pooling": "max"}, {"dropout": 0.3, "from_base": FROM_BASE}),
    ({"cell": "lstm", "pooling": "mean"}, {"dropout": 0.3, "from_base": FROM_BASE, "optimizer": "adam"}),
    ({"cell": "elman", "pooling": "mean"}, {"dropout": 0.5, "r_drop": 0.7, "weighted": True}),
    ({"cell": "minlstm", "pooling": "max"}, {"dropout": 0.2, "word_dropout": 0.1, "weighted": True}),
    ({"cell": "gru", "pooling": "max"}, {"dropout": 0.2, "weighted_texts": True}),
    (
        {"cell": "lstm", "pooling": "mean"},
        {"r_drop": 1.5, "weighted": True, "weighted_texts": True, "word_dropout": 0.1},
    ),
]


@pytest.mark.parametrize(("model", "options"), CASES)
@pytest.mark.parametrize("history", [4096, 7])
def test_learns_as_autograd_does(
    model: dict[str, Any], options: dict[str, Any], history: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lazy_adam, "HISTORY", history)
    of_texts = WEIGHTS if options.get("weighted_texts") else None
    mine, weights, moments = train(setting(make(**model), **options), native=True, weights=of_texts)
    theirs, expected, others = train(setting(make("readable", **model), **options), native=False, weights=of_texts)
    for one, other in zip(mine, theirs, strict=True):
        assert one.loss == pytest.approx(other.loss, rel=1e-4)
        assert one.gradient_norm == pytest.approx(other.gradient_norm, rel=1e-3)
        assert one.correct == other.correct
    for name, value in weights.items():
        np.testing.assert_allclose(value, expected[name], rtol=0, atol=2e-4, err_msg=name)
    torch.testing.assert_close(moments, others, rtol=1e-2, atol=1e-4)


@pytest.mark.parametrize(("model", "options"), CASES[:3])
def test_the_number_of_threads_changes_no_bit(model: dict[str, Any], options: dict[str, Any]) -> None:
    alone = train(setting(make(**model), **options), native=True)
    for threads in (2, 3):
        together = train(setting(make(**model), **options), native=True, threads=threads)
        assert alone[0] == together[0]
        assert all((alone[1][name] == value).all() for name, value in together[1].items())


def test_what_it_leaves_to_autograd() -> None:
    def native(of: Setting) -> bool:
        return native_step_or_none(of.model, of.optimizer, of.noise, max_norm=1.0) is not None

    assert native(setting(make()))
    assert not native(setting(make("readable")))
    assert not native(setting(make(layers=2)))
    assert not native(setting(make(), recurrent_dropout=0.1))
    dense = make()
    dense.embedding.sparse = False
    assert not native(setting(dense))
    assert native(setting(make(), from_base=FROM_BASE))


def test_an_adversary_goes_by_autograd() -> None:
    texts, targets = examples()
    batch = texts.batch(np.arange(1, 9), targets)
    config = TrainingConfig(adversarial=1.0, virtual_adversarial=1.0)
    moved = []
    for take in (choose_step, lambda of: partial(by_autograd, of)):
        of = dataclasses.replace(setting(make()), adversary=Adversary.from_config(config, None, None))
        take(of)(batch, texts.batch(np.arange(9, 20), None))
        of.optimizer.synchronize()
        moved.append(of.model.weights())
    plain = setting(make())
    by_autograd(plain, batch)
    plain.optimizer.synchronize()
    for name, value in moved[0].items():
        np.testing.assert_array_equal(value, moved[1][name])
    assert any((value != moved[0][name]).any() for name, value in plain.model.weights().items())


def test_nothing_is_learnt_from_a_loss_that_is_no_number() -> None:
    texts, targets = examples()
    for native in (True, False):
        of = setting(make())
        with torch.no_grad():
            of.model.head.bias[1] = torch.nan
        before = of.model.weights()
        batch = texts.batch(np.arange(8), targets)
        taken = choose_step(of)(batch) if native else by_autograd(of, batch)
        assert not taken.finite
        for name, value in of.model.weights().items():
            np.testing.assert_array_equal(value, before[name])


def test_refuses_what_lies_outside() -> None:
    texts, targets = examples()
    take = choose_step(setting(make()))
    with pytest.raises(ValueError, match="none of the classes"):
        take(texts.batch(np.arange(8), targets + CLASSES))
    outside = EncodedTexts.from_ids([np.array([1, VOCABULARY], dtype=np.int32)])
    with pytest.raises(ValueError, match="outside the vocabulary"):
        take(outside.batch(np.arange(1), targets))


def test_divergence_is_that_of_scipy() -> None:
    logits = torch.from_numpy(np.random.default_rng(3).normal(size=(10, 4)))
    p, q = torch.softmax(logits, dim=1).numpy().reshape(2, 5, 4)
    expected = (entropy(p, q, axis=1) + entropy(q, p, axis=1)).mean() / 2
    assert divergence(logits).item() == pytest.approx(expected, rel=1e-12)
