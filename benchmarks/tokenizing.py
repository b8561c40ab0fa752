"""How fast do bytes become ids, against Hugging Face `tokenizers` in parallel and against the Python rule?

All three tokenise reviews of the imdb test set without truncation and look their tokens up in one vocabulary of 30,000.
The peer is a WordLevel model after NFC, lower-casing and a regular expression equal to the rule `words` but for the
characters that vanish. A second form of it uses BERT's rule, which is near ours and needs no regular expression; its
speed is in tokens of its own. Each side starts from Python strings; ours also from UTF-8 in one buffer, as a file has
it.
"""

import os
from typing import Any

import numpy as np

from benchmarks.lengths import data_folder, read
from benchmarks.timing import best_of
from textrnn.config import TextConfig, VocabularyConfig
from textrnn.native import available_threads
from textrnn.text import UNK, UNK_ID, TextEncoder

ROUNDS = 7
TEXTS = 5000
"""Chosen at random; the peer keeps about 150 bytes a token, and would need over a gigabyte for all 25,000."""
WORDS = r"[\p{L}\p{N}\p{M}'’\x{200c}\x{200d}]+|[\p{P}\p{S}]"


def foreign(vocabulary: list[str], *, bert: bool = False) -> Any:
    """The nearest thing in Hugging Face `tokenizers`; `bert` for its pre-tokenizer without a regular expression."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({token: index for index, token in enumerate(vocabulary)}, unk_token=UNK))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(WORDS), behavior="removed", invert=True)
    if bert:
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def measure() -> list[dict[str, Any]]:
    """One row: tokens, seconds and tokens per second of each side, and the peer's share of equal texts."""
    folder = data_folder()
    if folder is None:
        return []
    os.environ["TOKENIZERS_PARALLELISM"] = "true"
    everything = read(folder, "imdb", "test").texts
    texts = [everything[index] for index in np.random.default_rng(0).permutation(len(everything))[:TEXTS]]
    train = read(folder, "imdb", "train").texts
    encoder = TextEncoder.build(train, TextConfig(max_length=1_000_000, keep="head"), VocabularyConfig())
    native = encoder._native
    if native is None:
        raise SystemExit("the native library was not built")
    tokenizer = foreign(encoder.vocabulary.tokens)
    bert = foreign(encoder.vocabulary.tokens, bert=True)

    expected = [encoder.encode(text) for text in texts]
    found = encoder.encode_many(texts)
    np.testing.assert_array_equal(found.ids, np.concatenate(expected))
    np.testing.assert_array_equal(np.diff(found.offsets), [len(ids) for ids in expected])
    encoded = [text.encode() for text in texts]
    data, offsets = b"".join(encoded), np.cumsum([0, *map(len, encoded)])
    kept: dict[str, Any] = {"head": 1_000_000, "tail": 0, "python": encoder.encode}
    np.testing.assert_array_equal(native.encode_bytes(data, offsets, **kept).ids, found.ids)
    # The peer splits where the rule lets a character vanish, and finds "<PAD>" in its vocabulary: rarely.
    theirs = tokenizer.encode_batch(texts, add_special_tokens=False)
    equal = np.mean([ids.tolist() == other.ids for ids, other in zip(expected, theirs, strict=True)])
    if equal < 0.99:
        raise SystemExit(f"the peer tokenises only {equal:.1%} of the texts alike: that is no comparison")
    del theirs

    work = {
        "textrnn, native": lambda: encoder.encode_many(texts),
        "textrnn, native, from bytes": lambda: native.encode_bytes(data, offsets, **kept),
        "textrnn, native, one thread": lambda: encoder.encode_many(texts, threads=1),
        "Hugging Face tokenizers": lambda: tokenizer.encode_batch(texts, add_special_tokens=False),
        # "fast" is the peer's call that leaves out the positions of characters.
        "Hugging Face tokenizers, fast": lambda: tokenizer.encode_batch_fast(texts, add_special_tokens=False),
        "Hugging Face tokenizers, fast, BERT's rule": lambda: bert.encode_batch_fast(texts, add_special_tokens=False),
    }
    seconds = best_of(work, rounds=ROUNDS)
    seconds |= best_of({"textrnn, Python": lambda: [encoder.encode(text) for text in texts]}, rounds=1)
    tokens = dict.fromkeys(seconds, len(found.ids))
    of_bert = bert.encode_batch_fast(texts, add_special_tokens=False)
    tokens["Hugging Face tokenizers, fast, BERT's rule"] = sum(len(other.ids) for other in of_bert)
    return [
        {
            "set": "imdb",
            "tokens": len(found.ids),
            "megabytes": len(data) / 1e6,
            "threads": available_threads(),
            "texts that the peer tokenises alike": float(equal),
            "unknown tokens": float(np.mean(found.ids == UNK_ID)),
            "seconds": seconds,
            "tokens per second": {side: tokens[side] / time for side, time in seconds.items()},
        }
    ]


if __name__ == "__main__":
    for row in measure():
        speeds = row["tokens per second"]
        print({name: value for name, value in row.items() if name not in ("seconds", "tokens per second")})
        for side, speed in speeds.items():
            print(f"{side:44} {speed / 1e6:8.2f} million tokens/s, {speeds['textrnn, native'] / speed:6.1f} times")
