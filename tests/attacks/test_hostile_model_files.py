"""Model files made to do harm: each is refused with one sentence, at once, and in little memory."""

import os
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import textrnn
from builders import header, random_weights
from commands import assert_refused, nothing_changes, run_apart, run_here
from forge import HOSTILE, put_together, taken_apart, valid
from textrnn.modelfile import CELL_TENSORS, Header, to_bytes
from textrnn.modelfile.read import LARGEST_WEIGHT
from textrnn.runtime import COMPRESSIONS, Classifier, Compression

MIB = 2**20


def test_the_file_that_all_others_are_made_from_is_valid(tmp_path: Path) -> None:
    path = tmp_path / "m.textrnn"
    path.write_bytes(valid())
    assert textrnn.load(path).predict("good").label in ("neg", "pos")
    path.write_bytes(put_together(*taken_apart(valid())))
    assert textrnn.load(path).predict("good").label in ("neg", "pos")


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_file(tmp_path: Path, kind: str) -> None:
    build, part = HOSTILE[kind]
    path = tmp_path / "m.textrnn"
    raw = build()
    assert raw != valid()
    path.write_bytes(raw)
    tracemalloc.start()
    started = time.perf_counter()
    try:
        with pytest.raises(textrnn.ModelFileError) as refused:
            textrnn.load(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    message = str(refused.value)
    assert message.startswith(f"{path}: ") and part in message, message
    assert message.isprintable() and len(message) < 800
    assert peak < 4 * MIB + 8 * len(raw), f"{peak / MIB:.1f} MiB for a file of {len(raw) / MIB:.1f} MiB"
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize("command", ["info", "evaluate", "predict"])
@pytest.mark.parametrize(
    "kind",
    [
        "empty",
        "cut within the data",
        "a header larger than the file",
        "text",
        "a pickle",
        "deep brackets",
        "version 2",
        "an unknown field that commands the terminal",
        "a lying hidden size",
        "one label",
        "overlapping tensors",
        "NaN as a weight",
    ],
)
def test_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, command: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("m.textrnn").write_bytes(HOSTILE[kind][0]())
    Path("d.csv").write_text("text,label\ngood film,pos\n")
    Path("old").write_bytes(b"precious")
    line = {"info": "info m.textrnn", "evaluate": "evaluate m.textrnn d.csv --json old"}
    with nothing_changes(tmp_path):
        result = run_here(*line.get(command, "predict m.textrnn d.csv --out old").split())
    assert_refused(result, "m.textrnn: ", HOSTILE[kind][1])


def special(folder: Path, kind: str) -> Path:
    """A path at which there is no regular file."""
    path = folder / "m.textrnn"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        if not hasattr(os, "mkfifo"):
            pytest.skip("needs named pipes")
        os.mkfifo(path)
    elif kind == "zeros without end":
        if not Path("/dev/zero").exists():
            pytest.skip("needs /dev/zero")
        path.symlink_to("/dev/zero")
    elif kind == "loop":
        path.symlink_to(path)
    elif kind == "link into the void":
        path.symlink_to(folder / "nowhere")
    elif kind == "long name":
        path = folder / ("m" * 300)
    elif kind == "below a file":
        path.write_bytes(valid())
        path = path / "m.textrnn"
    else:
        assert kind == "nothing"
    return path


@pytest.mark.parametrize(
    "kind",
    ["folder", "pipe", "zeros without end", "loop", "link into the void", "long name", "below a file", "nothing"],
)
def test_no_regular_file(tmp_path: Path, kind: str) -> None:
    path = special(tmp_path, kind)
    with pytest.raises(textrnn.ModelFileError) as refused:
        textrnn.load(path)
    assert str(path) in str(refused.value)
    assert_refused(run_here("info", path), path)


def test_a_path_with_a_nul() -> None:
    with pytest.raises(textrnn.ModelFileError, match=r"'a\\x00b'"):
        textrnn.load("a\0b")


LIMITED = """
import resource, sys
import textrnn.cli.info, textrnn.cli.predict
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
from textrnn.cli.main import entry
entry()
"""


def run_limited(memory: int, *arguments: object) -> "subprocess.CompletedProcess[str]":
    """A command that may take only so much memory beyond what the program takes."""
    if sys.platform != "linux":
        pytest.skip("needs Linux")
    code = LIMITED.replace("MEMORY", str(memory))
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, input="good\n" * 40)


def test_an_honest_giant_is_refused_too(tmp_path: Path) -> None:
    """A file with holes is large at no cost, so its true size is no promise that its content fits into memory."""
    path = tmp_path / "m.textrnn"
    head = msgspec.structs.replace(header(), model=msgspec.structs.replace(header().model, hidden_size=65_536))
    text = msgspec.json.encode(head).decode()
    raw = put_together({}, text, b"")
    path.write_bytes(raw)
    try:
        os.truncate(path, len(raw) + 4 * (14 * 5 + 65_536 * 5 + 65_536 + 65_536**2 + 2 * 65_536 + 2))
    except OSError:
        pytest.skip("this file system has no files with holes")
    done = run_limited(512 * MIB, "info", path)
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
    assert f"{path}: cannot read this model file: it needs more memory than there is" in done.stderr


