"""Several Python threads at once, the GIL, and processes that fork after the kernels have been used."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch

from native_oracle import Case, Data, native, threads
from textrnn.cells import CELLS
from textrnn.cells.native_function import BUFFERS
from textrnn.config import ModelConfig
from textrnn.model import SILENCE, TextClassifier, initialize
from textrnn.model.native_encoder import native_encode
from textrnn.native import library
from textrnn.training.randomness import random_stream

kernels = library()
pytestmark = pytest.mark.skipif(kernels is None, reason="the native library was not built")


@pytest.fixture
def hasty() -> Iterator[None]:
    """Python changes threads as often as it can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def at_once(count: int, work: Callable[[int], None]) -> None:
    """Run in so many threads; the first exception of any is raised."""
    failures: list[BaseException] = []
    together = threading.Barrier(count)

    def run(number: int) -> None:
        try:
            together.wait()
            work(number)
        except BaseException as failure:
            failures.append(failure)

    workers = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if failures:
        raise failures[0]


@pytest.mark.usefixtures("hasty")
def test_many_threads_train_at_once() -> None:
    """Layers of the same sizes, which compete for the same memory; each thread has another cell and other data."""
    sizes = {"hidden": 16, "directions": 2, "pooling": "max", "indexed": True}
    lengths = tuple(row % 9 for row in range(40))
    data = [Data(Case(cell, lengths, seed=seed, **sizes)) for seed in range(2) for cell in CELLS]  # type: ignore[arg-type]
    expected = [native(some) for some in data]

    def work(number: int) -> None:

        for _ in range(15):
            found = native(data[number])
            for name, value in (expected[number].values | expected[number].gradients).items():
                assert torch.equal((found.values | found.gradients)[name], value), (number, name)

    with threads(2):
        at_once(len(data), work)


def test_memory_is_given_to_one_thread_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two threads that ask for the same free memory at the same time do not both get it."""
    monkeypatch.setattr(BUFFERS, "_free", [torch.empty(100) for _ in range(4)])
    inside = threading.Barrier(2)
    original = torch.Tensor.numel

    def slow(tensor: torch.Tensor) -> int:
        time.sleep(0.001)
        return original(tensor)

    monkeypatch.setattr(torch.Tensor, "numel", slow)
    taken: list[torch.Tensor] = []

    def work(number: int) -> None:
        inside.wait()
        taken.extend(BUFFERS.take(100) for _ in range(2))

    at_once(2, work)
    assert len({tensor.data_ptr() for tensor in taken}) == 4


@pytest.mark.usefixtures("hasty")
def test_many_threads_read_ids_at_once() -> None:
    config = ModelConfig(cell="gru", embedding_size=8, hidden_size=16)
    model = TextClassifier(config, vocabulary_size=500, classes=2)
    initialize(model, "orthogonal", random_stream(0))
    rng = np.random.default_rng(0)
    batches = [torch.from_numpy(rng.integers(2, 500, (60, 400))) for _ in range(6)]
    lengths = torch.full((60,), 400)

    def read(number: int) -> torch.Tensor:
        with torch.no_grad():
            return native_encode(model, batches[number], lengths, SILENCE)

    expected = [read(number) for number in range(6)]

    def work(number: int) -> None:
        for _ in range(10):
            assert torch.equal(read(number), expected[number])

    at_once(6, work)


def test_python_goes_on_during_a_call() -> None:
    assert kernels is not None
    started = time.perf_counter()
    kernels.textrnn_peak_operations(1, 10_000_000)
    iterations = int(10_000_000 * 0.5 / (time.perf_counter() - started))  # half a second
    counted = []
    finished = threading.Event()

    def call() -> None:
        kernels.textrnn_peak_operations(1, iterations)
        finished.set()

    caller = threading.Thread(target=call)
    caller.start()
    while not finished.is_set():
        counted.append(1)
        time.sleep(0.001)
    caller.join()
    assert len(counted) > 20


FORK = """
import multiprocessing, os, sys, warnings
import torch
from native_oracle import Case, Data, native

# So small that PyTorch uses no threads: its own do not survive a fork.
warnings.filterwarnings("ignore", category=DeprecationWarning)  # Python's own about forks of threaded processes
torch.set_num_threads(2)
data = Data(Case("gru", tuple(range(60)), hidden=40, directions=2, pooling="mean", keep_outputs=False))

def values():
    with torch.no_grad():
        return [value.tolist() for value in native(data, gradients=False).values.values()]

expected = values()

def child(queue):
    queue.put(values() == expected and values() == expected)

if sys.argv[1] == "fork":
    for _ in range(3):
        pid = os.fork()
        if pid == 0:
            if os.fork() == 0:  # a grandchild, before its parent has used the threads anew
                os._exit(0 if values() == expected else 2)
            good = values() == expected and os.WEXITSTATUS(os.wait()[1]) == 0
            os._exit(0 if good else 2)
        assert values() == expected
        assert os.WEXITSTATUS(os.waitpid(pid, 0)[1]) == 0
else:
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    children = [context.Process(target=child, args=(queue,)) for _ in range(3)]
    for process in children:
        process.start()
    assert values() == expected
    assert [queue.get(timeout=60) for _ in children] == [True] * 3
    for process in children:
        process.join()
print("good")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="this system cannot fork")
@pytest.mark.parametrize("way", ["fork", "multiprocessing"])
def test_a_fork_after_use(way: str) -> None:
    found = subprocess.run(
        [sys.executable, "-c", FORK, way], capture_output=True, text=True, timeout=120, check=False, cwd="tests"
    )
    assert found.stdout == "good\n", found.stderr
