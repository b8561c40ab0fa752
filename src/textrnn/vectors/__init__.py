"""Word vectors that somebody else trained: the rows for a vocabulary, from GloVe, word2vec and fastText files."""

from textrnn.vectors.read import read_vectors, vector_size
from textrnn.vectors.rows import Coverage, WordVectors

__all__ = ["Coverage", "WordVectors", "read_vectors", "vector_size"]
