"""The networks in JavaScript against PyTorch's, the readable cells and the Python runtime."""

import itertools
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import textrnn
from builders import header, random_texts, random_weights
from javascript import needs_node, readings, run_javascript
from runtime_oracles import expected_logits, fused_layers, minimal_layers
from textrnn.cells import CELLS
from textrnn.config import ModelConfig
from textrnn.explorer.payload import payload
from textrnn.modelfile import CELL_TENSORS, Header, Weights
from textrnn.runtime import Classifier
from textrnn.text import TOKENIZERS
from textrnn.text.ngrams import BEGIN_OF_TOKEN, END_OF_TOKEN, NgramRule, hash_of, keys_of_tokens

pytestmark = needs_node

EVERY = list(itertools.product(CELL_TENSORS, [False, True], ["last", "mean", "max"]))


def ids_of(classifier: Classifier, texts: Sequence[str]) -> list[NDArray[np.int32]]:
    return [classifier.encoder.encode(text) for text in texts]


def classifier_of(
    seed: int, *, scale: float = 0.6, ngrams_of: Sequence[str] = (), max_length: int = 12, **model: Any
) -> Classifier:
    """With random weights, also for the n-grams of some texts."""
    head = header(["neg", "pos", "so so"], max_length=max_length, **model)
    rule = NgramRule(head.model.ngrams, head.model.character_ngrams)
    keys = [keys_of_tokens(TOKENIZERS["words"](text), rule) for text in ngrams_of]
    known = np.unique(np.concatenate([np.empty(0, np.int32), *keys]))[::2]  # every second one is unknown
    head = msgspec.structs.replace(head, ngrams=len(known))
    weights = random_weights(head, seed, scale / 2 if model.get("cell") == "elman_relu" else scale)  # relu has no bound
    if any(rule):
        weights["ngrams.key"] = known.astype(np.int32)
    return Classifier(head, weights)


@pytest.mark.parametrize(("cell", "bidirectional", "pooling"), EVERY)
def test_scores_are_those_of_torch_and_of_the_runtime(cell: str, bidirectional: bool, pooling: str) -> None:
    texts = ["", *random_texts(8, seed=1, longest=15)]
    for layers, padding in [(1, "masked"), (2, "through"), (3, "masked")]:
        settings: Any = {"cell": cell, "bidirectional": bidirectional, "pooling": pooling}
        classifier = classifier_of(layers, layers=layers, padding=padding, **settings)
        found = readings(classifier, texts)
        scores = np.array([one["scores"] for one in found])
        expected = expected_logits(
            classifier.header.model, classifier.weights, ids_of(classifier, texts), max_length=12
        )
        np.testing.assert_allclose(scores, expected, atol=1e-4)
        answers = np.array([one["answers"] for one in found])
        np.testing.assert_allclose(answers, classifier.predict_proba(texts), atol=1e-4)
        assert [one["tokens"] for one in found] == [classifier.encoder.tokens(text) for text in texts]
        for one in found:
            assert one["known"] == [token in classifier.encoder.vocabulary for token in one["tokens"]]
            check_split(one)


def check_split(one: dict[str, Any]) -> None:
    """Bias and shares make up the scores, and what is pooled so far ends with the answer."""
    total = np.array(one["total"]).reshape(-1, 3)
    np.testing.assert_allclose(one["bias"] + total.sum(axis=0), one["scores"], atol=1e-6)
    assert len(total) == len(one["all"]) + 1 and len(one["soFar"]) == len(one["tokens"])
    if one["soFar"]:
        np.testing.assert_allclose(one["soFar"][-1], one["answers"], atol=1e-12)


