"""How fast is inference, ids to logits, against ONNX Runtime on the same weights and threads?

One layer with mean pooling and head, batches of 32 imdb texts of 50 to 500 tokens as they come, and of 256 tokens each;
and the latency of a single text of 20 words, both directions, ours on one thread, ONNX Runtime on the best number of
threads. Ours is the engine that `textrnn.load` chooses. The peer reads ids and lengths, has the embedding as a lookup,
and pools by one sum. `at most` is the ratio if nothing took time but the recurrent products at the measured peak (those
of the input are in a table); for the single text, but reading the recurrent weights at each step from the second-level
cache.
"""

import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.bounds import at_most, cache_bandwidth, forward_operations, peak_run, take_peak
from benchmarks.lengths import data_folder
from benchmarks.onnx_graph import graph
from benchmarks.peers import LONGEST, classifier, corpus, shuffled_batches
from benchmarks.timing import best_times, runtime_threads
from textrnn.model import TextClassifier
from textrnn.runtime.engines import Network, build_network
from textrnn.runtime.native_network import NativeNetwork

OURS, THEIRS = "textrnn runtime", "ONNX Runtime"
REACH = {
    "imdb, 50 to 500 tokens, batch 32": {"gru": 8, "lstm": 3.5, "elman": 20},
    "imdb, 256 tokens each, batch 32": {"gru": 5, "lstm": 2.4, "elman": 17},
}


def session(raw: bytes, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    return onnxruntime.InferenceSession(raw, options, providers=["CPUExecutionProvider"])


def pair(model: TextClassifier) -> tuple[Network, bytes]:
    """The same weights twice."""
    weights = model.weights()
    return build_network(model.config, weights, max_length=LONGEST), graph(model.config, weights)


def feed(texts: list[NDArray[np.int32]]) -> dict[str, NDArray[Any]]:
    lengths = np.array([len(ids) for ids in texts], dtype=np.int32)
    padded = np.zeros((lengths.max(), len(texts)), dtype=np.int64)
    for row, ids in enumerate(texts):
        padded[: len(ids), row] = ids
    return {"ids": padded, "lengths": lengths}


def check(network: Network, peer: Any, texts: list[NDArray[np.int32]]) -> None:
    """The same logits, or no timing."""
    (expected,) = peer.run(None, feed(texts))
    np.testing.assert_allclose(network.logits(texts), expected, rtol=0, atol=1e-4)


def measure() -> list[dict[str, Any]]:
    """Rows of throughput, one for each kind of batch, number of threads and cell; then rows of latency."""
    if data_folder() is None:
        return []
    torch.set_flush_denormal(False)
    return throughput() + latency()


def throughput() -> list[dict[str, Any]]:
    batch = shuffled_batches("imdb", 1, shortest=50)[0]
    ragged = [ids[:length].astype(np.int32) for ids, length in zip(batch.ids.numpy(), batch.lengths, strict=True)]
    long = shuffled_batches("imdb", 1, shortest=256)[0]
    equal = [ids[:256].astype(np.int32) for ids in long.ids.numpy()]
    rows = []
    for (work, reach), texts in zip(REACH.items(), (ragged, equal), strict=True):
        ready = feed(texts)
        for threads in (2, 1):
            for cell, ratio in reach.items():
                model = classifier("imdb", cell=cell)
                network, raw = pair(model)
                peer = session(raw, threads)
                with runtime_threads(threads):
                    check(network, peer, texts)
                    times = best_times(
                        {
                            OURS: partial(network.logits, texts),
                            THEIRS: partial(peer.run, None, ready),
                        }
                        | peak_run(threads),
                        rounds=10,
                        turn_seconds=0.05,
                    )
                tokens = sum(map(len, texts))
                seconds = forward_operations(model, tokens, 0) / take_peak(times, threads)
                rows.append(
                    {"work": work, "cell": cell, "hidden": 128, "threads": threads}
                    | {"engine": type(network).__name__}
                    | times.row(OURS, tokens=tokens)
                    | at_most(times, OURS, seconds)
                    | {"to reach": {THEIRS: ratio} if threads == 2 else {}}
                )
    return rows


def latency() -> list[dict[str, Any]]:
    texts, _, _ = corpus("imdb")
    text = [texts[int(np.flatnonzero(texts.lengths >= 20)[0])][:20]]
    rows = []
    for cell in ("gru", "lstm"):
        model = classifier("imdb", cell=cell, bidirectional=True)
        network, raw = pair(model)
        peers = {f"{THEIRS}, {threads} threads": session(raw, threads) for threads in (1, 2)}
        ready = feed(text)
        with runtime_threads(1):
            work: dict[str, Callable[[], Any]] = {OURS: partial(network.logits, text)}
            for side, peer in peers.items():
                check(network, peer, text)
                work[side] = partial(peer.run, None, ready)
            times = best_times(work, rounds=15, turn_seconds=0.03)
            kernel = kernel_seconds(network, text)
        # Two operations for each weight of four bytes, at each step in each direction.
        read = 2 * forward_operations(model, len(text[0]), 0)
        bandwidth = cache_bandwidth(read // (2 * len(text[0])))
        row = times.row(OURS)
        best = min(seconds for side, seconds in times.wall.items() if side != OURS)
        rows.append(
            {"work": "one text of 20 tokens, two directions", "cell": cell, "hidden": 128, "threads": 1}
            | {"engine": type(network).__name__}
            | row
            | at_most(times, OURS, read / bandwidth)
            | {"bytes a second from the cache": bandwidth}
            | {"microseconds": {side: 1e6 * seconds for side, seconds in times.wall.items()}}
            | {"microseconds in the kernels": 1e6 * kernel, "times faster, kernels only": best / kernel}
            | {"microseconds of a word in a stream": 1e6 * stream_seconds(cell, text[0])}
            | {"to reach": {"the best": 2}}
        )
    return rows


def stream_seconds(cell: str, ids: NDArray[np.int32]) -> float:
    """Of a token that a stream reads, one direction, with the scores after it: the best of 200 times all of them."""
    stream = pair(classifier("imdb", cell=cell))[0].stream()
    best = float("inf")
    for _ in range(200):
        started = time.perf_counter()
        for at in range(len(ids)):
            stream.push(ids[at : at + 1])
            stream.logits()
        best = min(best, (time.perf_counter() - started) / len(ids))
    return best


class KernelClock:
    """The native library, with the time that its functions take."""

    def __init__(self, kernels: Any) -> None:
        self._kernels = kernels
        self.seconds = 0.0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        function = getattr(self._kernels, name)

        def timed(*arguments: Any) -> Any:
            started = time.perf_counter()
            result = function(*arguments)
            self.seconds += time.perf_counter() - started
            return result

        return timed


def kernel_seconds(network: Any, texts: list[NDArray[np.int32]]) -> float:
    """Of `Network.logits` what is spent in the kernels, the best of 2,000 calls; not a number for another engine."""
    if not isinstance(network, NativeNetwork):
        return float("nan")
    clock = KernelClock(network._kernels)
    network._kernels = clock  # type: ignore[assignment]
    best = float("inf")
    for _ in range(2000):
        clock.seconds = 0.0
        network.logits(texts)
        best = min(best, clock.seconds)
    return best


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
