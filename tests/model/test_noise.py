"""Masks: how often they zero, what they share, and that they act where they should."""

import math
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from textrnn.cells import UNROLLS
from textrnn.config import ModelConfig, TrainingConfig
from textrnn.model import ENCODERS, SILENCE, Noise, TextClassifier
from textrnn.model.layers import run_layers
from textrnn.model.noise import Mask, masked
from textrnn.model.pooling import POOLINGS
from textrnn.native import available_instruction_sets, instruction_set, use_instruction_set
from textrnn.training.randomness import random_stream

LENGTHS = torch.tensor([6, 3, 5])


def assert_inverted(mask: Tensor, probability: float) -> None:
    """Zeros with the probability, within five standard deviations; else the factor that keeps the mean."""
    kept = mask != 0
    assert torch.allclose(mask[kept], torch.tensor(1 / (1 - probability)))
    deviation = (probability * (1 - probability) / mask.numel()) ** 0.5
    assert abs(kept.double().mean().item() - (1 - probability)) < 5 * deviation


def drawn(mask: Tensor | None) -> Tensor:
    assert mask is not None
    return mask


def test_features() -> None:
    noise = Noise(random_stream(0), dropout=0.3)
    first, second = drawn(noise.steps_mask(100, 20, 50)), drawn(noise.steps_mask(100, 20, 50))
    assert first.shape == (100, 20, 50) and not torch.equal(first, second)
    assert not torch.equal(first[0], first[1])
    assert_inverted(first, 0.3)
    assert_inverted(drawn(noise.pooled_mask(500, 200)), 0.3)


def split_mix_64(state: int) -> Iterator[int]:
    """Steele, Lea and Flood (2014), in Python's integers."""
    while True:
        state = (state + 0x9E3779B97F4A7C15) % 2**64
        z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) % 2**64
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) % 2**64
        yield z ^ (z >> 31)


def test_the_generator_here_gives_the_published_numbers() -> None:
    """Those of https://rosettacode.org/wiki/Pseudo-random_numbers/Splitmix64 for the seed 1234567."""
    assert list(islice(split_mix_64(1234567), 5)) == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


def expected_mask(shape: tuple[int, ...], probability: float, stream: torch.Generator) -> Tensor:
    """For each row four 16-bit numbers of each of 64 bits; those below the probability's share of 65,536 drop."""
    count, columns = math.prod(shape[:-1]), shape[-1]
    words = math.ceil(columns / 4)
    numbers = split_mix_64(int(torch.empty((), dtype=torch.int64).random_(generator=stream)))
    drawn = np.array(list(islice(numbers, count * words)), dtype="<u8").reshape(count, words)
    signed = drawn.view("<i2")[:, :columns].astype(np.float64)
    kept = (signed + 32_768 >= np.round(65_536 * probability)) / (1 - probability)
    return torch.from_numpy(kept.astype(np.float32)).reshape(shape)


