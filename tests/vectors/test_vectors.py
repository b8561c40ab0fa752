"""Files written here from their published descriptions, and models of the fasttext package as oracle."""

import gzip
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from textrnn.errors import DataError
from textrnn.vectors import Coverage, read_vectors, vector_size
from textrnn.vectors.subwords import ngrams

WORDS = ["film", "Film", "Paris", "naïve", "new york", "good", "good", "unused", "映画"]
ROWS = np.random.default_rng(3).standard_normal((len(WORDS), 5)).astype(np.float32)
TOKENS = ["<PAD>", "<UNK>", "good", "film", "paris", "naïve", "nowhere", "映画"]
EXPECTED = {"good": 5, "film": 0, "paris": 2, "naïve": 3, "映画": 8}


def as_text(words: list[str], rows: np.ndarray[Any, Any], *, header: bool, end: str = "\n") -> bytes:
    lines = [f"{len(words)} {rows.shape[1]}"] if header else []
    lines += [f"{word} {' '.join(map(repr, row.tolist()))}" for word, row in zip(words, rows, strict=True)]
    return (end.join(lines) + end).encode()


def as_word2vec(words: list[str], rows: np.ndarray[Any, Any], end: bytes = b"\n") -> bytes:
    """As the original word2vec.c writes: "%lld %lld\\n", then "%s ", the floats, and a line feed."""
    parts = [f"{len(words)} {rows.shape[1]}\n".encode()]
    for word, row in zip(words, rows, strict=True):
        parts.append(word.encode() + b" " + struct.pack(f"<{len(row)}f", *row) + end)
    return b"".join(parts)


SINGLE = [word.replace(" ", "_") for word in WORDS]  # word2vec's words cannot hold spaces
FORMATS: dict[str, tuple[bytes, str]] = {
    "glove": (as_text(WORDS, ROWS, header=False), "text"),
    "vec": (as_text(WORDS, ROWS, header=True), "text"),
    "fasttext's vec": (as_text(WORDS, ROWS, header=True, end=" \n"), "text"),
    "windows": (as_text(WORDS, ROWS, header=True, end="\r\n"), "text"),
    "tabs": (as_text(SINGLE, ROWS, header=False).replace(b" ", b"\t"), "text"),
    "no last line feed": (as_text(WORDS, ROWS, header=False)[:-1], "text"),
    "word2vec": (as_word2vec(SINGLE, ROWS), "word2vec"),
    "word2vec without line feeds": (as_word2vec(SINGLE, ROWS, end=b""), "word2vec"),
}
COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".zst": lambda content: zstandard.ZstdCompressor().compress(content),
}


@pytest.mark.parametrize("suffix", COMPRESSIONS)
@pytest.mark.parametrize("name", FORMATS)
def test_the_rows_of_the_vocabulary(name: str, suffix: str, tmp_path: Path) -> None:
    content, kind = FORMATS[name]
    path = tmp_path / f"vectors{suffix}"
    path.write_bytes(COMPRESSIONS[suffix](content))
    assert vector_size(path) == 5
    vectors = read_vectors(path, TOKENS)
    assert vectors.kind == kind and vectors.size == 5 and vectors.composed == vectors.unreadable == 0
    assert [token for token, found in zip(TOKENS, vectors.found, strict=True) if found] == [
        token for token in TOKENS if token in EXPECTED
    ]
    for token, row in EXPECTED.items():
        np.testing.assert_array_equal(vectors.rows[TOKENS.index(token)], ROWS[row])
    assert not vectors.rows[~vectors.found].any()
    np.testing.assert_allclose(vectors.deviation(), ROWS[list(EXPECTED.values())].std(), rtol=1e-6)


def test_an_exact_word_wins_wherever_it_stands_and_the_first_of_each_kind_counts(tmp_path: Path) -> None:
    rows = np.arange(12, dtype=np.float32).reshape(6, 2)
    for words, row in [
        (["FILM", "Film", "film", "film", "FILM", "x"], 2),
        (["x", "FILM", "Film", "y", "z", "w"], 1),
        (["film", "FILM", "Film", "film", "z", "w"], 0),
    ]:
        for content in (as_text(words, rows, header=False), as_word2vec(words, rows)):
            (tmp_path / "v").write_bytes(content)
            np.testing.assert_array_equal(read_vectors(tmp_path / "v", ["<PAD>", "<UNK>", "film"]).rows[2], rows[row])


def test_words_in_another_normal_form_are_found(tmp_path: Path) -> None:
    (tmp_path / "v").write_bytes(as_text(["Cafe\u0301"], ROWS[:1], header=False))
    assert read_vectors(tmp_path / "v", ["<PAD>", "<UNK>", "caf\u00e9"]).found[2]


