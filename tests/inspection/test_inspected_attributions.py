"""Attributions: they add up, and they are those of Captum, of torch.nn's networks and of brute force."""

from typing import Any

import numpy as np
import pytest
import torch
from captum.attr import InputXGradient, IntegratedGradients, Occlusion
from numpy.typing import NDArray
from torch import Tensor

from inspected import EVERY, SUMS, TEXTS, TorchNetwork, classifier, linear_states, named
from textrnn.errors import ConfigError
from textrnn.inspection import (
    METHODS,
    Networks,
    attribute,
    contrast,
    gradient_input,
    integrated_gradients,
    occlusion,
    read_text,
    recurrence,
    shares,
)
from textrnn.inspection.networks import in_double, logits_of_inputs
from textrnn.inspection.ngram_shares import ngram_losses, ngram_shares
from textrnn.runtime import Classifier
from textrnn.tasks import MultiLabel, Ordinal, Regression

TEXT = TEXTS[2]
SMALL = [model for model in EVERY if model["layers"] == 1 and model["padding"] == "masked"]
TORCH = [model for model in EVERY if model["cell"] in ("elman", "elman_relu", "gru", "lstm")]
LINEAR = [model for model in [*EVERY, *SUMS] if model["cell"] in ("mingru", "minlstm")]


@pytest.mark.parametrize("model", [*EVERY, *SUMS], ids=named)
def test_shares_add_up_to_the_runtimes_scores(model: dict[str, Any]) -> None:
    made = classifier(**model)
    networks = Networks(made, precision=torch.float64)
    for text in TEXTS:
        found = shares(networks, text)
        assert found.exact and found.error < 1e-5
        assert len(found.scores) == len(found.tokens)
        np.testing.assert_allclose(found.bias + found.scores.sum(axis=0), made.logits([text])[0], atol=2e-5, rtol=1e-5)


@pytest.mark.parametrize("model", [model for model in TORCH if model["padding"] == "masked"], ids=named)
def test_shares_are_those_of_torch_nns_states(model: dict[str, Any]) -> None:
    made = classifier(**model, scale=0.4)
    oracle = TorchNetwork(made)
    states = oracle.states(oracle.embedded(made.encoder.encode(TEXT)))[0].detach().numpy()
    weight, time = oracle.weight.numpy(), len(states)
    expected = np.zeros((time, 3))
    for unit in range(states.shape[1]):
        values = states[:, unit]
        if model["pooling"] == "mean":
            parts = values / time
        elif model["pooling"] == "max":
            parts = np.where(np.arange(time) == values.tolist().index(values.max()), values.max(), 0)
        elif unit < 7:
            parts = np.array([values[t] - (values[t - 1] if t else 0) for t in range(time)])
        else:
            parts = np.array([values[t] - (values[t + 1] if t + 1 < time else 0) for t in range(time)])
        expected += np.outer(parts, weight[:, unit])
    np.testing.assert_allclose(shares(made, TEXT).scores, expected, atol=1e-9)
    np.testing.assert_allclose(shares(made, TEXT).bias, oracle.bias, atol=1e-12)


def test_padding_that_is_read_has_a_share() -> None:
    made = classifier(cell="gru", padding="through", pooling="mean")
    found = shares(made, "good film")
    oracle = TorchNetwork(made)
    states = oracle.states(oracle.embedded(np.array([*made.encoder.encode("good film"), *[0] * 10])))[0]
    expected = (states[2:] @ oracle.weight.t()).sum(dim=0) / 12
    np.testing.assert_allclose(found.padding, expected.detach().numpy(), atol=1e-9)
    np.testing.assert_allclose(found.bias, oracle.bias.numpy() + found.padding, atol=1e-9)


@pytest.mark.parametrize("model", [*SMALL, *SUMS], ids=named)
def test_integrated_gradients_are_complete_to_a_hundredth(model: dict[str, Any]) -> None:
    made = classifier(**model)
    for text in (TEXTS[0], TEXT):
        found = integrated_gradients(made, text)
        assert found.error < 0.01
        np.testing.assert_allclose(found.logits, made.logits([text])[0], atol=2e-5)


