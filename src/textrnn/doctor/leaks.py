"""Checks for what gives the label away, and for copies of texts."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textrnn.data import LabelledTexts, overlap
from textrnn.data.splits import comparable_bytes
from textrnn.doctor.finding import Finding, percent, some
from textrnn.text.tokenizer import TOKENIZERS

SURE = 0.98
"""Share of the texts with an n-gram that must have the label, for the n-gram to tell it."""
WIDE, SOME = 0.5, 0.2
"""Share of the label's texts that must have the n-gram, for a problem and for a warning."""
FEWEST = 10
"""Texts below which an n-gram is an accident."""
NAME_SURE = 0.9
SHOWN = 10

Membership = NDArray[np.bool_]
"""Whether each text has each label. [texts, labels]"""


def membership(dataset: LabelledTexts) -> Membership | None:
    """None where a label is a number."""
    if not dataset.labels:
        return None
    targets = np.asarray(dataset.targets)
    return targets.astype(np.bool_) if targets.ndim == 2 else targets[:, np.newaxis] == np.arange(len(dataset.labels))


def telling_ngrams(dataset: LabelledTexts, tokens: list[list[str]]) -> Iterator[Finding]:
    """Single tokens and pairs of tokens that tell a label almost alone."""
    members = membership(dataset)
    if members is None:
        return
    holders: dict[str, list[int]] = defaultdict(list)
    for index, text in enumerate(tokens):
        for ngram in {*text, *(f"{one} {other}" for one, other in pairwise(text))}:
            holders[ngram].append(index)
    sizes = members.sum(axis=0)
    found: list[dict[str, Any]] = []
    for ngram, texts in holders.items():
        if len(texts) < FEWEST:
            continue
        counts = members[texts].sum(axis=0)
        for label in np.flatnonzero((counts >= SURE * len(texts)) & (counts >= SOME * sizes) & (sizes < len(members))):
            row = {
                "ngram": ngram,
                "label": str(dataset.labels[label]),
                "texts": len(texts),
                "precision": float(counts[label] / len(texts)),
                "recall": float(counts[label] / sizes[label]),
            }
            found.append(row)
    # A pair is told only where it tells more than each of its tokens.
    single = {(row["ngram"], row["label"]): row["recall"] for row in found}
    found = [
        row
        for row in found
        if " " not in row["ngram"]
        or all(row["recall"] > single.get((part, row["label"]), 0) for part in row["ngram"].split(" "))
    ]
    found.sort(key=lambda row: (-row["recall"], row["ngram"]))
    if not found:
        yield Finding(
            check="label leaks", severity="fine", message="No word or pair of words tells a label almost alone."
        )
        return
    worst = found[0]
    yield Finding(
        check="label leaks",
        severity="problem" if worst["recall"] >= WIDE else "warning",
        message=f"{worst['ngram']!r} stands in {percent(worst['recall'])} of the texts labelled "
        f"{worst['label']!r}, and {percent(worst['precision'])} of the texts with it have that label"
        + (f"; also {some([row['ngram'] for row in found[1:]])}." if len(found) > 1 else "."),
        advice="If it comes from how the texts were gathered (a source, a signature, a form) and not from what they "
        "say, remove it from the texts and train again: the model has learned it instead of the task.",
        numbers={"ngrams": found[:SHOWN]},
    )


def names_of_labels(dataset: LabelledTexts, tokens: list[list[str]], tokenizer: str) -> Iterator[Finding]:
    """Labels that are written in their own texts."""
    members = membership(dataset)
    if members is None:
        return
    joined = [f" {' '.join(text)} " for text in tokens]
    rows: list[dict[str, Any]] = []
    for place, label in enumerate(dataset.labels):
        name = " ".join(TOKENIZERS[tokenizer](str(label).replace("_", " ")))
        if len(name) < 2 or name.isnumeric():  # a figure or a single sign means something else in most texts
            continue
        holds = np.array([f" {name} " in text for text in joined])
        both = int((holds & members[:, place]).sum())
        if both < FEWEST or members[:, place].all():
            continue
        precision, recall = both / int(holds.sum()), both / int(members[:, place].sum())
        if precision >= NAME_SURE and recall >= SOME / 2:
            rows.append({"label": str(label), "texts": both, "precision": precision, "recall": recall})
    if not rows:
        yield Finding(check="label names", severity="fine", message="No label is told by its own name in the texts.")
        return
    worst = max(rows, key=lambda row: row["recall"])
    yield Finding(
        check="label names",
        severity="problem" if worst["recall"] >= WIDE else "warning",
        message=f"The name of the label {worst['label']!r} is written in {percent(worst['recall'])} of its own "
        f"texts, and {percent(worst['precision'])} of the texts with it have that label.",
        advice="If texts that are to be labelled later do not name their label, remove it from these before training.",
        numbers={"labels": rows},
    )


def contradictions(dataset: LabelledTexts) -> Iterator[Finding]:
    """The same text under two labels, and copies."""
    groups: dict[bytes, list[int]] = defaultdict(list)
    for index, text in enumerate(dataset.texts):
        groups[comparable_bytes(text)].append(index)
    copies = [group for group in groups.values() if len(group) > 1]
    apart = [group for group in copies if len({str(dataset.label(index)) for index in group}) > 1]
    texts, total = sum(map(len, apart)), len(dataset)
    numbers = {
        "texts_with_copies": sum(map(len, copies)),
        "contradicting_texts": texts,
        "share": texts / total,
        "examples": [
            {"text": dataset.texts[group[0]][:200], "labels": sorted({str(dataset.label(index)) for index in group})}
            for group in apart[:SHOWN]
        ],
    }
    if not apart:
        copied = f" {sum(map(len, copies))} of {total} texts have copies, all labelled alike." if copies else ""
        yield Finding(
            check="contradictions",
            severity="fine",
            message=f"No text stands under two labels.{copied}",
            numbers=numbers,
        )
        return
    first = apart[0]
    labels = sorted({str(dataset.label(index)) for index in first})
    yield Finding(
        check="contradictions",
        severity="problem" if texts / total > 0.02 else "warning",
        message=f"{texts} of {total} texts stand under more than one label, such as {dataset.texts[first[0]][:60]!r} "
        f"under {some(labels)}: {', '.join(dataset.place(index) for index in first[:4])}.",
        advice="Nothing can be right on them. Correct the labels ('textrnn suspects' lists what is probably wrong); if "
        "a text may have several labels, use task 'multi_label'.",
        numbers=numbers,
    )


def shared_texts(training: LabelledTexts, dataset: LabelledTexts) -> Iterator[Finding]:
    """Texts that were learned from as well."""
    shared = overlap(training, dataset)
    share = len(shared) / len(dataset)
    if not shared:
        yield Finding(check="overlap", severity="fine", message="None of the texts is among the training texts.")
        return
    yield Finding(
        check="overlap",
        severity="problem" if share > 0.02 else "warning",
        message=f"{len(shared)} of {len(dataset)} texts ({percent(share)}) are among the training texts, too; the "
        f"first: {shared[0].first} and {shared[0].second}.",
        advice="Figures on them flatter the model. Take them out of one of the two.",
        numbers={"shared": len(shared), "share": share},
    )
