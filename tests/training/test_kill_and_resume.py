"""A training that is killed, interrupted or refused, and taken up again: the same bytes as without."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import dying
import textrnn
from commands import TEXTRNN, assert_refused, nothing_changes, run_apart, run_here

SETTINGS = {
    "dropout, shuffled": "--dropout 0.5 --batching shuffled --epochs 9 --patience 0",
    "bucketed, early stopping": "--dropout 0.3 --batching bucketed --epochs 12 --patience 2 --learning-rate 0.05",
    "cosine, balanced": "--dropout 0 --batching bucketed --epochs 8 --schedule cosine --class-weight balanced "
    "--metric macro_f1 --patience 4 --optimizer adam",
    "no validation, lesson": "--dropout 0.2 --batching shuffled --epochs 8 --validation-fraction 0 --padding through "
    "--max-length 12 --pooling last",
}
SMALL = (
    "--effort plain --embedding-size 16 --hidden-size 24 --batch-size 4 --min-count 1 --no-timings --progress json"
).split()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few hundred texts of two uneven classes, with some noise."""
    rng = random.Random(7)
    words = {"pos": "good great fine film plot".split(), "neg": "bad dull poor film plot".split()}
    rows = ["text,label"]
    for _ in range(400):
        label = rng.choices(["pos", "neg"], [2, 1])[0]
        other = label if rng.random() < 0.85 else rng.choice(["pos", "neg"])
        rows.append(f"{' '.join(rng.choices(words[label], k=rng.randint(1, 14)))},{other}")
    path = tmp_path_factory.mktemp("data") / "d.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


@dataclass
class Training:
    """One command line, run as often as it takes."""

    data: Path
    folder: Path
    settings: str
    kills: int = 0
    kills_after_first_epoch: int = 0
    killed_after: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir()

    @property
    def model(self) -> Path:
        return self.folder / "m.textrnn"

    @property
    def checkpoint(self) -> Path:
        return self.folder / "m.textrnn.checkpoint"

    def command(self, *more: str) -> list[str]:
        return ["train", str(self.data), "--out", str(self.model), *SMALL, *self.settings.split(), *more]

    def start(self, *more: str) -> "subprocess.Popen[bytes]":
        """The command in a process of its own, with nothing on its way to the screen."""
        with (self.folder.parent / f"{self.folder.name}.log").open("wb") as log:
            return subprocess.Popen([*TEXTRNN, *self.command(*more)], stdout=log, stderr=subprocess.PIPE)

    def finish(self, *more: str) -> bytes:
        """Run to the end in this process; the bytes of the model file."""
        result = run_here(*self.command(*more))
        assert (result.code, result.err) == (0, ""), result.err
        assert [path.name for path in self.folder.iterdir()] == [self.model.name], "something was left behind"
        return self.model.read_bytes()

    def kill_after(self, seconds: float, *more: str, epochs: int = 0) -> None:
        """Start, and SIGKILL so long after this many reported epochs unless it has ended by then."""
        process = self.start(*more)
        while self.epochs_done() < epochs and process.poll() is None:
            time.sleep(0.002)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            self.kills += 1
            self.kills_after_first_epoch += self.checkpoint.exists()
        with process:
            assert process.stderr and not process.stderr.read()
        self.check_what_is_there()

    def check_what_is_there(self) -> None:
        """Model and checkpoint are absent or whole, whatever has happened."""
        if self.model.exists():
            textrnn.load(self.model)
        if self.checkpoint.exists():
            with safe_open(self.checkpoint, framework="np") as file:
                assert all(np.isfinite(file.get_tensor(name)).all() for name in file.keys())  # noqa: SIM118

    def epochs_done(self) -> int:
        """Epochs that the running process has reported."""
        return (self.folder.parent / f"{self.folder.name}.log").read_text().count('"event":"epoch"')


def wait_for_epochs(training: Training, process: "subprocess.Popen[bytes]", epochs: int) -> None:
    deadline = time.monotonic() + 60
    while training.epochs_done() < epochs:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.002)