def test_special_tokens_get_no_vector(tmp_path: Path) -> None:
    (tmp_path / "v").write_bytes(as_text(["<PAD>", "<UNK>", "<pad>"], ROWS[:3], header=False))
    assert not read_vectors(tmp_path / "v", ["<PAD>", "<UNK>", "a"]).found.any()


def test_words_that_are_not_utf8_are_left_out_and_counted(tmp_path: Path) -> None:
    for content in (as_text(["q", "a"], ROWS[:2], header=True), as_word2vec(["q", "a"], ROWS[:2])):
        (tmp_path / "v").write_bytes(content.replace(b"\nq ", b"\n\xff\xfe "))
        vectors = read_vectors(tmp_path / "v", ["<PAD>", "<UNK>", "a"])
        assert vectors.unreadable == 1 and vectors.found[2]


def test_only_rows_of_the_vocabulary_are_held(tmp_path: Path) -> None:
    """Judged by what Python and NumPy allocate at most: 40 MB of vectors go by, 40 kB are kept."""
    import tracemalloc

    rows = np.zeros((20_000, 500), dtype=np.float32)
    (tmp_path / "v").write_bytes(as_word2vec([f"w{i}" for i in range(len(rows))], rows))
    tracemalloc.start()
    vectors = read_vectors(tmp_path / "v", ["<PAD>", "<UNK>", *(f"w{i}" for i in range(0, 20_000, 400))])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert vectors.found.sum() == 50 and peak < 4e6


def test_coverage_counts_words_and_tokens() -> None:
    found = np.array([False, False, True, False, True])
    coverage = Coverage.of(found, np.array([2, 2, 1, 3, 4, 1, 1, 2], dtype=np.int32))
    assert (coverage.words, coverage.of_words, coverage.tokens, coverage.of_tokens) == (2, 3, 4, 8)
    assert str(coverage) == "2 of 3 words of the vocabulary (66.7 %) have a vector, 50.0 % of the training tokens"


def test_the_fingerprint_is_that_of_the_rows(tmp_path: Path) -> None:
    prints = set()
    for name, (content, _) in FORMATS.items():
        (tmp_path / "v").write_bytes(content)
        if name != "tabs":
            prints.add(read_vectors(tmp_path / "v", TOKENS).fingerprint())
    assert len(prints) == 1
    rows = ROWS.copy()
    rows[0, 0] += 1e-3
    (tmp_path / "v").write_bytes(as_text(WORDS, rows, header=True))
    assert read_vectors(tmp_path / "v", TOKENS).fingerprint() not in prints


# fastText's own models, against the fasttext package

TEXT = "the naïve film was good and the 映画 was very very good in Paris and Köln \U0001f44d it was a film\n"


