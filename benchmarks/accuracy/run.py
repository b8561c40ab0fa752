"""Measures one side on one row with one seed."""

import gc
import os
import time
from typing import Any

from benchmarks.accuracy.results import Result, circumstances, conditions
from benchmarks.accuracy.sets import Classes, Row, load, measured
from benchmarks.accuracy.side import Side
from benchmarks.lengths import data_folder
from textrnn.evaluation.calibration import calibrate
from textrnn.evaluation.selection import select


def measure(side: Side, row: Row, seed: int) -> Result:
    """Train, then look at the test texts once, on one thread.

    Times are those of the wall clock and of the processor; on a machine that has other things to do the second says
    more. Training includes cutting the texts and choosing settings.
    """
    from threadpoolctl import threadpool_limits

    folder = data_folder()
    assert folder is not None
    task, test = load(row, folder)
    gc.collect()
    with threadpool_limits(1):
        wall, processor = time.perf_counter(), processor_seconds()
        fitted = side.fit(task, seed)
        wall, processor = time.perf_counter() - wall, processor_seconds() - processor
        started = time.process_time()
        predicted = fitted.predict(test.texts)
        prediction = time.process_time() - started
    return {
        "set": row.name,
        "side": side.name,
        "seed": seed,
        "metric": row.metric,
        **measured(row, task.labels, test.targets, predicted),
        **(certainty(test.targets, fitted.probabilities(test.texts)) if fitted.probabilities else {}),
        "test texts": len(test),
        "validation": fitted.validation,
        "chosen": fitted.chosen,
        "seconds": round(wall, 2),
        "processor seconds": round(processor, 2),
        "bytes": fitted.size(),
        "texts per second": round(len(test) / max(prediction, 1e-9)),
        **circumstances(side),
        **conditions(side, row),
    }


def certainty(targets: Classes, probabilities: Any) -> Result:
    """The calibration error, and the share of errors among the twentieth of the texts that is least certain."""
    handed = select(targets, probabilities).handovers[0]
    errors = handed.errors_found + handed.errors_left
    return {
        "calibration error": calibrate(targets, probabilities).error,
        "errors found by abstaining": handed.errors_found / errors if errors else 0.0,
        "abstaining": handed.examples / len(targets),
    }


def processor_seconds() -> float:
    """Of this process and of those that it waited for."""
    return sum(os.times()[:4])
