"""On real sentences: pre-training makes a difference that is larger than chance."""

from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import textrnn
from textrnn.data import as_examples, collect
from textrnn.training import pretrain
from textrnn.training.pretraining.recipe import read_texts


@pytest.mark.slow
def test_pretraining_helps_where_labels_are_few(data_folder: Path) -> None:
    """1,000 labelled sentences of sst2, with and without a base from 4,000 reviews of imdb, the same sizes otherwise.

    Asked are the other 5,920 sentences of the training set, whose texts, without their labels, are among those that the
    base reads. The bound of 2 points is twice the standard error of a difference of two shares of so many.
    """
    labelled = collect(as_examples(data_folder / "sst2" / "train.csv.gz"))
    development = collect(as_examples(data_folder / "sst2" / "dev.csv.gz"), labels=labelled.labels)
    order = np.random.default_rng(0).permutation(len(labelled))
    few, others = labelled.subset(order[:1000]), labelled.subset(order[1000:])
    reviews = read_texts([data_folder / "imdb" / "unlabelled.txt.gz"])
    unlabelled = [*islice(reviews, 4000), *others.texts]
    sizes: dict[str, Any] = {"cell": "gru", "bidirectional": True, "embedding_size": 64, "hidden_size": 128}
    base = pretrain(unlabelled, epochs=2, dropout=0.0, validation_tokens=10_000, **sizes)
    perplexities = [record.perplexity for record in base.history if record.perplexity is not None]
    assert perplexities[-1] < 350

    def accuracy(**settings: Any) -> float:
        classifier = textrnn.train(
            few.texts,
            [few.labels[target] for target in few.targets],
            validation=development.texts,
            validation_labels=[development.labels[target] for target in development.targets],
            epochs=6,
            pooling="max",
            dropout=0.2,
            effort="plain",
            **settings,
        )
        predicted = [prediction.label for prediction in classifier.predict(others.texts)]
        right = [others.labels[target] for target in others.targets]
        return float(np.mean([a == b for a, b in zip(predicted, right, strict=True)]))

    without, helped = accuracy(**sizes), accuracy(base=base)
    assert helped > without + 0.02, (without, helped, perplexities)
