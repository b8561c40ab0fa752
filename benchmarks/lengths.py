"""Batches with the lengths of real texts."""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from textrnn.config import TextConfig, VocabularyConfig
from textrnn.data import EncodedTexts, LabelledTexts, as_examples, collect
from textrnn.text import TextEncoder


def data_folder() -> Path | None:
    """The folder of real data sets: `TEXTRNN_DATA`, or `shared/data` beside the repository."""
    folder = Path(os.environ.get("TEXTRNN_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    return folder if folder.is_dir() else None


def read(folder: Path, name: str, part: str) -> LabelledTexts:
    return collect(as_examples(folder / name / f"{part}.csv.gz"))


def encoded(dataset: LabelledTexts, count: int) -> tuple[EncodedTexts, TextEncoder, NDArray[np.int64]]:
    """The first `count` texts of a random order, as the defaults encode them; encoder and their indices."""
    chosen = np.random.default_rng(0).permutation(len(dataset))[:count]
    encoder = TextEncoder.build(dataset.texts, TextConfig(), VocabularyConfig())
    return EncodedTexts.from_ids(encoder.encode(dataset.texts[index]) for index in chosen), encoder, chosen
