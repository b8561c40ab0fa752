"""Sparse gradients of a table against PyTorch's dense Adam and AdamW in float64 on the same gradients."""

import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from textrnn.config import ModelConfig, Recipe, TrainingConfig
from textrnn.data import EncodedTexts
from textrnn.model import TextClassifier, initialize
from textrnn.native import library
from textrnn.training import lazy_adam
from textrnn.training.clipping import clip_gradients
from textrnn.training.examples import EncodedExamples
from textrnn.training.fit import CheckpointFile, Fit, fit
from textrnn.training.lazy_adam import LazyAdam
from textrnn.training.optimizer import make_optimizer, set_rate
from textrnn.training.randomness import random_stream

ROWS, FEATURES = 90, 7
SETTINGS: dict[str, Any] = {"embedding_size": 4, "hidden_size": 5, "batch_size": 2, "dropout": 0.0, "patience": 0}
KINDS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}


@pytest.fixture(autouse=True, params=lazy_adam.IMPLEMENTATIONS)
def implementation(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test here runs with each implementation of the row arithmetic."""
    if request.param == "native" and library() is None:
        pytest.skip("the native library was not built")
    chosen = lazy_adam.IMPLEMENTATIONS[request.param]
    monkeypatch.setattr(lazy_adam, "implementation_for", lambda table: chosen)


def sparse(rows: Tensor, values: Tensor) -> Tensor:
    return torch.sparse_coo_tensor(rows.unsqueeze(0), values, (ROWS, values.shape[1]), check_invariants=True)


def falling_rate(step: int) -> float:
    return 0.02 * (1.1 + math.cos(step / 7))


class Sides:
    """A table and a bias: ours with sparse gradients in float32, PyTorch's dense optimiser in float64."""

    def __init__(self, kind: str, weight_decay: float) -> None:
        start = torch.randn(ROWS, FEATURES, generator=random_stream(3)), torch.ones(FEATURES)
        self.ours = [nn.Parameter(value.clone()) for value in start]
        self.theirs = [nn.Parameter(value.double()) for value in start]

        def groups(parameters: list[nn.Parameter]) -> list[dict[str, Any]]:
            return [{"params": parameters[:1], "weight_decay": weight_decay}, {"params": parameters[1:]}]

        self.optimizer = LazyAdam(KINDS[kind](groups(self.ours), lr=1.0, weight_decay=0.0, fused=True))
        self.dense = KINDS[kind](groups(self.theirs), lr=1.0, weight_decay=0.0)

    def step(self, rows: Tensor, values: Tensor, *, rate: float, prepare: Tensor | None, max_norm: float = 1e9) -> None:
        set_rate(self.optimizer, rate)
        for group in self.dense.param_groups:
            group["lr"] = rate
        if prepare is not None:
            self.optimizer.prepare(self.ours[0], prepare)
            torch.testing.assert_close(
                self.ours[0].detach()[prepare].double(), self.theirs[0].detach()[prepare], rtol=0, atol=2e-6
            )
        self.ours[0].grad = sparse(rows, values)
        self.ours[1].grad = values.sum(dim=0)
        self.theirs[0].grad = torch.zeros(ROWS, FEATURES).double().index_add(0, rows, values.double())
        self.theirs[1].grad = values.double().sum(dim=0)
        norm = clip_gradients(self.ours, max_norm)
        torch.testing.assert_close(norm.double(), clip_grad_norm_(self.theirs, max_norm), rtol=1e-6, atol=0)
        self.optimizer.step()
        self.dense.step()

    def assert_equal(self, atol: float = 2e-6) -> None:
        self.optimizer.synchronize()
        for ours, theirs in zip(self.ours, self.theirs, strict=True):
            torch.testing.assert_close(ours.detach().double(), theirs.detach(), rtol=0, atol=atol)
            for name in ("step", "exp_avg", "exp_avg_sq"):
                mine, expected = self.optimizer.state[ours][name], self.dense.state[theirs][name]
                # Decay in the gradient brings the rounding of weights near 1 into the first moment.
                smallest = 1e-8 if name == "exp_avg" else 1e-9
                torch.testing.assert_close(mine.double(), expected.double(), rtol=1e-4, atol=smallest)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("max_norm", [1e9, 0.3])
def test_every_row_at_every_step(kind: str, max_norm: float) -> None:
    sides, rng = Sides(kind, weight_decay=0.1), random_stream(1)
    for step in range(50):
        rows = torch.cat([torch.randperm(ROWS, generator=rng), torch.randint(ROWS, (40,), generator=rng)])
        values = torch.randn(len(rows), FEATURES, generator=rng)
        sides.step(rows, values, rate=falling_rate(step), prepare=rows, max_norm=max_norm)
    sides.assert_equal()


@pytest.mark.parametrize(
    ("kind", "weight_decay", "history", "prepared"),
    [
        ("adamw", 0.2, 4096, "the same rows"),
        ("adamw", 0.2, 16, "the same rows"),
        ("adamw", 0.0, 4096, "more rows"),
        ("adamw", 0.2, 16, "more rows"),
        ("adamw", 0.2, 4096, "fewer rows"),
        ("adamw", 0.2, 4096, "none"),
        ("adam", 0.0, 4096, "the same rows"),
        ("adam", 0.0, 16, "none"),
    ],
)
def test_rows_now_and_then(
    kind: str, weight_decay: float, history: int, prepared: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some rows often, some seldom, some never; repeated, out of order, none at all; a history that is full."""
    monkeypatch.setattr(lazy_adam, "HISTORY", history)
    sides, rng = Sides(kind, weight_decay), random_stream(2)
    for step in range(100):
        drawn = torch.rand(0 if step % 10 == 9 else 12, generator=rng)
        rows = ((ROWS - 10) * drawn**3).long()
        values = torch.randn(len(rows), FEATURES, generator=rng) * 10 ** torch.randint(-3, 2, (1,), generator=rng)
        more = torch.cat([torch.tensor([ROWS - 1, 3]), rows])
        prepare = {"the same rows": rows, "more rows": more, "fewer rows": rows[2:], "none": None}[prepared]
        sides.step(rows, values, rate=falling_rate(step), prepare=prepare, max_norm=5.0)
    sides.assert_equal()
    never = sides.ours[0].detach()[ROWS - 10 :]
    start = torch.randn(ROWS, FEATURES, generator=random_stream(3))[ROWS - 10 :]
    decayed = math.prod(1 - falling_rate(step) * weight_decay for step in range(100))
    torch.testing.assert_close(never, start * (decayed if kind == "adamw" else 1.0), rtol=1e-5, atol=1e-6)


def test_decay_beyond_all_of_a_weight() -> None:
    """Absurd, allowed by the settings, and the same as dense: weights change their sign."""
    sides, rng = Sides("adamw", weight_decay=30.0), random_stream(5)
    for step in range(12):
        rows = torch.randint(ROWS, (5,), generator=rng)
        sides.step(rows, torch.randn(5, FEATURES, generator=rng), rate=falling_rate(step), prepare=rows)
    sides.assert_equal()


def test_decay_added_to_the_gradient_acts_on_the_rows_that_are_read() -> None:
    """Adam's formulas in NumPy, in float64, row by row: decay enters where the row has a gradient."""
    sides, rng = Sides("adam", weight_decay=0.3), random_stream(6)
    p = sides.theirs[0].detach().numpy().copy()
    m, v = np.zeros_like(p), np.zeros_like(p)
    for step in range(60):
        rows = torch.randperm(ROWS, generator=rng)[:9]
        values = torch.randn(9, FEATURES, generator=rng)
        sides.optimizer.prepare(sides.ours[0], rows)
        sides.ours[0].grad = sparse(rows, values)
        set_rate(sides.optimizer, falling_rate(step))
        sides.optimizer.step()
        g = np.zeros_like(p)
        g[rows.numpy()] = values.double().numpy() + 0.3 * p[rows.numpy()]
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        corrected = m / (1 - 0.9 ** (step + 1)), v / (1 - 0.999 ** (step + 1))
        p -= falling_rate(step) * corrected[0] / (np.sqrt(corrected[1]) + 1e-8)
    sides.optimizer.synchronize()
    np.testing.assert_allclose(sides.ours[0].detach().numpy(), p, rtol=0, atol=5e-6)


def test_dense_and_sparse_gradients_in_turns() -> None:
    sides, rng = Sides("adamw", weight_decay=0.1), random_stream(7)
    for step in range(40):
        rows = torch.randperm(ROWS, generator=rng)[:9]
        sides.step(rows, torch.randn(9, FEATURES, generator=rng), rate=0.01, prepare=rows)
        if step % 5 == 0:
            dense = torch.randn(ROWS, FEATURES, generator=rng)
            for parameters, optimizer in ((sides.ours, sides.optimizer), (sides.theirs, sides.dense)):
                parameters[0].grad = dense.to(parameters[0].dtype)
                parameters[1].grad = torch.zeros_like(parameters[1])
                optimizer.step()
    sides.assert_equal()


@pytest.mark.parametrize("kind", KINDS)
def test_dense_gradients_are_pytorchs_to_the_bit(kind: str) -> None:
    parameters = [nn.Parameter(torch.randn(5, 3, generator=random_stream(1))) for _ in range(4)]
    ours = LazyAdam(KINDS[kind](parameters[:2], lr=0.1, weight_decay=0.2, fused=True))
    with torch.no_grad():
        for mine, other in zip(parameters[:2], parameters[2:], strict=True):
            other.copy_(mine)
    theirs = KINDS[kind](parameters[2:], lr=0.1, weight_decay=0.2, fused=True)
    rng = random_stream(2)
    for _ in range(20):
        for mine, other in zip(parameters[:2], parameters[2:], strict=True):
            mine.grad = torch.randn(5, 3, generator=rng)
            other.grad = mine.grad.clone()
        assert torch.equal(clip_gradients(parameters[:2], 0.5), clip_grad_norm_(parameters[2:], 0.5))
        ours.prepare(parameters[0], torch.tensor([1, 2]))
        ours.step()
        theirs.step()
        ours.synchronize()
    for mine, other in zip(parameters[:2], parameters[2:], strict=True):
        assert torch.equal(mine, other)


def test_clipping_counts_repeated_rows_once_summed() -> None:
    embedding, head = nn.Embedding(ROWS, FEATURES, sparse=True), nn.Linear(FEATURES, 2)
    ids = torch.tensor([3, 4, 3, 3, 80])
    (head(embedding(ids)) ** 2).sum().backward()
    parameters: list[Tensor] = [embedding.weight, head.weight, head.bias, nn.Parameter(torch.zeros(2))]
    twins = [nn.Parameter(parameter.detach().clone()) for parameter in parameters]
    for twin, parameter in zip(twins, parameters, strict=True):
        twin.grad = None if parameter.grad is None else parameter.grad.to_dense().clone()
    largest = 0.25 * clip_gradients(iter(parameters), 1e9).item()
    norm = clip_gradients(iter(parameters), largest)
    torch.testing.assert_close(norm, clip_grad_norm_(twins, largest))
    assert embedding.weight.grad is not None and embedding.weight.grad.is_sparse
    assert embedding.weight.grad.values().shape == (3, FEATURES)
    for twin, parameter in zip(twins[:3], parameters[:3], strict=True):
        assert parameter.grad is not None
        torch.testing.assert_close(parameter.grad.to_dense(), twin.grad)
    assert not math.isfinite(_norm_with_nan(parameters))


def _norm_with_nan(parameters: list[Tensor]) -> float:
    gradient = parameters[0].grad
    assert gradient is not None
    gradient.values()[0, 0] = math.nan
    return clip_gradients(parameters, 1.0).item()


def examples(count: int, seed: int) -> EncodedExamples:
    rng = np.random.default_rng(seed)
    texts = [rng.integers(1, 40, size=rng.integers(1, 9)).astype(np.int32) for _ in range(count)]
    return EncodedExamples(EncodedTexts.from_ids(texts), rng.integers(0, 3, size=count))


def trained(
    recipe: Recipe, is_sparse: bool, checkpoint: CheckpointFile | None = None, stop_in: int = 0, batch: int = 3
) -> Fit:
    """`fit` with sparse or dense gradients of the embedding; interrupted in an epoch if one is named."""
    stream = random_stream(5)
    model = TextClassifier(recipe.model, vocabulary_size=40, classes=3)
    initialize(model, recipe.training.initialization, stream)
    model.embedding.sparse = is_sparse

    def on_event(event: Any) -> None:
        if event.epoch == stop_in and getattr(event, "index", 0) == batch:
            raise KeyboardInterrupt

    return fit(recipe, model, examples(60, 0), examples(20, 9), stream=stream, on_event=on_event, checkpoint=checkpoint)


@pytest.mark.parametrize("optimizer", KINDS)
def test_a_training_is_that_with_dense_gradients(optimizer: str) -> None:
    settings = {**SETTINGS, "optimizer": optimizer, "epochs": 4, "schedule": "linear"}
    recipe = Recipe.from_settings(**settings, weight_decay=0.05 if optimizer == "adamw" else 0.0)
    dense, ours = trained(recipe, False), trained(recipe, True)
    assert ours.best_epoch == dense.best_epoch
    for name, weights in dense.weights.items():
        np.testing.assert_allclose(ours.weights[name], weights, rtol=0, atol=1e-5)
    again = trained(recipe, True)
    assert all(np.array_equal(again.weights[name], ours.weights[name]) for name in ours.weights)


@pytest.mark.parametrize("stop_in", [2, 4])
def test_a_resumed_training_reaches_the_same_weights(stop_in: int, tmp_path: Path) -> None:
    recipe = Recipe.from_settings(**{**SETTINGS, "epochs": 5, "dropout": 0.3, "timings": False})
    undisturbed = trained(recipe, True)
    file = partial(CheckpointFile, tmp_path / "checkpoint", "data")
    assert trained(recipe, True, file(resume=False), stop_in).interrupted
    resumed = trained(recipe, True, file(resume=True))
    assert resumed.history == undisturbed.history and len(resumed.history) == 5
    for name, weights in undisturbed.weights.items():
        np.testing.assert_array_equal(resumed.weights[name], weights)


def test_an_optimizer_of_the_settings_takes_sparse_gradients() -> None:
    model = TextClassifier(ModelConfig(embedding_size=2, hidden_size=2), vocabulary_size=30, classes=2)
    optimizer = make_optimizer(model, TrainingConfig(weight_decay=0.3))
    assert isinstance(optimizer, LazyAdam) and isinstance(optimizer.dense, torch.optim.AdamW)
    assert all(group["fused"] for group in optimizer.param_groups)