def test_a_small_file_takes_little_memory(tmp_path: Path) -> None:
    """Folding the embedding into the next layer must not turn megabytes into gigabytes."""
    tokens = ["<PAD>", "<UNK>", *map(str, range(100_000))]
    head = Header(
        format_version=1,
        labels=["neg", "pos"],
        text=header().text,
        vocabulary=tokens,
        model=msgspec.structs.replace(header().model, embedding_size=1, hidden_size=2_000),
    )
    path = tmp_path / "m.textrnn"
    path.write_bytes(to_bytes(head, random_weights(head, scale=0.01)))
    assert path.stat().st_size < 20 * MIB  # as a folded table it would be 800 MB
    done = run_limited(400 * MIB, "predict", path)
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.count("\n") == 41


EDITS = st.lists(
    st.tuples(
        st.sampled_from(["flip", "insert", "delete", "copy"]),
        st.floats(0, 1, exclude_max=True),
        st.floats(0, 1, exclude_max=True),
        st.binary(min_size=1, max_size=4),
    ),
    min_size=1,
    max_size=6,
)


NETWORKS: list[dict[str, Any]] = [
    {},
    {"cell": "elman_relu", "layers": 3, "pooling": "max"},
    {"cell": "gru", "bidirectional": True, "pooling": "last"},
    {"cell": "lstm", "layers": 2, "padding": "through"},
    {"cell": "mingru", "layers": 2, "bidirectional": True},
    {"cell": "minlstm", "layers": 2},
]


@settings(max_examples=400, deadline=None)
@given(edits=EDITS, repair=st.booleans(), network=st.sampled_from(NETWORKS))
def test_random_damage(
    tmp_path_factory: pytest.TempPathFactory,
    edits: list[tuple[str, float, float, bytes]],
    repair: bool,
    network: dict[str, Any],
) -> None:
    """Whatever happens to the bytes: the file is refused, or what it gives works."""
    raw = bytearray(intact := valid(**network))
    end = int.from_bytes(raw[:8], "little")
    for kind, where, other, some in edits:
        start = int(where * len(raw))
        if kind == "flip":
            raw[start] ^= 1 << (some[0] % 8)
        elif kind == "insert":
            raw[start:start] = some
        elif kind == "delete":
            del raw[start : start + len(some)]
        else:
            begin = int(other * len(raw))
            raw[start : start + len(some)] = raw[begin : begin + len(some)]
    if repair:  # let more of them come past the first check
        raw[:8] = (end + len(raw) - len(intact)).to_bytes(8, "little", signed=True)
    path = tmp_path_factory.getbasetemp() / "damaged.textrnn"
    path.write_bytes(raw)
    check_refused_or_working(path)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_random_changes_of_the_header(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """JSON that is JSON still, with other values somewhere."""
    tensors, inner, weights = taken_apart(valid(**data.draw(st.sampled_from(NETWORKS))))
    json = st.recursive(
        st.none() | st.booleans() | st.integers(-2, 70_000) | st.floats(allow_nan=False) | st.text(max_size=5),
        lambda some: st.lists(some, max_size=3) | st.dictionaries(st.text(max_size=3), some, max_size=3),
        max_leaves=5,
    )
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from([tensors, *tensors.values(), inner, inner["model"], inner["text"]]))
        if isinstance(place, dict) and place:
            place[data.draw(st.sampled_from(sorted(place)))] = data.draw(json)
    path = tmp_path_factory.getbasetemp() / "changed.textrnn"
    try:
        path.write_bytes(put_together(tensors, inner, weights))
    except (UnicodeError, AttributeError, TypeError):
        return
    check_refused_or_working(path)


def check_refused_or_working(path: Path) -> None:
    try:
        classifier = textrnn.load(path)
    except textrnn.ModelFileError as error:
        assert str(error).startswith(f"{path}: ") and str(error).isprintable()
        return
    if classifier.header.text.max_length < 10_000 or classifier.header.model.padding == "masked":
        try:
            predictions = classifier.predict(["good film", "", "not a boring plot \U0001f600"])
        except textrnn.ModelFileError as error:  # weights so large that scores overflow
            assert "overflow" in str(error)
            return
        for prediction in predictions:
            assert prediction.label in classifier.labels and 0 <= prediction.probability <= 1
    assert run_here("info", path).code == 0


def test_nothing_is_executed(tmp_path: Path) -> None:
    path = tmp_path / "m.textrnn"
    path.write_bytes(HOSTILE["a pickle"][0]())
    assert_refused(run_apart("info", path), "not a model file")


@pytest.mark.parametrize("cell", CELL_TENSORS)
@pytest.mark.parametrize("compress", [None, *COMPRESSIONS])
def test_the_largest_weights_give_numbers_or_a_sentence(cell: str, compress: Compression | None) -> None:
    """Weights of 1e15 pass the reader; products of them in several layers do not fit into 32 bits."""
    head = header(cell=cell, layers=3, bidirectional=True)
    weights = random_weights(head)
    for tensor in weights.values():
        tensor[:] = np.where(tensor > 0, LARGEST_WEIGHT, -LARGEST_WEIGHT)
    classifier = Classifier(head, weights, compress=compress)
    try:
        probabilities = classifier.predict_proba(["good film", "", "not a boring plot " * 3])
    except textrnn.ModelFileError as error:
        assert "overflow" in str(error)
    else:
        assert np.isfinite(probabilities).all()


def test_a_model_of_64_layers_in_both_directions(tmp_path: Path) -> None:
    path = tmp_path / "m.textrnn"
    path.write_bytes(valid(cell="gru", layers=64, bidirectional=True))
    assert textrnn.load(path).predict("good").label in ("neg", "pos")
