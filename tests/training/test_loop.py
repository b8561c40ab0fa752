"""The loop against the same training written with torch.nn, and its parts against their oracles."""

import math
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight
from torch import nn

from textrnn.config import ModelConfig, Recipe, TrainingConfig
from textrnn.data import EncodedTexts
from textrnn.errors import TextRNNError
from textrnn.history import EpochRecord
from textrnn.model import TextClassifier, initialize
from textrnn.tasks.classes import class_weights
from textrnn.training.examples import EncodedExamples
from textrnn.training.fit import fit
from textrnn.training.optimizer import make_optimizer
from textrnn.training.processor import cpu_for_training
from textrnn.training.randomness import random_stream
from textrnn.training.schedule import rate_at

SETTINGS: dict[str, Any] = {
    "embedding_size": 4,
    "hidden_size": 5,
    "initialization": "torch",
    "batching": "shuffled",
    "batch_size": 6,
    "epochs": 3,
    "dropout": 0.0,
    "max_gradient_norm": 0.2,
    "pooling": "mean",
    "learning_rate": 0.01,
    "patience": 0,
}


def examples(count: int = 20, seed: int = 0) -> EncodedExamples:
    rng = np.random.default_rng(seed)
    texts = [rng.integers(1, 12, size=rng.integers(1, 9)).astype(np.int32) for _ in range(count)]
    return EncodedExamples(EncodedTexts.from_ids(texts), rng.integers(0, 3, size=count))


def make(recipe: Recipe, stream: torch.Generator) -> TextClassifier:
    model = TextClassifier(recipe.model, vocabulary_size=12, classes=3)
    return initialize(model, recipe.training.initialization, stream)


@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
@pytest.mark.parametrize("schedule", ["constant", "linear", "cosine"])
@pytest.mark.parametrize("class_weight", ["none", "balanced"])
def test_same_weights_as_plain_pytorch(optimizer: str, schedule: str, class_weight: str) -> None:
    """Modules, DataLoader, loss, clipping, optimiser and learning-rate scheduler all PyTorch's own."""
    data = examples()
    recipe = Recipe.from_settings(optimizer=optimizer, schedule=schedule, class_weight=class_weight, **SETTINGS)
    stream = random_stream(5)
    history = fit(recipe, make(recipe, stream), data, None, stream=stream)

    torch.manual_seed(5)
    embedding, first, recurrent = (
        nn.Embedding(12, 4, padding_idx=0),
        nn.Linear(4, 5),
        nn.Linear(5, 5, bias=False),
    )
    head = nn.Linear(5, 3)
    modules = nn.ModuleList([embedding, first, recurrent, head])
    matrices = [parameter for parameter in modules.parameters() if parameter.ndim > 1]
    biases = [parameter for parameter in modules.parameters() if parameter.ndim == 1]
    kind: Any = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[optimizer]
    groups = [{"params": matrices, "weight_decay": 0.01}, {"params": biases, "weight_decay": 0.0}]
    theirs = kind(groups, lr=0.01)
    total = 3 * math.ceil(len(data) / 6)
    rates = torch.optim.lr_scheduler
    schedulers: dict[str, Any] = {
        "constant": partial(rates.ConstantLR, factor=1.0),
        "linear": partial(rates.LinearLR, start_factor=1.0, end_factor=0.0, total_iters=total),
        "cosine": partial(rates.CosineAnnealingLR, T_max=total),
    }
    scheduler = schedulers[schedule](theirs)
    weight = None
    if class_weight == "balanced":
        balanced = compute_class_weight("balanced", classes=np.arange(3), y=data.targets)
        weight = torch.tensor(balanced, dtype=torch.float32)
    loader = torch.utils.data.DataLoader(list(range(len(data))), batch_size=6, shuffle=True)  # type: ignore[arg-type, var-annotated]
    losses = []
    for _ in range(3):
        epoch_losses = []
        for rows in loader:
            logits = []
            for row in rows.tolist():  # one text at a time: no padding at all
                hidden, states = torch.zeros(5), []
                for index in data.texts[row].tolist():
                    hidden = torch.tanh(first(embedding.weight[index]) + recurrent(hidden))
                    states.append(hidden)
                logits.append(head(torch.stack(states).mean(dim=0)))
            loss = nn.functional.cross_entropy(
                torch.stack(logits), torch.from_numpy(data.targets[rows.numpy()]), weight
            )
            theirs.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(modules.parameters(), 0.2)
            theirs.step()
            scheduler.step()
            epoch_losses.append(loss.item())
        losses.append(np.mean(epoch_losses))
    np.testing.assert_allclose([record.loss for record in history.history], losses, rtol=1e-5)
    for mine, expected in zip(history.weights.values(), modules.parameters(), strict=True):
        np.testing.assert_allclose(mine, expected.detach().numpy(), rtol=0, atol=2e-5)


