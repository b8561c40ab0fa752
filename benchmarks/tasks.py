"""Do the other tasks beat a linear model, too?

    python -m benchmarks.tasks [--effort quick|default|best] [--texts 4000] [--case sst2]

Several labels, levels and numbers on texts that are put together from the real sets. Beside ours stands tf-idf over
words and word pairs with, from scikit-learn, logistic regression for each label (thresholds tuned as ours are),
logistic regression over the levels, and ridge regression; their strength is chosen on the same validation texts. All
figures are scikit-learn's, of a test set that nothing else has seen.
"""

import argparse
import csv
import gzip
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multiclass import OneVsRestClassifier

import textrnn
from textrnn.data import LabelledTexts, as_examples, collect, split_stratified
from textrnn.tasks import MultiLabel, Task, TaskConfig, task_of

Rows = list[tuple[str, Any]]
STRENGTHS = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)


def rows(name: str, part: str) -> list[tuple[str, str]]:
    folder = Path(os.environ.get("TEXTRNN_DATA", "../shared/data"))
    with gzip.open(folder / name / f"{part}.csv.gz", "rt", encoding="utf-8", newline="") as file:
        return [(row["text"], row["label"]) for row in csv.DictReader(file)]


def several(name: str, part: str, count: int, seed: int) -> Rows:
    """One to three texts one after the other, with the labels of all of them."""
    rng, data = np.random.default_rng(seed), rows(name, part)
    chosen = [rng.choice(len(data), int(rng.integers(1, 4)), replace=False).tolist() for _ in range(count)]
    return [(" ".join(data[k][0] for k in some), sorted({data[k][1] for k in some})) for some in chosen]


def positives(part: str, count: int, seed: int, sentences: int) -> Rows:
    """Sentences of sst2 one after the other, and how many of them are positive."""
    rng, data = np.random.default_rng(seed), rows("sst2", part)
    kinds = [[text for text, label in data if (label == "pos") == kind] for kind in (False, True)]
    found: Rows = []
    for _ in range(count):
        positive = int(rng.integers(0, sentences + 1))
        order = rng.permutation([1] * positive + [0] * (sentences - positive)).tolist()
        found.append((" ".join(str(rng.choice(kinds[k])) for k in order), positive))
    return found


def shares(part: str, count: int, seed: int, sentences: int) -> Rows:
    """The same as a share."""
    return [(text, positive / sentences) for text, positive in positives(part, count, seed, sentences)]


CASES: dict[str, tuple[str, Callable[[str, int, int], Rows]]] = {
    "trec6, one to three questions": ("multi_label", lambda part, count, seed: several("trec6", part, count, seed)),
    "clinc150, one to three queries": ("multi_label", lambda part, count, seed: several("clinc150", part, count, seed)),
    "sst2, positive ones of two sentences": ("ordinal", lambda part, count, seed: positives(part, count, seed, 2)),
    "sst2, positive share of four sentences": ("regression", lambda part, count, seed: shares(part, count, seed, 4)),
}


def judged(task: str, truth: NDArray[Any], predicted: NDArray[Any], answers: NDArray[Any]) -> dict[str, float]:
    """By scikit-learn."""
    if task == "multi_label":
        return {
            "micro F1": metrics.f1_score(truth, predicted, average="micro", zero_division=0),
            "macro F1": metrics.f1_score(truth, predicted, average="macro", zero_division=0),
            "LRAP": metrics.label_ranking_average_precision_score(truth, answers),
        }
    if task == "ordinal":
        return {
            "MAE": metrics.mean_absolute_error(truth, predicted),
            "kappa": metrics.cohen_kappa_score(truth, predicted, weights="quadratic"),
            "accuracy": metrics.accuracy_score(truth, predicted),
        }
    return {"MAE": metrics.mean_absolute_error(truth, predicted), "R2": metrics.r2_score(truth, predicted)}


def linear(task: Task, training: LabelledTexts, validation: LabelledTexts, texts: list[str]) -> tuple[Any, Any]:
    """Decisions and answers of the best linear model on some texts."""
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b\w+\b|[^\w\s]")
    features, held_out = vectorizer.fit_transform(training.texts), vectorizer.transform(validation.texts)
    best: tuple[float, Any] | None = None
    for strength in STRENGTHS:
        model: Any = LogisticRegression(C=strength, max_iter=1000)
        if isinstance(task, MultiLabel):
            model = OneVsRestClassifier(LogisticRegression(C=strength, solver="liblinear"))
        elif not task.one_label:
            model = Ridge(alpha=10 / strength)
        model.fit(features, training.targets.astype(int) if training.labels else training.targets)
        loss = task.score("loss", validation.targets, answers_of(model, held_out))
        if best is None or loss < best[0]:
            best = loss, model
    assert best is not None
    tuned = task.tuned(validation.targets, answers_of(best[1], held_out))
    answers = answers_of(best[1], vectorizer.transform(texts))
    return tuned.decided(answers), answers


def answers_of(model: Any, features: Any) -> NDArray[np.float64]:
    """As a task has them."""
    if hasattr(model, "predict_proba"):
        return np.asarray(model.predict_proba(features))
    return np.asarray(model.predict(features))[:, np.newaxis]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--effort", default="quick")
    parser.add_argument("--texts", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--case", default="", help="run only the cases whose name holds this")
    chosen = parser.parse_args()
    for name, (kind, make) in CASES.items():
        if chosen.case not in name:
            continue
        task: Task = task_of(TaskConfig(task=kind))  # type: ignore[arg-type]
        read = task.read_label
        dataset = collect(as_examples(make("train", chosen.texts, chosen.seed), read_label=read), task=task)
        test = collect(as_examples(make("test", 1000, chosen.seed), read_label=read), labels=dataset.labels, task=task)
        task = dataset.task.fitted(dataset.targets)
        training, validation = split_stratified(dataset, 0.1, 42)
        started = time.perf_counter()
        pairs = [(training.texts[k], training.label(k)) for k in range(len(training))]
        held_out = [(validation.texts[k], validation.label(k)) for k in range(len(validation))]
        classifier = textrnn.train(pairs, validation=held_out, task=kind, effort=chosen.effort, seed=chosen.seed)
        seconds = time.perf_counter() - started
        answers = classifier.answers(test.texts)
        sides = {"textrnn": (classifier.task.decided(answers), answers)}
        sides["linear"] = linear(task, training, validation, test.texts)
        print(f"{name} ({kind}, {len(training):,} texts, {seconds:.0f} s)")
        for side, (predicted, found) in sides.items():
            figures = judged(kind, test.targets, predicted, found)
            print(f"  {side:8s}", "  ".join(f"{metric} {value:.4f}" for metric, value in figures.items()), flush=True)


if __name__ == "__main__":
    main()
