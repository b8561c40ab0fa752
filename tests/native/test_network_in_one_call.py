"""Whole networks in one native call, and streams, in every instruction set: against others and against themselves."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from builders import header, random_weights
from native_oracle import using
from runtime_oracles import expected_logits
from textrnn.config import ModelConfig
from textrnn.modelfile import Weights
from textrnn.native import available_instruction_sets, library
from textrnn.native.interface import CELLS
from textrnn.runtime import inputs
from textrnn.runtime.native_network import NativeNetwork

pytestmark = pytest.mark.skipif(library() is None, reason="the native library was not built")

SETS = available_instruction_sets() if library() else []
TOKENS = 14
SETTINGS = list(product(CELLS, [(1, False), (2, True)], ["masked", "through"]))


def ids_of(lengths: list[int], seed: int = 0) -> list[NDArray[np.int32]]:
    rng = np.random.default_rng(seed)
    return [rng.integers(0, TOKENS, length).astype(np.int32) for length in lengths]


def flat(texts: list[NDArray[np.int32]]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    return np.concatenate(texts), np.cumsum([0, *map(len, texts)])


def setup(cell: str, layers: int = 1, bidirectional: bool = False, **more: Any) -> tuple[ModelConfig, Weights]:
    settings: dict[str, Any] = {"hidden_size": 21, "embedding_size": 9, "pooling": "mean"} | more
    head = header(["a", "b", "c"], cell=cell, layers=layers, bidirectional=bidirectional, **settings)
    return head.model, random_weights(head, scale=0.2)


@pytest.mark.parametrize("way", SETS)
@pytest.mark.parametrize(("cell", "shape", "padding"), SETTINGS)
def test_matches_the_oracle(cell: str, shape: tuple[int, bool], padding: str, way: str) -> None:
    config, weights = setup(cell, *shape, padding=padding)
    texts = ids_of([5, 0, 12, 1, 9, 30, 2])
    expected = expected_logits(config, weights, texts, max_length=30)
    with using(way):
        network = NativeNetwork(config, weights, max_length=30)
        np.testing.assert_allclose(network.logits(texts), expected, rtol=1e-5, atol=1e-5)
        for text, row in zip(texts, expected, strict=True):
            np.testing.assert_allclose(network.logits([text])[0], row, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("way", SETS)
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("layers", [1, 2])
def test_threads_portions_and_company_change_nothing_to_the_bit(
    cell: str, layers: int, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, weights = setup(cell, layers, bidirectional=True, hidden_size=70)
    texts = ids_of([(row * 7) % 40 for row in range(60)])
    with using(way):
        network = NativeNetwork(config, weights, max_length=10)
        whole = network.logits(texts)
        monkeypatch.setattr("textrnn.runtime.native_network.SMALL", 0)
        for threads, at_once in product(["1", "2", "3"], [32_768, 50]):
            monkeypatch.setenv("TEXTRNN_NUM_THREADS", threads)
            network.network.tokens_at_once = at_once
            np.testing.assert_array_equal(network.logits(texts), whole)
        np.testing.assert_array_equal([network.logits([text])[0] for text in texts], whole)


@pytest.mark.parametrize("way", SETS)
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(
    ("pooling", "compress", "fold"), [("last", None, 16), ("max", "fp16", 16), ("mean", "int8", 0)]
)
def test_a_stream_in_pieces_equals_the_text(
    cell: str, pooling: str, compress: str | None, fold: int, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pieces of 0 to 200 tokens, of tables of every type, folded and not."""
    monkeypatch.setattr(inputs, "LARGEST_FOLD", fold)
    text = ids_of([400])[0]
    for layers in (1, 3):
        config, weights = setup(cell, layers, pooling=pooling)
        with using(way):
            network = NativeNetwork(config, weights, max_length=10, compress=compress)
            stream, read = network.stream(), 0
            for size in (0, 1, 64, 1, 200, 65, 3):
                stream.push(text[read : read + size])
                read += size
                expected = network.logits([text[:read]])[0]
                np.testing.assert_allclose(stream.logits(), expected, rtol=1e-5, atol=1e-5)
                np.testing.assert_array_equal(stream.logits(), stream.logits())


def test_impossible_ids_and_offsets_are_refused() -> None:
    network = NativeNetwork(*setup("gru"), max_length=10)
    ids, offsets = flat(ids_of([3, 4]))
    for wrong in (-1, TOKENS, 2**31 - 1):
        with pytest.raises(IndexError, match="outside the vocabulary"):
            network.logits_of(np.where(np.arange(7) == 6, wrong, ids).astype(np.int32), offsets)
    for places in ([0, 5, 4, 7], [-1, 3, 7], [0, 3, 8], [0, 2**62, 7]):
        with pytest.raises(IndexError, match="offsets"):
            network.logits_of(ids, np.array(places))
    assert network.logits_of(ids[:0], np.zeros(1, dtype=np.int64)).shape == (0, 3)


def test_a_refused_token_leaves_a_stream_as_it_was() -> None:
    network = NativeNetwork(*setup("lstm", 2), max_length=10)
    stream, text = network.stream(), ids_of([5])[0]
    stream.push(text)
    before = stream.logits()
    with pytest.raises(IndexError, match="outside the vocabulary"):
        stream.push(np.array([1, TOKENS], dtype=np.int32))
    np.testing.assert_array_equal(stream.logits(), before)
