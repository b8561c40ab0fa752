"""Trials in several processes, which meet in the study."""

import multiprocessing
import queue
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from textrnn.errors import TextRNNError
from textrnn.tuning.results import TrialRecord
from textrnn.tuning.trials import Search, run_trials

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess


def run_workers(search: Search, workers: int, tell: Callable[[TrialRecord], None]) -> None:
    """As `run_trials`, by `workers` processes. They are spawned, since PyTorch's threads do not survive a fork.

    Raises:
        TextRNNError: the default recipe cannot be trained on these data, or a worker died.
        KeyboardInterrupt: after all workers have ended their trials.
    """
    context = multiprocessing.get_context("spawn")
    stop, messages = context.Event(), context.Queue()
    processes = [context.Process(target=_work, args=(search, number, stop, messages)) for number in range(workers)]
    for process in processes:
        process.start()
    interrupted, failures = False, list[str]()
    while True:
        try:
            _listen(processes, messages, tell, failures, stop)
            break
        except KeyboardInterrupt:
            interrupted = True
            stop.set()
    for process in processes:
        process.join()
    if failures:
        raise TextRNNError(failures[0])
    if interrupted:
        raise KeyboardInterrupt


def _listen(
    processes: "list[SpawnProcess]", messages: Any, tell: Callable[[TrialRecord], None], failures: list[str], stop: Any
) -> None:
    """Until all are gone and all they said is heard."""
    while True:
        gone = not any(process.is_alive() for process in processes)  # asked before: what they said last is in the queue
        try:
            message = messages.get(timeout=0.1)
        except queue.Empty:
            if gone:
                break
            continue
        if isinstance(message, TrialRecord):
            tell(message)
        else:
            failures.append(message)
            stop.set()
    died = [process.exitcode for process in processes if process.exitcode]
    if died and not failures:
        failures.append(f"a worker of the search ended with exit code {died[0]}")


def _work(search: Search, number: int, stop: Any, messages: Any) -> None:
    """A worker: ends when its parent says so or is no more; Ctrl-C reaches it by way of the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def stopped() -> bool:
        return bool(stop.is_set()) or (parent is not None and not parent.is_alive())

    try:
        from textrnn.tuning.study import quiet_optuna

        with quiet_optuna():
            run_trials(search, number, stopped, messages.put)
    except TextRNNError as error:
        messages.put(str(error))
