"""Adversarial losses: the perturbation against finite differences, the gradients against PyTorch's own."""

import copy
import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from textrnn.config import ModelConfig, TrainingConfig
from textrnn.data import EncodedTexts
from textrnn.model import ENCODERS, SILENCE, Noise, TextClassifier
from textrnn.training.adversarial import (
    Adversary,
    same_masks,
    spread,
    towards,
    virtual_loss,
)
from textrnn.training.losses import CROSS_ENTROPY
from textrnn.training.randomness import random_stream

IDS = torch.tensor([[3, 4, 5, 6, 2], [7, 8, 1, 0, 0], [9, 3, 0, 0, 0]])
LENGTHS = torch.tensor([5, 3, 2])
TARGETS = torch.tensor([0, 1, 1])


def model(backend: str = "readable", dtype: torch.dtype = torch.float32, **settings: Any) -> TextClassifier:
    config = ModelConfig(**{"cell": "gru", "bidirectional": True, "embedding_size": 4, "hidden_size": 5, **settings})
    made = TextClassifier(config, vocabulary_size=10, classes=2, backend=backend)
    stream = random_stream(5)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.normal_(std=0.6, generator=stream)
        made.embedding.weight[0] = 0
    return made.to(dtype)


def loss_at(some: TextClassifier, perturbation: Tensor) -> Tensor:
    """The loss of each text."""
    logits = some(IDS, LENGTHS, dataclasses.replace(SILENCE, perturbation=perturbation))
    return cross_entropy(logits, TARGETS, reduction="none")


def test_the_perturbation_is_the_direction_of_the_gradient() -> None:
    """Each text's against finite differences of its loss by every single embedding feature, in float64."""
    ours = model(dtype=torch.float64)
    probe = torch.zeros(5, 3, 4, dtype=torch.float64, requires_grad=True)
    cross_entropy(ours(IDS, LENGTHS, dataclasses.replace(SILENCE, perturbation=probe)), TARGETS).backward()
    assert probe.grad is not None
    found = towards(probe.grad, 0.7)
    step = 1e-6
    differences = torch.zeros_like(probe)
    with torch.no_grad():
        for place in np.ndindex(5, 3, 4):
            moved = torch.zeros(5, 3, 4, dtype=torch.float64)
            moved[place] = step
            differences[place] = (loss_at(ours, moved)[place[1]] - loss_at(ours, -moved)[place[1]]) / (2 * step)
        expected = 0.7 * differences / differences.square().sum(dim=(0, 2), keepdim=True).sqrt()
        torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-8)
        assert torch.equal(found[3:, 1], torch.zeros(2, 4).double())  # padding stays
        norms = found.square().sum(dim=(0, 2)).sqrt()
        torch.testing.assert_close(norms, torch.full((3,), 0.7).double())
        # And that is uphill: further than any of 50 random directions of the same length.
        small = 1e-3 / 0.7
        uphill = loss_at(ours, small * found)
        for _ in range(50):
            other = torch.randn(5, 3, 4, dtype=torch.float64) * (IDS.t() != 0).unsqueeze(-1)
            assert (loss_at(ours, towards(other, 1e-3)) <= uphill).all()


def test_the_virtual_perturbation_is_where_the_divergence_grows_fastest() -> None:
    """A step of power iteration on the KL's second derivatives, which for two classes have rank 1: the exact answer."""
    ours = model(dtype=torch.float64)
    with torch.no_grad():
        logits = ours(IDS, LENGTHS)
    asked: list[Tensor] = []

    def logits_of(perturbation: Tensor | None) -> Tensor:
        assert perturbation is not None
        asked.append(perturbation.detach())
        return ours(IDS, LENGTHS, dataclasses.replace(SILENCE, perturbation=perturbation))  # type: ignore[no-any-return]

    random = torch.randn(5, 3, 4, dtype=torch.float64, generator=random_stream(1)) * (IDS.t() != 0).unsqueeze(-1)
    loss = virtual_loss(logits_of, logits, towards(random, 1e-5), 1e-3)
    found = asked[-1]
    probe = torch.zeros(5, 3, 4, dtype=torch.float64, requires_grad=True)
    moved = ours(IDS, LENGTHS, dataclasses.replace(SILENCE, perturbation=probe))
    (gradient,) = torch.autograd.grad((moved[:, 0] - moved[:, 1]).sum(), probe)  # the only direction that counts
    expected = towards(gradient, 1e-3)
    cosines = (found * expected).sum(dim=(0, 2)) / 1e-6
    torch.testing.assert_close(cosines.abs(), torch.ones(3).double(), rtol=1e-4, atol=1e-4)
    p, q = torch.softmax(logits, 1), torch.softmax(logits_of(found), 1)
    torch.testing.assert_close(loss, (p * (p / q).log()).sum(1).mean())
    assert loss > 0


def test_divergence_is_the_kullback_leibler_divergence() -> None:
    p, q = torch.tensor([[0.2, 0.8], [0.5, 0.5]]), torch.tensor([[0.4, 0.6], [0.5, 0.5]])
    expected = (0.2 * np.log(0.2 / 0.4) + 0.8 * np.log(0.8 / 0.6)) / 2
    assert CROSS_ENTROPY.divergence(p.log() + 3, q.log() - 1).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("backend", ENCODERS)