@pytest.mark.parametrize("cell", CELL_TENSORS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_states_and_gates(cell: str, bidirectional: bool) -> None:
    """States of the last of two layers by torch.nn, gates of the first by the readable cell."""
    classifier = classifier_of(5, cell=cell, bidirectional=bidirectional, layers=2, embedding_size=6)
    texts = [text for text in random_texts(6, seed=2, longest=11) if text]
    layers_of = minimal_layers if cell.startswith("min") else fused_layers
    size = classifier.header.model.hidden_size
    for text, one in zip(texts, readings(classifier, texts, layers=True), strict=True):
        ids = classifier.encoder.encode(text)
        embedded = classifier.weights["embedding.weight"][ids]
        expected = layers_of(classifier.header.model, classifier.weights, embedded.astype(np.float64))
        for way, direction in enumerate(one["layers"][0][1]):
            states = np.array(direction["state"]).reshape(-1, size)
            np.testing.assert_allclose(states, expected[:, way * size :][:, :size], atol=1e-5)
        for way, direction in enumerate(one["layers"][0][0]):
            gates, memory = gates_by_the_cell(classifier, embedded, backwards=way == 1)
            for name, values in gates.items():
                np.testing.assert_allclose(np.array(direction[name]).reshape(-1, size), values, atol=1e-5)
            if memory is not None:
                np.testing.assert_allclose(np.array(direction["memory"]).reshape(-1, size), memory, atol=1e-5)


def gates_by_the_cell(
    classifier: Classifier, embedded: NDArray[np.float32], *, backwards: bool
) -> tuple[dict[str, NDArray[np.float32]], NDArray[np.float32] | None]:
    model = classifier.header.model
    cell = CELLS[model.cell](model.embedding_size, model.hidden_size)
    place = f"layers.0.{'right_to_left' if backwards else 'left_to_right'}."
    state_dict = {
        name.removeprefix(place): torch.from_numpy(tensor)
        for name, tensor in classifier.weights.items()
        if name.startswith(place)
    }
    cell.load_state_dict(state_dict)
    steps: list[Any] = []
    memories = []
    with torch.no_grad():
        state = cell.initial_state(1)
        for x in embedded[::-1] if backwards else embedded:
            steps.append(cell.gates(torch.from_numpy(x.copy())[None], state))
            state = cell.step(torch.from_numpy(x.copy())[None], state)
            memories.append(getattr(state, "memory", None))
    order = slice(None, None, -1) if backwards else slice(None)
    gates = {
        name: np.concatenate([np.asarray(getattr(step, name)) for step in steps])[order] for name in type(cell).GATES
    }
    memory = None if memories[0] is None else np.concatenate([np.asarray(one) for one in memories])[order]
    return gates, memory


@pytest.mark.parametrize(("cell", "pooling"), [("gru", "max"), ("lstm", "mean"), ("mingru", "last")])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("keep", ["head", "both"])
def test_sums_of_members_and_ngrams(cell: str, pooling: str, bidirectional: bool, keep: str) -> None:
    texts = ["", "good", *random_texts(12, seed=3, longest=20)]
    classifier = classifier_of(
        7,
        ngrams_of=texts,
        max_length=9,
        cell=cell,
        pooling=pooling,
        bidirectional=bidirectional,
        members=3,
        ngrams=3,
        character_ngrams=4,
    )
    text = msgspec.structs.replace(classifier.header.text, keep=keep)
    classifier = Classifier(msgspec.structs.replace(classifier.header, text=text), classifier.weights)
    found = readings(classifier, texts)
    np.testing.assert_allclose([one["scores"] for one in found], classifier.logits(texts), atol=1e-4)
    for one in found:
        check_split(one)
        expected = ngram_shares(classifier, one["all"])
        np.testing.assert_allclose(np.array(one["ngrams"]).reshape(-1, 3)[:-1], expected, atol=1e-6)


def ngram_shares(classifier: Classifier, tokens: list[str]) -> NDArray[np.float64]:
    """By counting out every occurrence: an n-gram's worth, split over all of them, and in each over its tokens."""
    model, weights = classifier.header.model, classifier.weights
    places = {int(key): place for place, key in enumerate(weights["ngrams.key"])}
    owners: list[dict[int, list[int]]] = [{}, {}]

    def key_of(items: Sequence[int]) -> int:
        value = 0
        for item in items:
            value = (value + item + 1) * 0x9E3779B97F4A7C15 % 2**64
        return value >> 34

    hashes = [hash_of(""), *map(hash_of, tokens)]
    for first, last in itertools.combinations(range(len(hashes) + 1), 2):
        if last - first <= model.ngrams and (first, last) != (0, 1):
            real = [at - 1 for at in range(first, last) if at > 0]
            owners[0].setdefault(key_of(hashes[first:last]), []).extend(real)
    for at, token in enumerate(tokens):
        items = [BEGIN_OF_TOKEN, *map(ord, token), END_OF_TOKEN]
        for first, last in itertools.combinations(range(len(items) + 1), 2):
            if last - first <= model.character_ngrams and items[first:last] not in ([BEGIN_OF_TOKEN], [END_OF_TOKEN]):
                holders = owners[1].setdefault(key_of(items[first:last]) | 1 << 30, [])
                if at not in holders[-1:]:  # twice within a token is once
                    holders.append(at)
    shares = np.zeros((len(tokens), 3))
    for kind in owners:
        for key, real in kind.items():
            if key in places:
                worth = weights["ngrams.weight"][places[key]].astype(np.float64) / np.sqrt(len(kind))
                for at in real:
                    shares[at] += worth / len(real)
    return shares


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_shares_by_pooling(pooling: str, bidirectional: bool) -> None:
    """The definitions, on states by torch.nn."""
    classifier = classifier_of(9, cell="gru", pooling=pooling, bidirectional=bidirectional)
    model, weights = classifier.header.model, classifier.weights
    texts = [text for text in random_texts(8, seed=4) if text]
    for text, one in zip(texts, readings(classifier, texts), strict=True):
        embedded = weights["embedding.weight"][classifier.encoder.encode(text)].astype(np.float64)
        states = fused_layers(model, weights, embedded)
        np.testing.assert_allclose(
            np.array(one["total"]).reshape(-1, 3)[:-1],
            pooling_shares(model, states) @ weights["head.weight"].T,
            atol=1e-5,
        )


def pooling_shares(model: ModelConfig, states: NDArray[np.float64]) -> NDArray[np.float64]:
    """What each step gives to the pooled vector. [time, directions * hidden]"""
    if model.pooling == "mean":
        return states / len(states)
    if model.pooling == "max":
        found = np.zeros_like(states)
        steps = states.argmax(axis=0)
        found[steps, np.arange(states.shape[1])] = states[steps, np.arange(states.shape[1])]
        return found
    size = model.hidden_size
    zeros = np.zeros((1, size))
    forwards = np.diff(states[:, :size], axis=0, prepend=zeros)
    backwards = -np.diff(states[:, size:], axis=0, append=zeros) if model.bidirectional else states[:, size:]
    return np.concatenate([forwards, backwards], axis=1)


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_so_far_is_what_a_stream_says(pooling: str) -> None:
    texts = [text for text in random_texts(8, seed=5) if text]
    classifier = classifier_of(
        11, ngrams_of=texts, cell="lstm", layers=2, pooling=pooling, ngrams=2, character_ngrams=3
    )
    for text, one in zip(texts, readings(classifier, texts), strict=True):
        stream = classifier.stream()
        running = [list(stream.push(token).values()) for token in classifier.encoder.tokens(text)]
        np.testing.assert_allclose(one["soFar"], running, atol=1e-4)


@pytest.mark.parametrize("padding", ["masked", "through"])
def test_beginnings_read_anew(padding: str) -> None:
    texts = [text for text in random_texts(5, seed=6) if text]
    classifier = classifier_of(
        13, ngrams_of=texts, cell="gru", bidirectional=True, pooling="max", padding=padding, members=2, ngrams=2
    )
    code = """
    const [classifier, spare] = [classifierOf(input.model), classifierOf(input.model)];
    answer(input.texts.map((text) => {
      const reading = classifier.read(text);
      return reading.tokens.map((_, at) => Reading.ofPrefix(reading, spare, at + 1));
    }));
    """
    found = run_javascript(code, model=payload(classifier, "m").in_page(), texts=texts)
    for text, running in zip(texts, found, strict=True):
        tokens = classifier.encoder.tokens(text)
        beginnings = [" ".join(tokens[: at + 1]) for at in range(len(tokens))]
        np.testing.assert_allclose(running, classifier.predict_proba(beginnings), atol=1e-4)


@pytest.mark.parametrize("cell", CELL_TENSORS)
@pytest.mark.parametrize(("layers", "bidirectional"), [(1, False), (1, True), (2, False), (2, True)])
def test_what_is_kept_from_the_text_before_changes_nothing(cell: str, layers: int, bidirectional: bool) -> None:
    """Words put in, taken out and exchanged at the ends and in the middle: equal to the bit to reading from scratch."""
    words = random_texts(1, seed=8, longest=12)[0].split() or ["good"]
    texts = [" ".join(words)]
    rng = np.random.default_rng(layers)
    for _ in range(40):
        at = int(rng.integers(len(words) + 1))
        words[at : at + int(rng.integers(3))] = random_texts(1, seed=int(rng.integers(1000)), longest=2)[0].split()
        texts.append(" ".join(words))
    classifier = classifier_of(15, cell=cell, layers=layers, bidirectional=bidirectional, max_length=16)
    code = """
    const kept = classifierOf(input.model);
    answer(input.texts.map((text) => [kept.read(text).scores, classifierOf(input.model).read(text).scores]));
    """
    for kept, fresh in run_javascript(code, model=payload(classifier, "m").in_page(), texts=texts):
        assert kept == fresh


@pytest.mark.parametrize(("hidden_size", "embedding_size"), [(7, 5), (8, 16), (130, 33), (1, 1)])
def test_products_with_and_without_vectors(hidden_size: int, embedding_size: int) -> None:
    """By WebAssembly, which all other tests use, and by JavaScript, for a browser that lacks it."""
    sizes: Any = {"hidden_size": hidden_size, "embedding_size": embedding_size}
    scale = 1.5 / hidden_size**0.5  # larger ones make wide networks chaotic: rounding grows with each step
    classifier = classifier_of(19, scale=scale, cell="gru", layers=2, bidirectional=True, **sizes)
    texts = random_texts(10, seed=10)
    code = """
    const compiled = compiledProduct();
    const [vectors, plain] = [classifierOf(input.model), classifierOf(input.model, null)];
    answer([compiled !== null, input.texts.map((text) => [vectors.read(text).scores, plain.read(text).scores])]);
    """
    compiled, scores = run_javascript(code, model=payload(classifier, "m").in_page(), texts=texts)
    assert compiled
    both = np.array(scores)
    np.testing.assert_allclose(both[:, 1], classifier.logits(texts), atol=1e-4)
    np.testing.assert_allclose(both[:, 0], both[:, 1], atol=1e-4)


def test_scores_that_overflow_are_told() -> None:
    head: Header = header(cell="elman_relu")
    weights: Weights = {name: tensor * np.float32(1e30) for name, tensor in random_weights(head).items()}
    assert [one["finite"] for one in readings(Classifier(head, weights), ["good bad film", ""])] == [False, True]


def test_a_saved_model_says_the_same(tmp_path: Any) -> None:
    classifier = classifier_of(17, cell="gru", bidirectional=True)
    classifier.save(tmp_path / "m.textrnn")
    texts = random_texts(4, seed=9)
    loaded = textrnn.load(tmp_path / "m.textrnn")
    assert readings(loaded, texts) == readings(classifier, texts)