def test_class_weights_are_scikit_learns() -> None:
    targets = np.array([0, 0, 0, 1, 2, 2])
    weights = class_weights(targets, 3)
    expected = compute_class_weight("balanced", classes=np.arange(3), y=targets)
    np.testing.assert_allclose(weights, expected, rtol=1e-12)


@pytest.mark.parametrize("schedule", ["constant", "linear", "cosine"])
def test_schedules_start_high_and_never_rise(schedule: str) -> None:
    rate = rate_at(schedule, 0.5, 10)
    rates = [rate(step) for step in range(13)]
    assert rates[0] == 0.5 and all(after <= before for before, after in pairwise(rates))
    assert rates[10] == pytest.approx(0.5 if schedule == "constant" else 0.0)


def test_events_tell_steps_and_epochs() -> None:
    recipe = Recipe.from_settings(**SETTINGS)
    data, stream, seen = examples(), random_stream(1), list[Any]()
    result = fit(recipe, make(recipe, stream), data, None, stream=stream, on_event=seen.append)
    epochs = [event for event in seen if isinstance(event, EpochRecord)]
    steps = [event for event in seen if not isinstance(event, EpochRecord)]
    assert [record.epoch for record in epochs] == [1, 2, 3] and epochs == result.history
    assert [step.index for step in steps] == [1, 2, 3, 4] * 3
    assert sum(step.tokens for step in steps) == 3 * int(data.texts.lengths.sum())
    assert epochs[0].loss == pytest.approx(np.mean([step.loss for step in steps[:4]]))
    assert epochs[0].gradient_norm == pytest.approx(np.mean([step.gradient_norm for step in steps[:4]]))


def test_early_stopping_restores_the_best_epoch() -> None:
    recipe = Recipe.from_settings(**{**SETTINGS, "epochs": 60, "patience": 4, "learning_rate": 0.05})
    stream = random_stream(1)
    model = make(recipe, stream)
    snapshots = {}

    def remember(event: object) -> None:
        if isinstance(event, EpochRecord):
            snapshots[event.epoch] = model.weights()

    validation = examples(30, seed=9)
    result = fit(recipe, model, examples(), validation, stream=stream, on_event=remember)
    losses = [record.validation["loss"] for record in result.history if record.validation]
    assert result.best_epoch == int(np.argmin(losses)) + 1
    assert len(result.history) == result.best_epoch + 4 < 60
    for name, value in snapshots[result.best_epoch].items():
        np.testing.assert_array_equal(result.weights[name], value)
        np.testing.assert_array_equal(model.weights()[name], value)


def test_interrupt_keeps_the_best_so_far() -> None:
    recipe = Recipe.from_settings(**SETTINGS)

    def interrupt_in_epoch(epoch: int) -> object:
        def on_event(event: object) -> None:
            if not isinstance(event, EpochRecord) and getattr(event, "epoch", 0) == epoch:
                raise KeyboardInterrupt

        return on_event

    stream = random_stream(1)
    result = fit(
        recipe,
        make(recipe, stream),
        examples(),
        None,
        stream=stream,
        on_event=interrupt_in_epoch(2),  # type: ignore[arg-type]
    )
    assert result.interrupted and result.best_epoch == 1 and len(result.history) == 1
    stream = random_stream(1)
    once = Recipe.from_settings(**{**SETTINGS, "epochs": 1})
    undisturbed = fit(once, make(once, stream), examples(), None, stream=stream)
    for name, value in undisturbed.weights.items():
        np.testing.assert_array_equal(result.weights[name], value)
    with pytest.raises(KeyboardInterrupt):
        fit(recipe, make(recipe, stream), examples(), None, stream=stream, on_event=interrupt_in_epoch(1))  # type: ignore[arg-type]


def test_divergence_is_reported() -> None:
    recipe = Recipe.from_settings(**{**SETTINGS, "optimizer": "adam", "learning_rate": 100.0, "epochs": 200})
    model = make(recipe, random_stream(1))
    with torch.no_grad():
        model.head.weight.fill_(3e38)
    with pytest.raises(TextRNNError, match=r"diverged in epoch 1, step 1: .* lower learning rate than 100"):
        fit(recipe, model, examples(), None, stream=random_stream(1))


def test_the_cpu_is_left_as_it_was() -> None:
    before = torch.get_num_threads()
    denormal = torch.tensor([1.0e-38])
    assert (denormal * 0.01).item() != 0
    with cpu_for_training(threads=1):
        assert torch.get_num_threads() == 1 and (denormal * 0.01).item() == 0
    assert torch.get_num_threads() == before and (denormal * 0.01).item() != 0


def test_weight_decay_leaves_biases_alone() -> None:
    model = TextClassifier(ModelConfig(embedding_size=2, hidden_size=2), vocabulary_size=3, classes=2)
    decayed, plain = make_optimizer(model, TrainingConfig(weight_decay=0.3)).param_groups
    assert decayed["weight_decay"] == 0.3 and plain["weight_decay"] == 0
    assert all(parameter.ndim == 1 for parameter in plain["params"]) and len(plain["params"]) == 2
