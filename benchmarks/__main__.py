"""Measures all speeds, or those named, and writes docs/benchmarks.md and benchmarks/results.json.

The accuracies have a program and a file of results of their own: see `benchmarks.accuracy`.
"""

import datetime
import importlib
import json
import os
import platform
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.accuracy.plot import draw
from benchmarks.accuracy.table import details, overview
from benchmarks.lengths import data_folder
from benchmarks.tables import (
    learning_table,
    optimizer_table,
    peak_table,
    ratio_table,
    side_table,
    speed_table,
    whole_table,
)
from textrnn.native import instruction_set

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results.json"
BENCHMARKS = [
    *("training_speed", "training_step", "last_state", "notebook_loop", "minimal_cells", "optimizer_step"),
    *("ngram_learning", "whole_training"),
    *("inference_onnx", "runtime_speed", "tokenizing", "predict_command", "cold_start"),
]
PACKAGES = ["numpy", "torch", "scikit-learn", "onnxruntime", "fasttext", "tokenizers"]


def processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        if names:
            return names[0]
    return platform.processor() or platform.machine()


def machine() -> dict[str, Any]:
    return {
        "date": datetime.date.today().isoformat(),
        "processor": processor(),
        "instruction set": instruction_set(),
        "cores": os.cpu_count(),
        "versions": {"python": platform.python_version()} | {name: metadata.version(name) for name in PACKAGES},
    }


def shown(machine: dict[str, Any]) -> str:
    """A machine in words."""
    return f"{machine['processor']}, {machine['cores']} cores, {machine['instruction set']}, {machine['date']}"


def page(results: dict[str, Any]) -> str:
    """docs/benchmarks.md."""
    here = results["machine"]
    command, cold = results["predict_command"][0], results["cold_start"][0]
    minimal = [row for row in results["minimal_cells"] if "engine" not in row]
    tables = [row for row in results["minimal_cells"] if "engine" in row]
    template = (ROOT / "benchmarks" / "report.md").read_text(encoding="utf-8")
    return template.format(
        machine=f"{shown(here)}; "
        + ", ".join(f"{name} {version}" for name, version in here["versions"].items())
        + "".join(f"; `{name}`: {shown(other)}" for name, other in results.get("measured alone", {}).items()),
        training=ratio_table(results["training_speed"]),
        peak=peak_table([row for row in results["training_speed"] if row["cell"] != "elman"]),
        step=ratio_table(results["training_step"]),
        other_training=ratio_table([*results["last_state"], *results["notebook_loop"], *minimal]),
        denormals=f"{results['last_state'][0]['slowdown by denormals']:.1f}",
        optimizer=optimizer_table(results["optimizer_step"]),
        ngrams=learning_table(results["ngram_learning"]),
        whole=whole_table(results["whole_training"]),
        inference=ratio_table(results["inference_onnx"]),
        latency=", ".join(
            f"{row['microseconds in the kernels']:.0f} us for `{row['cell']}`, "
            f"{row['times faster, kernels only']:.1f} times less than the peer's best"
            for row in results["inference_onnx"]
            if "microseconds in the kernels" in row
        ),
        streamed=", ".join(
            f"{row['microseconds of a word in a stream']:.0f} us with `{row['cell']}`"
            for row in results["inference_onnx"]
            if "microseconds of a word in a stream" in row
        ),
        minimal=ratio_table(tables),
        bandwidth=", ".join(
            f"{row['bytes of the table read per second'] / 1e9:.1f} GB/s on {row['threads']} threads, where copying "
            f"moves {row['copied bytes per second'] / 1e9:.1f}"
            for row in tables
        ),
        runtime=speed_table(results["runtime_speed"], "textrnn runtime, NumPy"),
        tokenizing=speed_table(results["tokenizing"], "textrnn, native"),
        command=side_table(command["seconds"], "seconds"),
        command_ratio=", ".join(
            f"{ratio:.1f} times with `{side.partition(', ')[2]}`"
            for side, ratio in command["times the command of fastText"].items()
        ),
        cold_start=side_table(cold["seconds"], "seconds"),
        accuracy=overview(),
        accuracy_details=details(),
    )


def main(names: list[str]) -> None:
    """With names the other results stay those of the last time, and of the machine of that time."""
    if data_folder() is None:
        raise SystemExit("set TEXTRNN_DATA to the folder of the data sets")
    if instruction_set() is None:
        raise SystemExit("the native library was not built")
    if unknown := set(names) - set(BENCHMARKS):
        raise SystemExit(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    results: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8")) if names else {}
    if not names:
        results["machine"] = machine()
    for name in names or BENCHMARKS:
        print(f"measuring {name} …", flush=True)
        started = time.perf_counter()
        results[name] = importlib.import_module(f"benchmarks.{name}").measure()
        if names:
            results.setdefault("measured alone", {})[name] = machine()
        print(json.dumps(results[name], indent=1), flush=True)
        print(f"{name}: {time.perf_counter() - started:.0f} s", flush=True)
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    write_page()


def write_page() -> None:
    """docs/benchmarks.md and its figure, from the results of the last time."""
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    if missing := [name for name in BENCHMARKS if name not in results]:
        raise SystemExit(f"docs/benchmarks.md stays as it is: {', '.join(missing)} were never measured")
    (ROOT / "docs" / "benchmarks.md").write_text(page(results), encoding="utf-8")
    draw(ROOT / "docs" / "accuracy.svg")


if __name__ == "__main__":
    main(sys.argv[1:])