@pytest.mark.parametrize("shape", [(3, 1), (5, 4), (7, 33), (2, 130), (3, 1100)])
@pytest.mark.parametrize("probability", [0.1, 0.5, 0.999])
def test_rows_of_masks(shape: tuple[int, int], probability: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """In NumPy, in every instruction set of the native library, and against Python's integers."""
    seed = int(torch.empty((), dtype=torch.int64).random_(generator=random_stream(9)))
    mask, expected = Mask(seed, probability), expected_mask(shape, probability, random_stream(9))
    assert torch.equal(mask.factors(torch.arange(shape[0]), shape[1]), expected)
    assert torch.equal(mask.factors(torch.tensor([shape[0] - 1, 0]), shape[1]), expected[[-1, 0]])
    before = instruction_set()
    for name in available_instruction_sets():
        use_instruction_set(name)
        assert torch.equal(mask.rows(*shape), expected)
    if before:
        use_instruction_set(before)
    monkeypatch.setattr("textrnn.model.noise.library", lambda: None)
    assert torch.equal(mask.rows(*shape), expected)


def test_the_draws_are_those_of_dropout_on_all_embeddings_and_then_on_the_pooled_vector() -> None:
    """Numbers of the stream in this order, on which the fast backends rely, too."""
    noise, stream = Noise(random_stream(3), dropout=0.4), random_stream(3)
    for shape, mask in (((5, 3, 4), noise.steps_mask(5, 3, 4)), ((3, 7), noise.pooled_mask(3, 7))):
        assert torch.equal(drawn(mask), expected_mask(shape, 0.4, stream))


def test_variational_masks_are_the_same_at_every_step() -> None:
    noise = Noise(random_stream(0), dropout=0.3, variational=True)
    mask = drawn(noise.steps_mask(100, 200, 50))
    assert mask.shape == (1, 200, 50)
    assert not torch.equal(mask[0, 0], mask[0, 1])  # but not in every row
    assert_inverted(mask, 0.3)


def test_words_are_dropped_by_type() -> None:
    ids = torch.randint(0, 20_000, (50, 400), generator=random_stream(1))
    mask = drawn(Noise(random_stream(0), word_dropout=0.2).word_mask(ids))
    present, first = torch.unique(ids, return_inverse=True)
    by_type = torch.zeros(len(present)).scatter_(0, first.reshape(-1), mask.reshape(-1))
    assert torch.equal(by_type[first], mask)  # all tokens of a type have its factor
    assert_inverted(by_type, 0.2)


@pytest.mark.parametrize("readings", [1, 2])
def test_features_by_word_and_reading(readings: int) -> None:
    """All tokens of a word have its factors, in each reading others."""
    batch, words = 40, 3_000
    ids = torch.randint(0, words, (50, batch), generator=random_stream(1))
    ids[:, batch // 2 :] = ids[:, : batch // 2]
    noise = Noise(random_stream(0), dropout=0.2, dropout_by_word=True, readings=readings)
    mask = drawn(noise.embeddings_mask(ids, 6))
    assert mask.shape == (50, batch, 6)
    halves = mask.chunk(2, dim=1)
    assert torch.equal(*halves) == (readings == 1)
    for half in halves:
        first: dict[int, Tensor] = {}
        for token, factors in zip(ids[:, : batch // 2].reshape(-1).tolist(), half.reshape(-1, 6), strict=True):
            assert torch.equal(first.setdefault(token, factors), factors)
        assert_inverted(torch.stack(list(first.values())), 0.2)


def test_recurrent_weights() -> None:
    assert_inverted(drawn(Noise(random_stream(0), recurrent_dropout=0.6).weight_mask(300, 100)), 0.6)


@pytest.mark.parametrize(
    "noise", [SILENCE, Noise(random_stream(0), variational=True, dropout_by_word=True, readings=2)]
)
def test_silence_draws_nothing(noise: Noise) -> None:
    before = noise.stream.get_state()
    ids = torch.ones(2, 2, dtype=torch.int64)
    masks = (noise.word_mask(ids), noise.embeddings_mask(ids, 3), noise.steps_mask(2, 3, 4))
    assert (*masks, noise.pooled_mask(2, 3), noise.weight_mask(4, 4)) == (None, None, None, None, None)
    assert noise.words_read(ids) is ids
    model = make("gru")
    cell: Any = model.stack[0].left_to_right
    assert noise.cell(cell) is cell
    assert torch.equal(noise.stream.get_state(), before)
    values = torch.ones(3)
    assert masked(values, None) is values


def test_a_mask_has_its_gradient() -> None:
    features = torch.randn(5, 4, 3, requires_grad=True)
    mask = Noise(random_stream(3), dropout=0.5).steps_mask(5, 4, 3)
    (gradient,) = torch.autograd.grad(masked(features, mask).sum(), features)
    assert torch.equal(gradient, drawn(mask))


def test_from_config() -> None:
    config = TrainingConfig(dropout=0.1, word_dropout=0.2, variational=True, recurrent_dropout=0.3, r_drop=1.0)
    stream = random_stream(0)
    assert Noise.from_config(stream, config) == Noise(stream, 0.1, 0.2, True, 0.3, readings=2)
    by_word = Noise.from_config(stream, TrainingConfig(dropout=0.1, dropout_by_word=True))
    assert by_word == Noise(stream, 0.1, dropout_by_word=True)


def make(cell: str) -> TextClassifier:
    config = ModelConfig(cell=cell, layers=2, bidirectional=True, embedding_size=4, hidden_size=5)  # type: ignore[arg-type]
    model = TextClassifier(config, vocabulary_size=20, classes=3)
    torch.manual_seed(0)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.4)
    return model


IDS = torch.randint(1, 20, (3, 6), generator=random_stream(5)) * (torch.arange(6) < LENGTHS.unsqueeze(1))


def test_word_dropout_is_an_embedding_of_zeros() -> None:
    """Against a network whose embedding has the dropped rows zeroed and the others scaled up."""
    model = make("gru")
    noise = Noise(random_stream(2), word_dropout=0.5)
    mask = drawn(Noise(random_stream(2), word_dropout=0.5).word_mask(IDS.t()))
    noisy = model(IDS, LENGTHS, noise)
    with torch.no_grad():
        for token, factor in dict(zip(IDS.t().reshape(-1).tolist(), mask.reshape(-1).tolist(), strict=True)).items():
            model.embedding.weight[token] *= factor
    assert 0 < (mask == 0).sum() < mask.numel()
    torch.testing.assert_close(noisy, model(IDS, LENGTHS), rtol=0, atol=1e-6)


def test_recurrent_dropout_is_a_network_with_other_weights() -> None:
    """Each layer and direction with a mask of its own, in the order in which they compute."""
    model, again = make("gru"), random_stream(2)
    noisy = model(IDS, LENGTHS, Noise(random_stream(2), recurrent_dropout=0.5))
    with torch.no_grad():
        for layer in model.stack:
            for cell in layer.directions:
                assert cell.from_hidden is not None
                cell.from_hidden.weight *= expected_mask((15, 5), 0.5, again)
    torch.testing.assert_close(noisy, model(IDS, LENGTHS), rtol=0, atol=1e-6)


@pytest.mark.parametrize("cell", ["elman", "lstm", "minlstm"])
@pytest.mark.parametrize(
    "how",
    [
        {},
        {"variational": True},
        {"dropout_by_word": True},
        {"dropout_by_word": True, "readings": 2},
        {"dropout_by_word": True, "readings": 2, "perturbation": torch.randn(6, 6, 4, generator=random_stream(7))},
        {"variational": True, "perturbation": torch.randn(6, 6, 4, generator=random_stream(7))},
    ],
)
def test_all_backends_hear_the_same_noise(cell: str, how: dict[str, Any]) -> None:
    model = make(cell)
    results = []
    ids, lengths = IDS.repeat(2, 1), LENGTHS.repeat(2)  # as of two readings
    for backend in ENCODERS:
        model.backend = backend
        logits = model(ids, lengths, Noise(random_stream(4), 0.3, 0.2, recurrent_dropout=0.4, **how))
        results.append([logits, *torch.autograd.grad(logits.square().sum(), list(model.parameters()))])
    for other in results[1:]:
        torch.testing.assert_close(other, results[0], rtol=1e-4, atol=1e-5)
    model.backend = "readable"
    other = model(ids, lengths, Noise(random_stream(5), 0.3, 0.2, recurrent_dropout=0.4, **how))
    assert not torch.equal(results[0][0], other)


def test_dropout_by_word_is_a_network_with_another_table() -> None:
    """Each half of the batch with its own, whose rows are the embeddings times the factors."""
    model = make("gru")
    ids, lengths = IDS.repeat(2, 1), LENGTHS.repeat(2)
    stream = random_stream(8)
    noisy = model(ids, lengths, Noise(random_stream(8), dropout=0.4, dropout_by_word=True, readings=2))
    mask = expected_mask((2 * 20, 4), 0.4, stream).view(20, 2, 4)  # row id * 2 + reading
    between, pooled = expected_mask((6, 6, 10), 0.4, stream), expected_mask((6, 10), 0.4, stream)
    table = model.embedding.weight.detach().clone()
    for reading in range(2):
        with torch.no_grad():
            model.embedding.weight.copy_(table * mask[:, reading])
        half = slice(3 * reading, 3 * reading + 3)
        inputs = model.embedding(IDS.t())
        outputs, _ = run_layers(model.stack[:1], inputs, LENGTHS, UNROLLS["readable"], SILENCE)
        outputs, _ = run_layers(model.stack[1:], outputs * between[:, half], LENGTHS, UNROLLS["readable"], SILENCE)
        features = POOLINGS["mean"](outputs, outputs[0], LENGTHS) * pooled[half]
        torch.testing.assert_close(noisy[half], model.head(features), rtol=0, atol=1e-6)


def test_dropout_between_layers() -> None:
    """The second of two layers reads masked inputs: the draws are embeddings, then between, then pooled."""
    model, stream = make("mingru"), random_stream(6)
    noisy = model(IDS, LENGTHS, Noise(random_stream(6), dropout=0.5))
    masks = [expected_mask(shape, 0.5, stream) for shape in ((6, 3, 4), (6, 3, 10), (3, 10))]
    inputs = model.embedding(IDS.t()) * masks[0]
    states: list[Tensor] = []
    for depth, layer in enumerate(model.stack):
        rows = []
        for row, length in enumerate(LENGTHS.tolist()):
            both = []
            for cell, turn in zip(layer.directions, (lambda x: x, lambda x: x.flip(0)), strict=True):
                state, read = cell.initial_state(1), []
                for x in turn(inputs[:length, row]):  # type: ignore[no-untyped-call]
                    state = cell.step(x[None], state)
                    read.append(state.hidden[0])
                both.append(turn(torch.stack(read)))  # type: ignore[no-untyped-call]
            rows.append(torch.cat(both, dim=-1))
        states = rows
        inputs = nn.utils.rnn.pad_sequence(rows)
        if depth == 0:
            inputs = inputs * masks[1]
    pooled = torch.stack([row.mean(dim=0) for row in states]) * masks[2]
    torch.testing.assert_close(noisy, model.head(pooled), rtol=0, atol=1e-6)
