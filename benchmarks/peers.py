"""The same network in plain PyTorch, on a copy of the weights, and batches with the lengths of real texts."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from benchmarks.lengths import data_folder, read
from textrnn.cells import kernel_threads
from textrnn.config import ModelConfig, TextConfig, VocabularyConfig
from textrnn.data import EncodedTexts, bucketed, in_order
from textrnn.model import TextClassifier, initialize
from textrnn.text import TextEncoder

NETWORKS: dict[str, Any] = {"elman": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}


def as_in_training(run: Callable[[], Any], threads: int) -> Callable[[], Any]:
    """Our side on so many threads as `fit` has it: they belong to the kernels, PyTorch's small operations take one."""

    def with_threads() -> Any:
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            with kernel_threads(threads):
                return run()
        finally:
            torch.set_num_threads(before)

    return with_threads


class TorchBatch(NamedTuple):
    """A padded batch."""

    ids: Tensor
    """[batch, time]"""
    lengths: Tensor
    """Real steps. [batch]"""
    targets: Tensor
    """[batch]"""

    @property
    def tokens(self) -> int:
        return int(self.lengths.sum())


class Corpus(NamedTuple):
    """The training part of a data set as ids."""

    texts: EncodedTexts
    targets: NDArray[np.int64]
    encoder: TextEncoder


LONGEST = 500
"""Tokens of a text that are kept."""


@functools.cache
def corpus(name: str) -> Corpus:
    """Encoded with the defaults but for the length at which texts are cut."""
    folder = data_folder()
    assert folder is not None
    dataset = read(folder, name, "train")
    encoder = TextEncoder.build(dataset.texts, TextConfig(max_length=LONGEST), VocabularyConfig())
    ids = encoder.encode_many(dataset.texts)
    return Corpus(EncodedTexts(ids.ids, ids.offsets), dataset.targets, encoder)


def shuffled_batches(
    name: str, count: int, *, size: int = 32, shortest: int = 1, longest: int = LONGEST, buckets: bool = False
) -> list[TorchBatch]:
    """Batches of texts with at least `shortest` tokens, cut to `longest`; with `buckets` of similar lengths."""
    texts, targets, _ = corpus(name)
    rng = np.random.default_rng(0)
    if buckets:
        order = bucketed(texts.lengths, size, rng)
    else:
        order = in_order(rng.permutation(np.flatnonzero(texts.lengths >= shortest)), size)
    batches = [texts.batch(indices) for indices in order[:count]]
    return [
        TorchBatch(
            torch.from_numpy(batch.padded()[:, :longest].copy()),
            torch.from_numpy(np.minimum(batch.lengths, longest)),
            torch.from_numpy(targets[batch.indices]),
        )
        for batch in batches
    ]


def classifier(name: str, **settings: Any) -> TextClassifier:
    """Ours, native, with sparse gradients of the embedding and a vocabulary as of `corpus`."""
    model = TextClassifier(
        ModelConfig(**settings),
        vocabulary_size=len(corpus(name).encoder.vocabulary),
        classes=2,
        backend="native",
        sparse_embedding=True,
    )
    return initialize(model, "orthogonal", torch.Generator().manual_seed(0))


def network(model: TextClassifier) -> Any:
    """`nn.RNN`, `nn.GRU` or `nn.LSTM` with the weights of a model of one layer."""
    config = model.config
    rnn = NETWORKS[config.cell](config.embedding_size, config.hidden_size, bidirectional=config.bidirectional)
    with torch.no_grad():
        for cell, suffix in zip(model.stack[0].directions, ("", "_reverse"), strict=False):
            hidden: Any = cell.from_hidden
            getattr(rnn, f"weight_ih_l0{suffix}").copy_(cell.from_input.weight)
            getattr(rnn, f"bias_ih_l0{suffix}").copy_(cell.from_input.bias)
            getattr(rnn, f"weight_hh_l0{suffix}").copy_(hidden.weight)
            getattr(rnn, f"bias_hh_l0{suffix}").copy_(torch.zeros(1) if hidden.bias is None else hidden.bias)
    return rnn


def mean(states: Tensor, lengths: Tensor) -> Tensor:
    """Of the real steps. [time, batch, hidden] -> [batch, hidden]"""
    real = (torch.arange(len(states)).unsqueeze(1) < lengths).unsqueeze(-1)
    return (states * real).sum(dim=0) / lengths.unsqueeze(-1)


def padded_mean(rnn: Any, inputs: Tensor, lengths: Tensor) -> Tensor:
    """The network reads the padding too, and pooling leaves it out. inputs [time, batch, features]"""
    return mean(rnn(inputs)[0], lengths)


def packed_mean(rnn: Any, inputs: Tensor, lengths: Tensor) -> Tensor:
    states = rnn(pack_padded_sequence(inputs, lengths, enforce_sorted=False))[0]
    return mean(pad_packed_sequence(states)[0], lengths)


def assert_close(what: str, ours: Tensor, theirs: Tensor, *, tolerance: float = 1e-4) -> None:
    """Largest difference in units of the largest value; a benchmark of two different things is none."""
    ours, theirs = (some.to_dense() if some.is_sparse else some for some in (ours.detach(), theirs.detach()))
    error = ((ours - theirs).abs().max() / theirs.abs().max()).item()
    if not error < tolerance:
        raise SystemExit(f"{what}: the sides differ by {error:.1e} of the largest value: that is no comparison")