@pytest.mark.parametrize("cell", ["elman", "gru", "lstm"])
@pytest.mark.parametrize("pooling", ["mean", "last"])
@pytest.mark.parametrize("both", [False, True])
def test_integrated_gradients_are_captums(cell: str, pooling: str, both: bool) -> None:
    """Of torch.nn's networks, by 300 points of Gauss and Legendre's rule, which is all but exact without kinks."""
    made = classifier(cell=cell, pooling=pooling, bidirectional=both, scale=0.4, layers=2)
    network = TorchNetwork(made)
    inputs = network.embedded(made.encoder.encode(TEXT))
    found = integrated_gradients(made, TEXT, tolerance=1e-4)
    for k in range(3):
        expected = IntegratedGradients(network).attribute(inputs, target=k, n_steps=300, method="gausslegendre")
        np.testing.assert_allclose(found.scores[:, k], summed(expected), atol=1e-3)


@pytest.mark.parametrize("cell", ["elman_relu", "gru", "minlstm"])
def test_integrated_gradients_through_a_maximum_are_captums(cell: str) -> None:
    made = classifier(cell=cell, pooling="max", bidirectional=True, scale=0.4)
    network = oracle_of(made)
    inputs = torch.from_numpy(made.weights["embedding.weight"][made.encoder.encode(TEXT)]).double()[None]
    found = integrated_gradients(made, TEXT, tolerance=1e-4)
    for k in range(3):
        expected = IntegratedGradients(network).attribute(inputs, target=k, n_steps=2000, method="riemann_middle")
        np.testing.assert_allclose(found.scores[:, k], summed(expected), atol=5e-3)


def test_a_rule_with_fixed_points_misses_what_halving_finds() -> None:
    """The reason for it: a maximum over time has kinks."""
    errors = []
    for seed in range(6):
        made = classifier(cell="elman", pooling="max", seed=seed, scale=1.5)
        fixed = integrated_gradients(made, TEXT, steps=16, tolerance=np.inf)
        halved = integrated_gradients(made, TEXT, steps=16)
        assert halved.error < 0.005
        errors.append((fixed.error, halved.error))
    assert max(fixed for fixed, _ in errors) > 0.01


@pytest.mark.parametrize("model", SMALL, ids=named)
def test_gradient_times_input_is_captums(model: dict[str, Any]) -> None:
    made = classifier(**model, scale=0.4)
    network = oracle_of(made)
    inputs = torch.from_numpy(made.weights["embedding.weight"][made.encoder.encode(TEXT)]).double()[None]
    found = gradient_input(made, TEXT)
    for k in range(3):
        expected = InputXGradient(network).attribute(inputs.clone().requires_grad_(True), target=k)
        np.testing.assert_allclose(found.scores[:, k], summed(expected), atol=1e-9)


@pytest.mark.parametrize("model", SMALL, ids=named)
def test_occlusion_is_captums(model: dict[str, Any]) -> None:
    made = classifier(**model, scale=0.4)
    network = oracle_of(made)
    inputs = torch.from_numpy(made.weights["embedding.weight"][made.encoder.encode(TEXT)]).double()[None]
    found = occlusion(made, TEXT)
    for k in range(3):
        expected = Occlusion(network).attribute(inputs, sliding_window_shapes=(1, inputs.shape[2]), target=k)
        np.testing.assert_allclose(found.scores[:, k], expected[0, :, 0].numpy(), atol=1e-9)


def test_occlusion_of_a_model_with_ngrams_is_what_hiding_a_word_does() -> None:
    """The whole model, with a word that no n-gram knows and a zero embedding in the place of each."""
    made = classifier(cell="gru", bidirectional=True, pooling="max", members=2, ngrams=3)
    text = "the film not good very great"
    hidden = [*made.header.vocabulary, "hidden"]
    weights = dict(made.weights)
    for name in ("members.0.embedding.weight", "members.1.embedding.weight"):
        weights[name] = np.concatenate([weights[name], np.zeros_like(weights[name][:1])])
    import msgspec

    other = Classifier(msgspec.structs.replace(made.header, vocabulary=hidden), weights)
    words, found = text.split(), occlusion(made, text)
    for at in range(len(words)):
        left = " ".join("hidden" if place == at else word for place, word in enumerate(words))
        expected = made.logits([text])[0] - other.logits([left])[0]
        np.testing.assert_allclose(found.scores[at], expected, atol=1e-5)


