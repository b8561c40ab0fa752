"""Text to ids, and nothing else: no torch, no files."""

from textrnn.text.encoder import TextEncoder, truncate
from textrnn.text.tokenizer import TOKENIZERS, characters, looks_unspaced, whitespace, words
from textrnn.text.vocabulary import PAD, PAD_ID, UNK, UNK_ID, Vocabulary

__all__ = [
    "PAD",
    "PAD_ID",
    "TOKENIZERS",
    "UNK",
    "UNK_ID",
    "TextEncoder",
    "Vocabulary",
    "characters",
    "looks_unspaced",
    "truncate",
    "whitespace",
    "words",
]