@pytest.fixture(scope="module")
def undisturbed(data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The model file of every training that nobody disturbs."""
    folder = tmp_path_factory.mktemp("undisturbed")
    return {name: Training(data, folder / str(index), SETTINGS[name]).finish() for index, name in enumerate(SETTINGS)}


def test_the_settings_are_worth_testing(undisturbed: dict[str, bytes], tmp_path: Path) -> None:
    epochs = {}
    for name, raw in undisturbed.items():
        (tmp_path / "m.textrnn").write_bytes(raw)
        classifier = textrnn.load(tmp_path / "m.textrnn")
        assert classifier.header.provenance is not None
        epochs[name] = len(classifier.history), classifier.header.provenance.best_epoch
    assert 4 <= epochs["bucketed, early stopping"][0] < 12, "does not stop early"
    assert epochs["bucketed, early stopping"][1] < epochs["bucketed, early stopping"][0]
    assert epochs["dropout, shuffled"][0] == 9


@pytest.mark.parametrize("name", SETTINGS)
def test_a_second_run_gives_the_same_bytes(
    data: Path, tmp_path: Path, undisturbed: dict[str, bytes], name: str
) -> None:
    """Also with --resume, where there is nothing to resume."""
    assert Training(data, tmp_path / "again", SETTINGS[name]).finish("--resume") == undisturbed[name]


def test_kill_three_times(data: Path, tmp_path: Path, undisturbed: dict[str, bytes]) -> None:
    """Once while it starts, twice in the middle of an epoch."""
    name = "dropout, shuffled"
    training = Training(data, tmp_path / "killed", SETTINGS[name])
    training.kill_after(0.3, "--resume")
    for _ in range(2):
        process = training.start("--resume")
        before = len(training_history(training))
        while len(training_history(training)) < before + 2:
            assert process.poll() is None
            time.sleep(0.005)
        time.sleep(0.01)
        process.kill()
        with process:
            pass
        training.check_what_is_there()
    assert 4 <= len(training_history(training)) < 9
    assert training.finish("--resume") == undisturbed[name]


def training_history(training: Training) -> list[object]:
    """The epochs in the checkpoint."""
    import msgspec

    try:
        with safe_open(training.checkpoint, framework="np") as file:
            history: list[object] = msgspec.json.decode(file.metadata()["checkpoint"])["history"]
            return history
    except FileNotFoundError:
        return []


@pytest.mark.slow
@pytest.mark.parametrize("name", SETTINGS)
def test_kill_at_twenty_random_moments(data: Path, tmp_path: Path, undisturbed: dict[str, bytes], name: str) -> None:
    """Twenty kills, several of them of one and the same training, spread over start, epochs, checkpoints and saving."""
    started = time.perf_counter()
    timed = Training(data, tmp_path / "timed", SETTINGS[name])
    with timed.start() as process:
        wait_for_epochs(timed, process, 1)
        first_epoch = time.perf_counter()
        assert process.wait(120) == 0
    longest = 1.1 * (time.perf_counter() - started)
    after_it = time.perf_counter() - first_epoch

    rng = random.Random(name)
    kills = after_first_epoch = rounds = 0
    while kills < 20 or rounds < 3:
        training = Training(data, tmp_path / f"killed{rounds}", SETTINGS[name])
        while not training.model.exists() and training.kills < 12:
            if training.kills % 2:  # importing takes longer than all epochs: half of the kills leave it out
                training.kill_after(rng.uniform(0, after_it), "--resume", epochs=1)
            else:
                training.kill_after(rng.uniform(0, longest), "--resume")
        assert training.finish("--resume") == undisturbed[name]
        kills, rounds = kills + training.kills, rounds + 1
        after_first_epoch += training.kills_after_first_epoch
    assert after_first_epoch >= 3, "hardly any kill came after the first checkpoint"


@pytest.mark.parametrize("suffix", [".checkpoint", ".textrnn"])
@pytest.mark.parametrize("moment", dying.MOMENTS)
def test_kill_while_a_file_is_written(
    data: Path, tmp_path: Path, undisturbed: dict[str, bytes], suffix: str, moment: str
) -> None:
    """The narrowest moments, which a random kill hits too seldom: the process dies by its own hand as it writes."""
    name = "bucketed, early stopping"
    training = Training(data, tmp_path / "killed", SETTINGS[name])
    result = run_apart(*training.command(), command=[sys.executable, dying.__file__, suffix, moment])
    assert (result.code, result.err) == (-signal.SIGKILL, "")
    training.check_what_is_there()
    left = {path.suffix for path in training.folder.iterdir()}
    assert (".partial" in left) == (moment != dying.MOMENTS[-1])
    assert training.finish("--resume") == undisturbed[name]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stop_by_hand_keeps_the_best_model(
    data: Path, tmp_path: Path, undisturbed: dict[str, bytes], number: signal.Signals
) -> None:
    name = "dropout, shuffled"
    training = Training(data, tmp_path / "stopped", SETTINGS[name])
    process = training.start()
    wait_for_epochs(training, process, 2)
    process.send_signal(number)
    with process:
        assert process.stderr and process.stderr.read() == b""
        assert process.wait(60) == 0
    classifier = textrnn.load(training.model)
    provenance = classifier.header.provenance
    assert provenance is not None and provenance.interrupted and 2 <= len(provenance.history) < 9
    assert classifier.predict("good").label in ("pos", "neg")
    assert training.checkpoint.exists()
    assert training.finish("--resume") == undisturbed[name]


def test_stop_before_the_first_epoch_leaves_what_was_there(data: Path, tmp_path: Path) -> None:
    training = Training(data, tmp_path / "stopped", SETTINGS["dropout, shuffled"])
    training.model.write_bytes(b"precious")
    process = training.start("--hidden-size", "2000")  # an epoch that takes some time
    time.sleep(0.1)
    while b"torch" not in Path(f"/proc/{process.pid}/maps").read_bytes():
        time.sleep(0.01)
    time.sleep(2.0)
    process.send_signal(signal.SIGINT)
    with process:
        assert process.stderr and process.stderr.read().strip() == b"interrupted"
        # Python dies of the signal itself, after the message, where the interrupt met an extension's own start-up code;
        # a shell calls both 130.
        assert process.wait(60) in (130, -signal.SIGINT)
    assert training.model.read_bytes() == b"precious"
    assert [path.name for path in training.folder.iterdir()] == [training.model.name]


@pytest.fixture(scope="module")
def half_way(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Training:
    """A training with a checkpoint and no model."""
    training = Training(data, tmp_path_factory.mktemp("half") / "way", SETTINGS["dropout, shuffled"])
    process = training.start()
    wait_for_epochs(training, process, 3)
    process.kill()
    with process:
        pass
    return training


def copied(training: Training, folder: Path) -> Training:
    copy = Training(training.data, folder / "copy", training.settings)
    shutil.copy(training.checkpoint, copy.checkpoint)
    return copy


@pytest.mark.parametrize(
    ("option", "value", "parts"),
    [
        ("--seed", "1", "seed=42|found 1"),
        ("--epochs", "10", "epochs=9|found 10"),
        ("--hidden-size", "25", "hidden_size=24|found 25"),
        ("--dropout", "0.25", "dropout=0.5|found 0.25"),
        ("--batching", "bucketed", "batching='shuffled'|found 'bucketed'"),
        ("--max-length", "9", "max_length=256|found 9"),
        ("--min-count", "2", "min_count=1|found 2"),
        ("--validation-fraction", "0.2", "validation_fraction=0.1|found 0.2"),
    ],
)
def test_other_settings_are_refused(half_way: Training, tmp_path: Path, option: str, value: str, parts: str) -> None:
    training = copied(half_way, tmp_path)
    with nothing_changes(training.folder):
        result = run_here(*training.command("--resume", option, value))
    assert_refused(result._replace(out=""), training.checkpoint, *parts.split("|"))


def test_other_data_are_refused(half_way: Training, tmp_path: Path) -> None:
    training = copied(half_way, tmp_path)
    training.data = tmp_path / "other.csv"
    training.data.write_text(half_way.data.read_text() + "one more,pos\n")
    with nothing_changes(training.folder):
        result = run_here(*training.command("--resume"))
    assert_refused(result, training.checkpoint, "training or validation texts")


def damaged(kind: str, path: Path) -> None:
    raw = bytearray(path.read_bytes())
    if kind == "empty":
        raw.clear()
    elif kind == "cut short":
        del raw[len(raw) // 2 :]
    elif kind == "longer":
        raw += b"\0"
    elif kind == "one bit of a weight":
        raw[-6000] ^= 1
    elif kind == "one bit of the random stream":
        raw[-100] ^= 1
    elif kind == "one digit of the record":
        at = raw.index(b"gradient_norm") + 20
        raw[at] = ord("1") if raw[at] != ord("1") else ord("2")
    elif kind == "zeros":
        raw[:] = bytes(len(raw))
    else:
        tensors = load_file(path)
        with safe_open(path, framework="np") as file:
            metadata = file.metadata()
        if kind == "no metadata":
            metadata = {}
        elif kind == "another tensor":
            tensors["more"] = np.zeros(1, np.float32)
        elif kind == "a tensor of another type":
            tensors["weights/head.bias"] = tensors["weights/head.bias"].astype(np.float64)
        elif kind == "a short random stream":
            tensors["random_stream"] = tensors["random_stream"][:-1].copy()
        elif kind == "no random stream":
            del tensors["random_stream"]
        else:
            raise AssertionError(kind)
        save_file(tensors, path, metadata=metadata)
        return
    path.write_bytes(raw)


@pytest.mark.parametrize(
    "kind",
    [
        "empty",
        "cut short",
        "longer",
        "zeros",
        "one bit of a weight",
        "one bit of the random stream",
        "one digit of the record",
        "no metadata",
        "another tensor",
        "a tensor of another type",
        "a short random stream",
        "no random stream",
    ],
)
def test_a_damaged_checkpoint_is_refused(half_way: Training, tmp_path: Path, kind: str) -> None:
    training = copied(half_way, tmp_path)
    damaged(kind, training.checkpoint)
    with nothing_changes(training.folder):
        result = run_here(*training.command("--resume"))
    assert_refused(result, training.checkpoint, "damaged")


def test_a_checkpoint_that_is_no_file_is_refused(half_way: Training, tmp_path: Path) -> None:
    training = copied(half_way, tmp_path)
    training.checkpoint.unlink()
    training.checkpoint.mkdir()
    assert_refused(run_here(*training.command("--resume")), training.checkpoint, "folder")
    training.checkpoint.rmdir()
    os.mkfifo(training.checkpoint)
    assert_refused(run_here(*training.command("--resume")), training.checkpoint, "not a regular file")


def test_without_resume_a_checkpoint_is_not_read(
    half_way: Training, tmp_path: Path, undisturbed: dict[str, bytes]
) -> None:
    training = copied(half_way, tmp_path)
    damaged("zeros", training.checkpoint)
    assert training.finish() == undisturbed["dropout, shuffled"]