@pytest.mark.parametrize("cell", ["gru", "elman", "minlstm"])
def test_the_adversarial_gradients_are_those_of_both_losses(backend: str, cell: str) -> None:
    """Against autograd on the readable cell: the clean loss plus the loss at a constant perturbation."""
    ours = model(backend, cell=cell)
    adversary = Adversary(adversarial=2.0, virtual=0.0)
    _, loss = adversary.backward(ours, IDS, LENGTHS, TARGETS, SILENCE, CROSS_ENTROPY)
    plain = copy.deepcopy(model(cell=cell))
    probe = torch.zeros(5, 3, 4, requires_grad=True)
    clean = cross_entropy(plain(IDS, LENGTHS, dataclasses.replace(SILENCE, perturbation=probe)), TARGETS)
    (gradient,) = torch.autograd.grad(clean, probe, retain_graph=True)
    norms = gradient.square().sum(dim=(0, 2), keepdim=True).sqrt()
    rows = plain.embedding.weight[IDS[IDS != 0]]
    deviation = rows.var(dim=0, correction=0).mean().sqrt()
    moved = (2.0 * deviation * gradient / norms).detach()
    logits = plain(IDS, LENGTHS, dataclasses.replace(SILENCE, perturbation=moved))
    (clean + cross_entropy(logits, TARGETS)).backward()
    assert loss.item() == pytest.approx(clean.item(), rel=1e-5)
    assert spread(ours, IDS) == pytest.approx(deviation.item(), rel=1e-5)
    for (name, mine), other in zip(ours.named_parameters(), plain.parameters(), strict=True):
        assert mine.grad is not None and other.grad is not None
        torch.testing.assert_close(mine.grad.to_dense(), other.grad, rtol=2e-3, atol=1e-5, msg=name)


def test_all_passes_over_a_batch_have_the_same_masks_and_the_next_batch_others() -> None:
    ours = model()
    noise = Noise(random_stream(2), dropout=0.5, word_dropout=0.3, recurrent_dropout=0.3)
    logits_of = same_masks(ours, IDS, LENGTHS, noise)
    first, again = logits_of(None), logits_of(torch.zeros(5, 3, 4))
    torch.testing.assert_close(first, again, rtol=0, atol=0)
    after = noise.stream.get_state()
    logits_of(None)
    assert torch.equal(noise.stream.get_state(), after)
    assert not torch.allclose(same_masks(ours, IDS, LENGTHS, noise)(None), first)


def test_backends_agree_with_all_noise_and_both_losses() -> None:
    unlabelled = EncodedTexts.from_ids(np.array(text) for text in ([2, 3, 4], [5, 6], [7], [8, 9, 2, 3]))
    found = []
    for backend in ENCODERS:
        ours = model(backend, layers=2)
        noise = Noise(random_stream(2), dropout=0.2, word_dropout=0.2, recurrent_dropout=0.2)
        adversary = Adversary(1.0, 1.0, batch_size=2, seed=3, unlabelled=unlabelled)
        adversary.backward(ours, IDS, LENGTHS, TARGETS, noise, CROSS_ENTROPY, adversary.unlabelled_batch(1, 0))
        found.append({name: parameter.grad for name, parameter in ours.named_parameters()})
    for other in found[1:]:
        for name, gradient in found[0].items():
            assert gradient is not None and gradient.abs().sum() > 0
            torch.testing.assert_close(other[name], gradient, rtol=5e-3, atol=2e-4, msg=name)


def test_unlabelled_texts_are_all_met_in_an_epoch_and_again_from_the_start() -> None:
    unlabelled = EncodedTexts.from_ids(np.array([index + 1]) for index in range(10))
    adversary = Adversary(0.0, 1.0, batch_size=3, seed=3, unlabelled=unlabelled)
    met = [adversary.unlabelled_batch(1, index) for index in range(5)]
    ids = [some.ids.tolist() for some in met if some is not None]
    assert sorted(id for some in ids[:4] for id in some) == list(range(1, 11)) and ids[4] == ids[0]
    other = [adversary.unlabelled_batch(2, index) for index in range(4)]
    assert [some.ids.tolist() for some in other if some is not None] != ids[:4]


def test_a_gradient_of_nothing_moves_nothing() -> None:
    assert not towards(torch.zeros(3, 2, 4), 5.0).any()
    tiny = towards(torch.full((3, 2, 4), 1e-30), 5.0)
    torch.testing.assert_close(tiny.square().sum(dim=(0, 2)).sqrt(), torch.full((2,), 5.0))


def test_none_where_nothing_is_asked_for() -> None:
    assert Adversary.from_config(TrainingConfig(), None, None) is None
    only = Adversary.from_config(TrainingConfig(adversarial=1.0), EncodedTexts.from_ids([np.array([1])]), None)
    assert only is not None and only.unlabelled_batch(1, 0) is None