@pytest.fixture(scope="module", params=["skipgram", "cbow 2 to 3", "no n-grams", "supervised", "supervised n-grams"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    fasttext = pytest.importorskip("fasttext")
    folder = tmp_path_factory.mktemp("fasttext")
    text = folder / "text"
    # Ten threads and features: each thread fills a tenth, and version 0.9.3 leaves what remains as it was in memory.
    quick: dict[str, Any] = {"epoch": 3, "dim": 10, "minCount": 1, "thread": 10, "verbose": 0}
    if request.param.startswith("supervised"):
        text.write_text("".join(f"__label__{i % 2} {TEXT}" for i in range(30)))
        grams = {"minn": 2, "maxn": 4, "bucket": 50} if "n-grams" in request.param else {"wordNgrams": 2, "bucket": 70}
        trained = fasttext.train_supervised(str(text), **quick, **grams)
    else:
        text.write_text(TEXT * 30)
        variants: dict[str, dict[str, Any]] = {
            "skipgram": {"minn": 3, "maxn": 6, "bucket": 2000},
            "cbow 2 to 3": {"model": "cbow", "minn": 1, "maxn": 3, "bucket": 97},
            "no n-grams": {"minn": 0, "maxn": 0},
        }
        trained = fasttext.train_unsupervised(str(text), **quick, **variants[request.param])
    trained.save_model(str(folder / "model.bin"))
    return trained, folder / "model.bin"


UNKNOWN = ["goods", "naïveté", "映画館", "x", "é", "Kölner", "zzz\U0001f44d", "b c"]


@pytest.mark.parametrize("suffix", COMPRESSIONS)
def test_fasttext_models_give_the_vectors_of_fasttext(model: tuple[Any, Path], suffix: str) -> None:
    trained, path = model
    compressed = path.with_name(f"copy{suffix}")
    compressed.write_bytes(COMPRESSIONS[suffix](path.read_bytes()))
    known = [word for word in trained.get_words() if word != "Paris"]
    tokens = ["<PAD>", "<UNK>", *known, *UNKNOWN, "paris"]
    assert vector_size(compressed) == 10
    vectors = read_vectors(compressed, tokens)
    assert vectors.kind == "fastText"
    for word, row, found in list(zip(tokens, vectors.rows, vectors.found, strict=True))[2:-1]:
        expected = trained.get_word_vector(word)
        np.testing.assert_allclose(row, expected, atol=1e-6, err_msg=word)
        assert found == bool(expected.any()), word
    np.testing.assert_allclose(vectors.rows[-1], trained.get_word_vector("Paris"), atol=1e-6)
    composed = sum(bool(trained.get_word_vector(word).any()) for word in UNKNOWN)
    assert vectors.composed == composed


def test_saved_vec_text_gives_the_same(model: tuple[Any, Path]) -> None:
    trained, path = model
    words = trained.get_words()
    lines = [f"{len(words)} 10", *(f"{w} " + " ".join(f"{v:.8g}" for v in trained.get_word_vector(w)) for w in words)]
    path.with_name("text.vec").write_text("\n".join(lines) + "\n")
    tokens = ["<PAD>", "<UNK>", *words]
    own, text = read_vectors(path, tokens), read_vectors(path.with_name("text.vec"), tokens)
    np.testing.assert_allclose(own.rows, text.rows, atol=1e-6)


@given(st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=12), st.integers(1, 4))
def test_ngrams_are_the_windows_of_characters(word: str, shortest: int) -> None:
    bracketed = f"<{word}>"
    windows = {bracketed[i : i + length] for length in range(shortest, 6) for i in range(len(bracketed) - length + 1)}
    expected = set() if word == "</s>" else windows - {bracketed[0]} - {bracketed[-1]}
    found = {gram.decode() for gram in ngrams(word.encode(), shortest, 5)}
    assert found | {"<", ">"} == expected | {"<", ">"}


def test_a_quantised_model_is_refused_in_one_sentence(tmp_path: Path) -> None:
    fasttext = pytest.importorskip("fasttext")
    (tmp_path / "text").write_text("".join(f"__label__{i % 2} {TEXT}" for i in range(300)))
    trained = fasttext.train_supervised(
        str(tmp_path / "text"), epoch=1, dim=10, minn=2, maxn=3, bucket=300, thread=10, verbose=0
    )
    trained.quantize()
    trained.save_model(str(tmp_path / "model.ftz"))
    with pytest.raises(DataError, match=r"model\.ftz: a quantised fastText model, expected one that is not"):
        read_vectors(tmp_path / "model.ftz", ["<PAD>", "<UNK>", "film"])


# Files that lie

TEXT_FILE = as_text(SINGLE, ROWS, header=True)
BINARY = as_word2vec(SINGLE, ROWS)
LIES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "it is empty"),
    "prose": (b"once upon a time\nthere was\n", "expected a word and its numbers in the first line"),
    "csv": (b"text,label\ngood,1\n", "expected a word and its numbers in the first line"),
    "one number too few": (b"a 1 2 3\nb 1 2\n", "line 2: expected a word and 3 numbers, found 2 numbers"),
    "one number too many": (b"a 1 2 3\nb 1 2 3 4\n", "line 2: expected a word and 3 numbers, found 4 numbers"),
    "too few after a header": (b"2 3\na 1 2 3\nfilm 1 2\n", "line 3: expected a word and 3 numbers, found 2 numbers"),
    "no number": (b"a 1 2\nfilm 1 two\n", "line 2: expected a word and 2 numbers, found 'two'"),
    "underscore": (b"a 1 2\nfilm 1 1_0\n", "found '1_0' among them"),
    "nan": (b"a 1 2\nfilm nan 2\n", "line 2: the vector holds nan"),
    "inf": (b"a 1 2\nfilm 1 -inf\n", "line 2: the vector holds -inf"),
    "huge": (b"a 1 2\nfilm 1 1e30\n", r"line 2: the vector holds 1e\+30"),
    "an empty line": (b"a 1 2\n\nfilm 1 2\n", "line 2: an empty line"),
    "more words than lines": (b"3 2\na 1 2\nfilm 1 2\n", "announces 3 words, found 2"),
    "fewer words than lines": (b"1 2\na 1 2\nfilm 1 2\n", "announces 1 words, found 2"),
    "no features": (b"3 0\na\n", "3 words with 0 features"),
    "no words": (b"0 5\n", "0 words with 5 features"),
    "too many features": (b"3 70000\na 1\n", "with 70000 features, expected 1 to 65536"),
    "more than the file has": (
        b"99999999999 300\na 1 2\n",
        "cut short or damaged: 99999999999 words with 300|line 2: expected a word",
    ),
    "binary cut short": (BINARY[:-3], "cut short"),
    "binary with less": (BINARY.replace(b"9 5\n", b"8 5\n"), "announces 8 words, after which more bytes follow"),
    "binary with more": (BINARY.replace(b"9 5\n", b"10 5\n"), "cut short"),
    "binary that announces more": (
        BINARY.replace(b"9 5\n", b"999999999999 5\n"),
        "features need|cut short: expected 20",
    ),
    "binary nan": (
        as_word2vec(["film"], np.array([[1, np.nan]], dtype=np.float32)),
        "word 1: the vector holds nan",
    ),
    "a word without end": (b"5 4\n" + b"\x80\x01" * 100_000, "a word of more than 65536 bytes"),
    "a line without end": (b"a 1" + b" 1" * 3_000_000, "not a file of word vectors"),
}