@pytest.mark.parametrize("model", LINEAR, ids=named)
def test_linear_recurrences_split_exactly(model: dict[str, Any]) -> None:
    made = classifier(**model)
    for text in TEXTS:
        found = recurrence(made, text)
        assert found.exact and found.error < 1e-5
        np.testing.assert_allclose(found.bias + found.scores.sum(axis=0), made.logits([text])[0], atol=2e-5, rtol=1e-5)


@pytest.mark.parametrize("cell", ["mingru", "minlstm"])
@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
@pytest.mark.parametrize("both", [False, True])
def test_linear_recurrences_by_brute_force(cell: str, pooling: str, both: bool) -> None:
    """Every product of kept gates, written out in NumPy."""
    made = classifier(cell=cell, pooling=pooling, bidirectional=both)
    inputs = made.weights["embedding.weight"][made.encoder.encode(TEXT)].astype(np.float64)
    time, expected = len(inputs), np.zeros((len(inputs), 3))
    for side in range(1 + both):
        kept, added = linear_states(made, inputs[:: -1 if side else 1], ("left_to_right", "right_to_left")[side])
        parts = np.zeros((time, time, 7))  # at step t, brought by step s, in the order of reading
        for t in range(time):
            for s in range(t + 1):
                parts[t, s] = kept[s + 1 : t + 1].prod(axis=0) * added[s]
        if pooling == "mean":
            pooled = parts.mean(axis=0)
        elif pooling == "last":
            pooled = parts[-1]
        else:
            states = parts.sum(axis=1)
            pooled = np.stack([parts[states[:, unit].argmax(), :, unit] for unit in range(7)], axis=1)
        in_text = pooled[::-1] if side else pooled
        expected += in_text @ made.weights["head.weight"][:, side * 7 : side * 7 + 7].T.astype(np.float64)
    np.testing.assert_allclose(recurrence(made, TEXT).scores, expected, atol=1e-9)


def test_a_layer_above_hands_its_parts_down() -> None:
    """By brute force: the second layer's candidate is linear in the states below, its gates held."""
    made = classifier(cell="mingru", layers=2, pooling="last")
    inputs = made.weights["embedding.weight"][made.encoder.encode(TEXT)].astype(np.float64)
    time = len(inputs)
    kept, added = linear_states(made, inputs, "left_to_right")
    parts = np.zeros((time, time, 7))
    for t in range(time):
        for s in range(t + 1):
            parts[t, s] = kept[s + 1 : t + 1].prod(axis=0) * added[s]
    weight = made.weights["layers.1.left_to_right.from_input.weight"].astype(np.float64)
    bias = made.weights["layers.1.left_to_right.from_input.bias"].astype(np.float64)
    update = 1 / (1 + np.exp(-(parts.sum(axis=1) @ weight[:7].T + bias[:7])))
    final = np.zeros((time, 7))  # brought by each word
    for t in range(time):
        own = np.zeros((time, 7))
        own[t] = bias[7:]
        final = (1 - update[t]) * final + update[t] * (parts[t] @ weight[7:].T + own)
    expected = final @ made.weights["head.weight"].T.astype(np.float64)
    np.testing.assert_allclose(recurrence(made, TEXT).scores, expected, atol=1e-9)


def test_other_cells_have_no_such_split() -> None:
    with pytest.raises(ConfigError, match="recurrence: expected a model of the cells mingru or minlstm, got one of 'g"):
        recurrence(classifier(cell="gru"), TEXT)


