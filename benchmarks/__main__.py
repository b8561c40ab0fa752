"""Measures everything and writes docs/benchmarks.md and benchmarks/results.json."""

import datetime
import json
import os
import platform
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
import torch

from benchmarks import accuracy, optimizer_step, runtime_speed, tokenizing, training_speed
from benchmarks.lengths import data_folder

ROOT = Path(__file__).resolve().parents[1]


def processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        if names:
            return names[0]
    return platform.processor() or platform.machine()


def speed_table(rows: list[dict[str, Any]], ours: str) -> str:
    lines = ["| set | side | tokens/s | textrnn is faster by |", "|---|---|---|---|"]
    for row in rows:
        speeds = row["tokens per second"]
        for side, speed in speeds.items():
            ratio = "" if side == ours else f"{speeds[ours] / speed:.2f}"
            lines.append(f"| {row['set']} | {side} | {speed:,.0f} | {ratio} |")
    return "\n".join(lines)


def optimizer_table(rows: list[dict[str, Any]]) -> str:
    lines = [
        "| rows with a gradient | side | in turns, ms a step | alone, ms a step | textrnn is faster by |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        in_turns, alone = row["milliseconds a step, in turns"], row["milliseconds a step, alone"]
        ours = in_turns[optimizer_step.OURS], alone[optimizer_step.OURS]
        for side in in_turns:
            times = in_turns[side], alone[side]
            ratio = "" if side == optimizer_step.OURS else f"{times[0] / ours[0]:.1f}, {times[1] / ours[1]:.1f}"
            lines.append(f"| {row['rows']:,} | {side} | {times[0]:.2f} | {times[1]:.2f} | {ratio} |")
    return "\n".join(lines)


def accuracy_table(rows: list[dict[str, Any]]) -> str:
    lines = [
        "| set | textrnn, accuracy % | macro-F1 | training s | tf-idf + LR, accuracy % | macro-F1 | training s |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        cells = [
            f"{100 * side['accuracy']:.1f} | {100 * side['macro_f1']:.1f} | {side['seconds']:.0f}"
            for side in row["sides"].values()
        ]
        lines.append(f"| {row['set']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    if data_folder() is None:
        raise SystemExit("set TEXTRNN_DATA to the folder of the data sets")
    machine: dict[str, Any] = {
        "date": datetime.date.today().isoformat(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "torch": str(torch.__version__),
            "scikit-learn": sklearn.__version__,
        },
    }
    results: dict[str, Any] = {"machine": machine}
    for module in (training_speed, optimizer_step, runtime_speed, tokenizing, accuracy):
        name = module.__name__.rpartition(".")[2]
        print(f"measuring {name} …", flush=True)
        results[name] = module.measure()
        print(json.dumps(results[name], indent=1), flush=True)
    (ROOT / "benchmarks" / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    template = (ROOT / "benchmarks" / "report.md").read_text(encoding="utf-8")
    cold = results["runtime_speed"][-1]["seconds"]
    ours, theirs = cold["textrnn runtime, NumPy"], cold["the network in PyTorch"]
    page = template.format(
        machine=f"{machine['processor']}, {machine['cores']} cores, {machine['date']}; "
        + ", ".join(f"{name} {version}" for name, version in machine["versions"].items()),
        training=speed_table(results["training_speed"], "textrnn, readable"),
        optimizer=optimizer_table(results["optimizer_step"]),
        runtime=speed_table(results["runtime_speed"][:-1], "textrnn runtime, NumPy"),
        cold_start=f"{ours:.2f} s against {theirs:.2f} s: {theirs / ours:.1f} times sooner.",
        tokenizing=speed_table(results["tokenizing"], "textrnn, native"),
        accuracy=accuracy_table(results["accuracy"]),
    )
    (ROOT / "docs" / "benchmarks.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
