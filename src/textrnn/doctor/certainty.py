"""Checks of the answers: whether they can be believed, and whether rare labels have a chance."""

from collections.abc import Iterator

import numpy as np

from textrnn.data import LabelledTexts
from textrnn.doctor.finding import Finding, Severity, percent, some
from textrnn.doctor.leaks import membership
from textrnn.evaluation.calibration import calibrate, decisions
from textrnn.runtime import Classifier

LARGE, LARGEST = 0.05, 0.15
SURE = 0.9
UNEVEN, MOST_UNEVEN = 5.0, 20.0
FEW = 10


def certainty(classifier: Classifier, dataset: LabelledTexts, *, which: str) -> Iterator[Finding]:
    """Expected calibration error, and how sure wrong answers are. which: the texts, in words."""
    if not classifier.task.one_label:
        yield Finding(
            check="certainty", severity="note", message="Looked at only where each text has one of several labels."
        )
        return
    answers = classifier.answers(dataset.texts)
    predicted = np.asarray(classifier.task.decided(answers), dtype=np.intp)
    targets = np.asarray(dataset.targets, dtype=np.intp)
    right, sure = decisions(targets, answers, predicted)
    error = calibrate(targets, answers, predicted=predicted).error
    accuracy, mean = float(right.mean()), float(sure.mean())
    wrong = sure[~right]
    boasting = float((wrong > SURE).mean()) if len(wrong) else 0.0
    numbers = {
        "texts": len(targets),
        "accuracy": accuracy,
        "confidence": mean,
        "calibration_error": error,
        "wrong": len(wrong),
        "confidence_of_wrong": float(wrong.mean()) if len(wrong) else None,
        "share_of_wrong_above_0.9": boasting,
    }
    over = mean > accuracy
    severity: Severity = "fine" if error < LARGE else "problem" if error >= LARGEST and over else "warning"
    side = "over-confident" if over else "under-confident"
    advice = ""
    if severity != "fine" and over:
        advice = (
            "Train with calibrate, which fits the scores to the validation texts, and with more dropout or "
            "word_dropout or a smaller patience; until then do not read its probabilities as chances."
        )
    elif severity != "fine":
        advice = "Train with calibrate, which fits the scores to the validation texts."
    judged = f" The wrong answers are {percent(float(wrong.mean()))} sure on average" if len(wrong) else ""
    judged += f", and {percent(boasting)} of them more than {percent(SURE)}." if len(wrong) else ""
    verdict = f" The model is {side}." if severity != "fine" else ""
    yield Finding(
        check="certainty",
        severity=severity,
        message=f"On {which} {percent(accuracy)} of the answers are right, and they are {percent(mean)} sure on "
        f"average; expected calibration error {error:.3f}.{verdict}{judged}",
        advice=advice,
        numbers=numbers,
    )


def balance(dataset: LabelledTexts) -> Iterator[Finding]:
    """How many texts each label has."""
    members = membership(dataset)
    if members is None:
        return
    counts = dict(zip(map(str, dataset.labels), members.sum(axis=0).tolist(), strict=True))
    missing = [label for label, count in counts.items() if not count]
    few = [label for label, count in counts.items() if 0 < count < FEW]
    present = [count for count in counts.values() if count]
    ratio = max(present) / min(present) if present else 1.0
    numbers = {"counts": counts, "ratio": ratio, "largest_share": max(counts.values()) / len(dataset)}
    if missing:
        yield Finding(
            check="balance",
            severity="warning",
            message=f"The model knows {len(missing)} of {len(counts)} labels that no text here has: {some(missing)}.",
            advice="Nothing is known about how it does on them; look whether these data are what it was trained for.",
            numbers={"missing": missing},
        )
    uneven = ratio >= UNEVEN and len(present) > 1
    most = max(counts, key=lambda label: counts[label])
    least = min((label for label in counts if counts[label]), key=lambda label: counts[label], default=most)
    scarce = f" Fewer than {FEW} texts have {some(few)}." if few else ""
    yield Finding(
        check="balance",
        severity="warning" if uneven else "fine",
        message=f"{most!r} has {counts[most]} texts, {least!r} {counts[least]}: {ratio:.3g} times as many. Who always "
        f"says {most!r} is right on {percent(counts[most] / len(dataset))}.{scarce}",
        advice="Judge by macro_f1 instead of accuracy (metric 'macro_f1'), and train with class_weight 'balanced' or "
        "decisions 'macro_f1' if rare labels matter as much; gather more of them."
        if uneven
        else "",
        numbers=numbers,
    )
