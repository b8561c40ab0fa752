"""`python -m benchmarks.accuracy [--sets …] [--sides …] [--seeds …]`: measure what is missing, then write the page."""

import argparse
import os

# Before anything reads them: every side has one thread, so that processor time is what an idle machine would take.
os.environ.update(TEXTRNN_NUM_THREADS="1", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")

import sys

import torch

from benchmarks.__main__ import write_page
from benchmarks.accuracy.results import conditions, find, keep, read
from benchmarks.accuracy.run import measure
from benchmarks.accuracy.sets import ROWS
from benchmarks.accuracy.sides import SIDES
from benchmarks.lengths import data_folder


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=ROWS, default=list(ROWS), help="rows of the table")
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=list(SIDES), help="columns of the table")
    parser.add_argument("--seeds", nargs="+", type=int, help="default: as many as each side needs, from 1")
    parser.add_argument("--again", action="store_true", help="measure even what is there")
    parser.add_argument("--keep", action="store_true", help="leave results of older code or settings as they are")
    parser.add_argument("--page", action="store_true", help="measure nothing, write the page only")
    chosen = parser.parse_args(arguments)
    if not chosen.page:
        if data_folder() is None:
            raise SystemExit("set TEXTRNN_DATA to the folder of the data sets")
        torch.set_num_threads(1)
        for name in chosen.sets:
            for side in chosen.sides:
                _fill(name, side, chosen)
    write_page()


def _fill(name: str, side_name: str, chosen: argparse.Namespace) -> None:
    row, side = ROWS[name], SIDES[side_name]
    if not side.runs_on(row):
        return
    wanted = conditions(side, row)
    for seed in chosen.seeds or range(1, side.seeds + 1):
        there = find(read(), name, side_name, seed)
        if not chosen.again and there and (chosen.keep or all(there[0][key] == wanted[key] for key in wanted)):
            continue
        result = measure(side, row, seed)
        keep(result)
        print(
            f"{name}, {side_name}, seed {seed}: {row.metric_shown} {100 * result[row.metric]:.1f} %, "
            f"{result['processor seconds']:.1f} s of processor time",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1:])