def test_ngram_shares_by_hand() -> None:
    """ "a film a film": "a film" stands there twice and counts once; the beginning of the text is no token."""
    made = classifier(cell="elman", ngrams=2)
    part = Networks(made).ngrams
    assert part is not None
    part.keys = np.unique(np.concatenate([part.keys, _keys("a film a film", 2)]))
    rng = np.random.default_rng(0)
    part.weight = rng.standard_normal((len(part.keys), 3)).astype(np.float32)
    keys = _keys("a film a film", 2)  # in order: (begin a) (a) (a film) (film) (film a)
    assert len(keys) == 5
    begin_a, a, a_film, film, film_a = (part.weight[part.keys.tolist().index(key)] / np.sqrt(5) for key in keys)
    expected = [
        begin_a + a / 2 + a_film / 4,
        a_film / 4 + film / 2 + film_a / 2,
        a / 2 + a_film / 4 + film_a / 2,
        a_film / 4 + film / 2,
    ]
    words = ["a", "film", "a", "film"]
    np.testing.assert_allclose(ngram_shares(part, words), expected, atol=1e-6)
    np.testing.assert_allclose(ngram_losses(part, words), [begin_a, film_a, film_a, [0, 0, 0]], atol=1e-6)


def test_ngram_shares_of_characters_stay_within_their_token() -> None:
    made = classifier(cell="elman", character_ngrams=3)
    part = Networks(made).ngrams
    assert part is not None
    found = ngram_shares(part, ["bad", "zzz", "the"])
    np.testing.assert_allclose(found.sum(axis=0) + part.bias, part.scores(["bad zzz the"])[0], atol=1e-5)
    assert np.abs(found[1]).max() < np.abs(found[[0, 2]]).max()
    alone = ngram_shares(part, ["bad"])
    # Another number of n-grams divides the sum: the same up to a factor.
    np.testing.assert_allclose(found[0] / np.linalg.norm(found[0]), alone[0] / np.linalg.norm(alone[0]), atol=1e-6)


def _keys(text: str, longest: int) -> NDArray[np.int32]:
    from textrnn.text.ngrams import NgramRule, keys_of_tokens

    return keys_of_tokens(text.split(), NgramRule(longest))


@pytest.mark.parametrize("method", METHODS)
def test_words_that_only_ngrams_read_have_rows_of_their_own(method: str) -> None:
    made = classifier(cell="mingru", ngrams=1, keep="head")
    text = " ".join(["film"] * 12 + ["good", "bad"])
    found = attribute(made, text, method)
    assert [token.read for token in found.tokens] == [True] * 12 + [False] * 2
    assert np.abs(found.scores[12:]).min() > 0
    assert len(attribute(classifier(cell="mingru", keep="head"), text, method).tokens) == 12


def test_what_speaks_for_a_label() -> None:
    one = Networks(classifier(labels=["a", "b", "c"]))
    assert contrast(one, 1).tolist() == [-0.5, 1, -0.5]
    several = Networks(classifier(labels=["a", "b", "c"], task=MultiLabel()))
    assert contrast(several, 1).tolist() == [0, 1, 0]
    levels = Networks(classifier(labels=[1, 2, 3], task=Ordinal()))
    assert [contrast(levels, k).tolist() for k in range(3)] == [[-1, 0], [1, -1], [1, 1]]
    number = Networks(classifier(labels=[], task=Regression(mean=0.0, std=1.0)))
    assert contrast(number, 0).tolist() == [1]


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"method: expected one of shares, integrated_gradients, .*, got 'lime'"):
        attribute(classifier(), TEXT, "lime")


def test_a_network_from_its_inputs_on_is_the_network() -> None:
    for model in SMALL[:6]:
        networks = in_double(classifier(**model))
        reading = read_text(networks.classifier, TEXT)
        ids = torch.from_numpy(reading.ids).long()
        [member] = networks.members
        expected = member(ids[None], torch.tensor([reading.time]))
        assert torch.equal(logits_of_inputs(member, member.embedding(ids)[:, None]), expected)


def summed(attributions: Tensor) -> NDArray[np.float64]:
    """[1, time, features] -> [time]"""
    found: NDArray[np.float64] = attributions[0].sum(dim=-1).detach().numpy()
    return found


def oracle_of(made: Classifier) -> Any:
    """torch.nn's network where it has the cell, else the readable one; texts first."""
    if made.header.model.cell in ("mingru", "minlstm"):
        [member] = in_double(made).members

        class FromInputs(torch.nn.Module):
            def forward(self, inputs: Tensor) -> Tensor:
                return logits_of_inputs(member, inputs.transpose(0, 1))

        return FromInputs()
    return TorchNetwork(made)
