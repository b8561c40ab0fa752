"""Files, frames and lists to labelled texts, and these to batches: no torch, other libraries on demand."""

from textrnn.data.batching import bucketed, by_length, in_order
from textrnn.data.columns import LABEL_NAMES, TEXT_NAMES
from textrnn.data.dataset import LabelledTexts, collect
from textrnn.data.example import Example
from textrnn.data.folds import stratified_folds
from textrnn.data.lines import MAX_CHARACTERS
from textrnn.data.ragged import EncodedTexts, RaggedBatch
from textrnn.data.readers import FORMATS, read_examples
from textrnn.data.reading import read_labelled
from textrnn.data.scope import set_apart
from textrnn.data.sources import as_examples
from textrnn.data.splits import Overlap, overlap, split_stratified
from textrnn.data.streams import Source

__all__ = [
    "FORMATS",
    "LABEL_NAMES",
    "MAX_CHARACTERS",
    "TEXT_NAMES",
    "EncodedTexts",
    "Example",
    "LabelledTexts",
    "Overlap",
    "RaggedBatch",
    "Source",
    "as_examples",
    "bucketed",
    "by_length",
    "collect",
    "in_order",
    "overlap",
    "read_examples",
    "read_labelled",
    "set_apart",
    "split_stratified",
    "stratified_folds",
]