@pytest.mark.parametrize("name", LIES)
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_lies_are_refused_in_one_sentence(name: str, suffix: str, tmp_path: Path) -> None:
    content, message = LIES[name]
    path = tmp_path / f"vectors{suffix}"
    path.write_bytes(COMPRESSIONS[suffix](content))
    with pytest.raises(DataError, match=message) as caught:
        read_vectors(path, TOKENS)
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)


def packed_fasttext(**changes: Any) -> bytes:
    """A model of one word in one bucketless row, written field by field."""
    f: dict[str, Any] = {"version": 12, "dim": 2, "bucket": 0, "minn": 0, "maxn": 0}
    f |= {"entries": 1, "words": 1, "labels": 0, "pruned": -1, "word": b"film\0", "kind": 0}
    f |= {"quantised": 0, "rows": 1, "columns": 2, "values": (1.0, 2.0)} | changes
    content: bytes = struct.pack("<2i", 793712314, f["version"])
    content += struct.pack("<12id", f["dim"], 5, 5, 1, 5, 1, 1, 2, f["bucket"], f["minn"], f["maxn"], 100, 1e-4)
    content += struct.pack("<3i2q", f["entries"], f["words"], f["labels"], 7, f["pruned"])
    content += f["word"] + struct.pack("<qb", 7, f["kind"])
    content += struct.pack("<b2q", f["quantised"], f["rows"], f["columns"])
    values: tuple[float, ...] = f["values"]
    return content + struct.pack(f"<{len(values)}f", *values)


def test_a_fasttext_model_written_by_hand(tmp_path: Path) -> None:
    (tmp_path / "m.bin").write_bytes(packed_fasttext())
    np.testing.assert_array_equal(read_vectors(tmp_path / "m.bin", TOKENS).rows[TOKENS.index("film")], [1, 2])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 11}, "version 11, expected version 12"),
        ({"dim": 0}, "0 features"),
        ({"dim": -3}, "-3 features"),
        ({"bucket": -1}, "-1 buckets"),
        ({"maxn": 2_000_000_000}, "2000000000-grams"),
        ({"entries": 2}, "2 entries, 1 words and 0 labels"),
        ({"entries": 2_000_000_000, "words": 2_000_000_000}, "2000000000 words need"),
        ({"kind": 1}, "the labels of the dictionary do not follow its words"),
        ({"word": b"film" * 20_000 + b"\0"}, "a word of more than 65536 bytes"),
        ({"pruned": 3}, "a quantised fastText model"),
        ({"quantised": 1}, "a quantised fastText model"),
        ({"rows": 2}, "a matrix of 2 x 2, expected 1 x 2"),
        ({"columns": 2**40}, "expected 1 x 2"),
        ({"bucket": 2_000_000_000, "rows": 2_000_000_001}, "a matrix of 2000000001 x 2 need"),
        ({"values": (1.0,)}, "need 8 bytes, the file has 4"),
        ({"values": (1.0, float("nan"))}, "word 'film': the vector holds nan"),
    ],
)
def test_fasttext_models_that_lie_are_refused(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    (tmp_path / "m.bin").write_bytes(packed_fasttext(**changes))
    with pytest.raises(DataError, match=message):
        read_vectors(tmp_path / "m.bin", TOKENS)


@pytest.mark.parametrize("content", [BINARY, TEXT_FILE, packed_fasttext(), as_text(SINGLE, ROWS, header=False)])
def test_any_beginning_of_a_file_is_read_or_refused(content: bytes, tmp_path: Path) -> None:
    whole = len(content.rstrip(b"\n"))
    refused = 0
    for end in range(whole):
        (tmp_path / "v").write_bytes(content[:end])
        try:
            read_vectors(tmp_path / "v", TOKENS)
        except DataError:
            refused += 1
    if content == as_text(SINGLE, ROWS, header=False):  # nothing tells how long it was
        assert refused > 20
    else:  # cut inside of its last number a text looks whole
        assert refused >= whole - 20 * (content == TEXT_FILE)


def test_missing_files_folders_and_pipes_are_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no such file"):
        vector_size(tmp_path / "none")
    with pytest.raises(DataError, match="is a folder"):
        vector_size(tmp_path)
    if sys.platform != "win32":
        with pytest.raises(DataError, match="expected a regular file"):
            vector_size("/dev/null")
