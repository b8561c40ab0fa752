"""How long do the n-grams of a set take to learn, all classes, at one strength?

Ours against scikit-learn's `LogisticRegression` with LIBLINEAR, class after class, on the same matrix with the same C,
one thread each, by processor time: the peer takes minutes, so each side runs once. Both must reach the same: no
problem's loss may be more than a thousandth above the peer's.
"""

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.lengths import data_folder, read
from benchmarks.timing import processor_seconds, runtime_threads
from textrnn.data import LabelledTexts
from textrnn.text.ngram_reader import NgramReader
from textrnn.text.ngrams import NgramRule
from textrnn.training.newton import Columns
from textrnn.training.ngram_problems import Held, solver_of, together

STRENGTH = 0.1
SETS = {"sst2": NgramRule(3, 5), "trec6": NgramRule(3, 5), "imdb": NgramRule(3), "clinc150": NgramRule(3, 5)}
"""With the n-grams that the default settings have there."""


def measure() -> list[dict[str, Any]]:
    """One row for each set."""
    folder = data_folder()
    assert folder is not None
    return [compare(name, read(folder, name, "train"), rule) for name, rule in SETS.items()]


def compare(name: str, dataset: LabelledTexts, rule: NgramRule) -> dict[str, Any]:
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    task, classes = dataset.task, dataset.task.outputs(len(dataset.labels))
    problems = task.problems(dataset.targets, classes, balanced=False)
    held = Held.of(NgramReader("words", rule).keys(dataset.texts))
    ratios = [held.ratios(problem) for problem in problems]
    with threadpool_limits(1), runtime_threads(1):
        started = processor_seconds()
        columns = Columns(held.matrix)
        blocks = together(problems, len(held.known))
        found = np.hstack([solver_of(held, columns, block, None)(STRENGTH) for block in blocks])
        ours = processor_seconds() - started
        theirs, losses = 0.0, []
        for index, (problem, its_ratios) in enumerate(zip(problems, ratios, strict=True)):
            scaled = held.matrix.copy()
            scaled.data = (scaled.data * its_ratios[scaled.indices]).astype(np.float32)
            started = processor_seconds()
            model = LogisticRegression(C=STRENGTH, solver="liblinear", random_state=0).fit(scaled, problem.values)
            theirs += processor_seconds() - started
            peer = np.append(its_ratios * model.coef_[0], model.intercept_)
            both = (found[:, index].astype(np.float64), peer)
            losses.append([loss(held, its_ratios, problem.values, side) for side in both])
    own, peers = np.array(losses).T
    if not (own <= peers * 1.001).all():
        raise SystemExit(f"{name}: our loss is {float((own / peers).max()):.5f} times the peer's")
    return {
        "set": name,
        "problems": len(problems),
        "n-grams": len(held.known),
        "numbers": int(held.matrix.nnz),
        "processor seconds": {"textrnn": ours, "LIBLINEAR": theirs},
        "highest loss, of the peer's": float((own / peers).max()),
    }


def loss(held: Held, ratios: NDArray[np.float64], inside: NDArray[np.bool_], found: NDArray[np.float64]) -> float:
    """What both sides minimise, in 64-bit floats; see newton.py."""
    scores = held.matrix.astype(np.float64) @ found[:-1] + found[-1]
    told = np.abs(ratios) > 0
    apart = float(((found[:-1][told] / ratios[told]) ** 2).sum() + found[-1] ** 2) / 2
    return apart + STRENGTH * float(np.logaddexp(0, np.where(inside, -scores, scores)).sum())


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
