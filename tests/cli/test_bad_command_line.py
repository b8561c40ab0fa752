"""Command lines that cannot be carried out: one sentence, exit code 2, and nothing that was there is lost."""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from builders import header, random_weights
from commands import TEXTRNN, Result, assert_refused, nothing_changes, run_apart, run_here
from textrnn.modelfile import write_model

ROWS = "".join(f"{mood} {thing},{mood}\n" for mood in ("good", "bad") for thing in "film plot cast end music".split())
QUICK = ("--effort", "plain", "--epochs", "1", "--embedding-size", "4", "--hidden-size", "4")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a model, data and results that must survive."""
    write_model(tmp_path / "m.textrnn", header(["good", "bad"]), random_weights(header()))
    write_model(tmp_path / "other.textrnn", header(["1", "2"]), random_weights(header()))
    (tmp_path / "d.csv").write_text("text,label\n" + ROWS)
    (tmp_path / "one.csv").write_text("text,label\ngood film,good\n")
    for name in ("old.textrnn", "old.textrnn.checkpoint", "old.csv", "old.json"):
        (tmp_path / name).write_bytes(b"precious")
    (tmp_path / "sub").mkdir()
    (tmp_path / "old.textrnn.d").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


TRAIN = "train d.csv --out old.textrnn "
BAD = {
    # what click refuses
    "frobnicate": ["No such command", "frobnicate"],
    "--frobnicate": ["No such option", "--frobnicate"],
    "train": ["Missing argument", "DATA"],
    "evaluate m.textrnn": ["Missing argument", "DATA"],
    "predict": ["Missing argument", "MODEL"],
    "info": ["Missing argument", "MODEL"],
    "predict m.textrnn d.csv more.csv": ["unexpected extra argument", "more.csv"],
    TRAIN + "--hidden 3 --frob": ["No such option"],
    TRAIN + "--epochs": ["--epochs", "requires an argument"],
    TRAIN + "--epochs many": ["--epochs", "'many' is not a valid integer"],
    TRAIN + "--dropout much": ["--dropout", "'much' is not a valid float"],
    TRAIN + "--cell gated": ["--cell", "'gated'", "elman"],
    TRAIN + "--pooling min": ["--pooling", "'min'", "'mean', 'max', 'last'"],
    TRAIN + "--format xml": ["--format", "'xml'", "'csv'"],
    TRAIN + "--progress loud": ["--progress", "'loud'"],
    "evaluate m.textrnn d.csv --mistakes -1": ["--mistakes", "-1"],
    "predict m.textrnn d.csv --to xml": ["--to", "'xml'", "'jsonl'"],
    "compare m.textrnn m.textrnn": ["Missing argument", "DATA"],
    "compare m.textrnn old.textrnn d.csv": ["old.textrnn", "not a model file"],
    "compare m.textrnn m.textrnn d.csv --disagreements -1": ["--disagreements", "-1"],
    "compare m.textrnn other.textrnn d.csv": ["same labels", "only the first knows 'good' and 1 more"],
    "compare m.textrnn m.textrnn d.csv --json d.csv": ["d.csv", "also read"],
    "suspects": ["Missing argument", "DATA"],
    "suspects d.csv --folds 1": ["--folds", "1"],
    "suspects d.csv --folds many": ["--folds", "'many'"],
    "suspects one.csv --folds 2": ["one.csv", "expected at least two labels"],
    "suspects d.csv --folds 99": ["expected at least 99 different texts", "got 10"],
    "suspects d.csv --model m.textrnn --epochs 3": ["--model", "--epochs"],
    "suspects d.csv --model m.textrnn --folds 3": ["--model", "--folds"],
    "suspects d.csv --model other.textrnn": ["d.csv, line 2", "unknown label 'good'"],
    "suspects d.csv --epochs 0": ["epochs", ">= 1"],
    "suspects d.csv --out d.csv": ["d.csv", "also read"],
    "learning-curve": ["Missing argument", "DATA"],
    "learning-curve d.csv --fractions 0.5,2": ["--fractions", "above 0 and at most 1", "0.5,2"],
    "learning-curve d.csv --fractions nan": ["--fractions", "nan"],
    "learning-curve d.csv --fractions half": ["--fractions", "half"],
    "learning-curve d.csv --test nowhere.csv": ["nowhere.csv", "no such file"],
    "learning-curve - --test - --format csv": ["--test", "standard input"],
    "learning-curve d.csv --hidden-size 0": ["hidden_size", ">= 1"],
    "learning-curve d.csv --png sub": ["sub", "it is a folder"],
    "evaluate m.textrnn d.csv --out-of-scope good": ["out_of_scope", "does not know", "'good'"],
    "evaluate m.textrnn d.csv --out-of-scope nowhere": ["no text has the label 'nowhere'"],
    "evaluate other.textrnn one.csv --out-of-scope good": ["all texts have the label 'good'"],
    "predict m.textrnn d.csv --abstain-below 1.5": ["--abstain-below", "1.5"],
    "predict m.textrnn d.csv --abstain-below nan": ["--abstain-below", "nan"],
    "predict m.textrnn d.csv --abstain-below often": ["--abstain-below", "'often'"],
    "predict m.textrnn d.csv --abstain-below 0.5 --abstention good": ["--abstention", "no label", "'good'"],
    # out of range
    TRAIN + "--hidden-size 0": ["hidden_size", ">= 1", "0"],
    TRAIN + "--embedding-size 65537": ["embedding_size", "<= 65536", "65537"],
    TRAIN + "--max-length 0": ["max_length", ">= 1", "0"],
    TRAIN + "--max-size 1": ["max_size", ">= 2", "1"],
    TRAIN + "--epochs 0": ["epochs", ">= 1", "0"],
    TRAIN + "--batch-size -3": ["batch_size", ">= 1", "-3"],
    TRAIN + "--dropout 1": ["dropout", "< 1", "1"],
    TRAIN + "--dropout nan": ["dropout", "nan"],
    TRAIN + "--learning-rate nan": ["learning_rate", "nan"],
    TRAIN + "--learning-rate 0": ["learning_rate", "0"],
    TRAIN + "--max-gradient-norm inf": ["max_gradient_norm", "finite", "inf"],
    TRAIN + "--validation-fraction 1": ["validation_fraction", "< 1"],
    TRAIN + "--seed -1": ["seed", ">= 0", "-1"],
    TRAIN + "--seed 9223372036854775808": ["seed", "9223372036854775808"],
    TRAIN + "--epochs 99999999999999999999999": ["epochs", "<= 1000000"],
    TRAIN + "--threads -1": ["threads", ">= 0", "-1"],
    # what does not fit together
    TRAIN + "--validation nowhere.csv": ["nowhere.csv", "no such file"],
    TRAIN + "--validation one.csv --metric roc_auc": ["metric", "roc_auc is undefined"],
    "train - --out old.textrnn": ["standard input", "--format"],
    "train - --format csv": ["--out"],
    "train - --validation - --format csv --out old.textrnn": ["--validation", "standard input"],
    "evaluate d.csv m.textrnn": ["d.csv", "not a model file"],
    "predict d.csv m.textrnn": ["d.csv", "not a model file"],
    "evaluate m.textrnn m.textrnn --format csv": ["m.textrnn, line 1"],
    "info nowhere.textrnn": ["nowhere.textrnn", "No such file"],
    "info sub": ["sub", "folder"],
    "predict m.textrnn nowhere.csv --out old.csv": ["nowhere.csv", "no such file"],
    "predict m.textrnn sub --format csv": ["sub", "folder"],
    # outputs that cannot be written
    "train d.csv --out nowhere/m.textrnn": ["nowhere/m.textrnn", "the folder nowhere does not exist"],
    "train d.csv --out sub": ["sub", "it is a folder"],
    "train d.csv --out sub/": ["sub", "it is a folder"],
    "train d.csv --out d.csv/m.textrnn": ["d.csv/m.textrnn", "folder d.csv does not exist"],
    "train d.csv --out /proc/m.textrnn": ["/proc/m.textrnn", "cannot write this file"],
    "train d.csv --out /dev/null": ["/dev/null", "not a regular file"],
    "train d.csv --out /dev/full": ["/dev/full", "not a regular file"],
    "train d.csv --out " + 300 * "x": ["xxx", "name too long"],
    "train d.csv --out " + 250 * "x": ["xxx.checkpoint", "name too long"],
    "predict m.textrnn d.csv --out sub": ["sub", "it is a folder"],
    "predict m.textrnn d.csv --out nowhere/p.csv": ["nowhere/p.csv", "the folder nowhere does not exist"],
    "predict m.textrnn d.csv --out /proc/p.csv": ["/proc/p.csv: cannot write this file"],
    "evaluate m.textrnn d.csv --json nowhere/r.json": ["nowhere/r.json", "the folder nowhere does not exist"],
    "evaluate m.textrnn d.csv --html sub": ["sub", "it is a folder"],
    "evaluate m.textrnn d.csv --png /dev/null": ["/dev/null", "not a regular file"],
    "lesson --notebook sub": ["sub", "it is a folder"],
    "lesson --out nowhere/m.textrnn": ["nowhere/m.textrnn", "the folder nowhere does not exist"],
    # outputs that would replace what is read, or each other
    "train d.csv --out d.csv": ["d.csv", "also read"],
    "train d.csv --out ./sub/../d.csv": ["d.csv", "also read"],
    "train d.csv --validation one.csv --out one.csv": ["one.csv", "also read"],
    "train old.textrnn.checkpoint --format csv --out old.textrnn": ["old.textrnn.checkpoint", "also read"],
    "predict m.textrnn d.csv --out d.csv": ["d.csv", "also read"],
    "predict m.textrnn d.csv --out m.textrnn": ["m.textrnn", "also read"],
    "evaluate m.textrnn d.csv --json d.csv": ["d.csv", "also read"],
    "evaluate m.textrnn d.csv --json r --html ./r": ["./r", "another output"],
    "lesson --notebook r --out r": ["r: ", "another output"],
    # a checkpoint that is none
    TRAIN + "--resume": ["old.textrnn.checkpoint", "not a checkpoint"],
}


@pytest.mark.parametrize("line", BAD)
def test_bad_command_line(folder: Path, line: str) -> None:
    with nothing_changes(folder):
        result = run_here(*line.split())
    assert_refused(result, *BAD[line])


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", ""],
        ["train", "d.csv", "--out", ""],
        ["train", "d.csv", "--validation", ""],
        ["train", "d.csv", "--out", "-"],
        ["evaluate", "", "d.csv"],
        ["evaluate", "m.textrnn", ""],
        ["evaluate", "m.textrnn", "d.csv", "--json", ""],
        ["evaluate", "m.textrnn", "d.csv", "--html", "-"],
        ["predict", "m.textrnn", ""],
        ["predict", "m.textrnn", "d.csv", "--out", ""],
        ["info", ""],
        ["lesson", "--notebook", ""],
    ],
)
def test_an_unset_variable_of_the_shell_never_means_the_default(folder: Path, arguments: list[str]) -> None:
    with nothing_changes(folder):
        result = run_here(*arguments)
    assert_refused(result, "expected a file name")


def test_a_missing_model_beats_a_bad_data_file(folder: Path) -> None:
    assert_refused(run_here("evaluate", "nowhere.textrnn", "nowhere.csv"), "nowhere.textrnn")


@pytest.mark.parametrize(
    "arguments", [["train", "d.csv", "--out", "link.textrnn"], ["predict", "m.textrnn", "d.csv", "--out", "link.csv"]]
)
def test_links(folder: Path, arguments: list[str]) -> None:
    """A link is followed as opening it would; one into the void or in a circle is refused."""
    link = Path(arguments[-1])
    link.symlink_to(link.name)
    with nothing_changes(folder):
        assert_refused(run_here(*arguments), link.name)
    link.unlink()
    link.symlink_to("nowhere/x")
    with nothing_changes(folder):
        assert_refused(run_here(*arguments), link.name, "does not exist")
    link.unlink()
    link.symlink_to("sub/x")
    (folder / "sub" / "x").write_bytes(b"before")
    assert run_here(*arguments, *(QUICK if arguments[0] == "train" else ())).code == 0
    assert link.is_symlink() and (folder / "sub" / "x").read_bytes() != b"before"
    assert list(folder.rglob("*.partial")) == []


# Root may write everywhere, so the commands below give this right up first.
WITHOUT_ROOTS_RIGHTS = """
import ctypes, os, sys
for capability in (1, 2):  # to override file permissions for writing, for reading
    ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # take it from all that is executed from here on
os.execv(sys.executable, [sys.executable, "-m", "textrnn", *sys.argv[1:]])
"""


def needs_linux() -> None:
    if sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "prctl"):
        pytest.skip("needs Linux")


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("train d.csv --out locked/m.textrnn", "locked/m.textrnn"),
        ("train d.csv --out locked.textrnn", "locked.textrnn"),
        ("predict m.textrnn d.csv --out locked/p.csv", "locked/p.csv"),
        ("evaluate m.textrnn d.csv --json locked/r.json", "locked/r.json"),
    ],
)
def test_write_protected(folder: Path, line: str, name: str) -> None:
    needs_linux()
    (folder / "locked").mkdir()
    (folder / "locked").chmod(0o555)
    (folder / "locked.textrnn").write_bytes(b"precious")
    (folder / "locked.textrnn").chmod(0o444)
    with nothing_changes(folder):
        result = run_apart(*line.split(), command=[sys.executable, "-c", WITHOUT_ROOTS_RIGHTS])
    assert_refused(result, name, "write-protected")


@pytest.mark.parametrize("name", ["locked.csv", "locked.textrnn"])
def test_read_protected(folder: Path, name: str) -> None:
    needs_linux()
    shutil.copy("m.textrnn" if name.endswith("textrnn") else "d.csv", name)
    (folder / name).chmod(0o000)
    line = ["predict", "m.textrnn", name, "--out", "old.csv"] if name.endswith("csv") else ["info", name]
    result = run_apart(*line, command=[sys.executable, "-c", WITHOUT_ROOTS_RIGHTS])
    (folder / name).chmod(0o600)
    assert_refused(result, name, "Permission denied")
    assert (folder / "old.csv").read_bytes() == b"precious"


@pytest.mark.parametrize(
    ("line", "limit", "name"),
    [
        ("train d.csv --out old.textrnn", 600, "old.textrnn.checkpoint"),
        ("predict m.textrnn d.csv --out old.csv", 50, "old.csv"),
        ("evaluate m.textrnn d.csv --json old.json", 50, "old.json"),
        ("evaluate m.textrnn d.csv --html old.json", 50, "old.json"),
        ("evaluate m.textrnn d.csv --png old.json", 50, "old.json"),
    ],
)
def test_the_disk_fills_up_while_writing(folder: Path, line: str, limit: int, name: str) -> None:
    """Beyond a limit, writing fails as on a full disk: half way, with an error of the operating system."""
    resource = pytest.importorskip("resource", reason="needs limits on the size of files")
    run_here("train", "d.csv", "--out", "warm.textrnn", *QUICK)  # the libraries' own caches come first
    run_here("evaluate", "m.textrnn", "d.csv", "--png", "warm.png")
    quick = QUICK if line.startswith("train") else ()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with nothing_changes(folder):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
        try:
            result = run_here(*line.split(), *quick, "--progress" if quick else "--format", "none" if quick else "csv")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert_refused(result, f"{name}: cannot write this file", "File too large")


def test_a_full_disk(folder: Path) -> None:
    """A disk of 16 KiB, in a name space of its own: the model fits, the checkpoint beside it does not."""
    mount = (
        'mount -t tmpfs -o size=16k none sub && cp old.textrnn sub && "$@"; code=$?; ls -A sub; cat sub/*; exit $code'
    )
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, "sh"]
    if not shutil.which("unshare") or run_apart("true", command=command).code:
        pytest.skip("needs a user name space in which a file system can be mounted")
    arguments = ["train", "d.csv", "--out", "sub/old.textrnn", "--epochs", "2", "--embedding-size", "40"]
    result = run_apart(*arguments, "--progress", "none", command=[*command, *TEXTRNN])
    assert_refused(result._replace(out=""), "sub/old.textrnn.checkpoint", "No space left on device")
    assert result.out == "old.textrnn\nprecious"


@pytest.mark.parametrize(
    "line",
    ["info m.textrnn", "predict m.textrnn d.csv", "evaluate m.textrnn d.csv --json -"],
)
def test_standard_output_is_full(folder: Path, line: str) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([*TEXTRNN, *line.split()], stdout=full, stderr=subprocess.PIPE, check=False)
    assert_refused(Result(done.returncode, "", done.stderr.decode()), "standard output", "No space left on device")


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("line", ["info m.textrnn", "predict m.textrnn d.csv", "evaluate m.textrnn d.csv --json -"])
def test_the_disk_fills_up_behind_standard_output(folder: Path, line: str, unbuffered: str) -> None:
    """A part of the last write fits, which a bare file under PYTHONUNBUFFERED takes for all of it."""
    resource = pytest.importorskip("resource", reason="needs limits on the size of files")
    full = run_apart(*line.split()).out.encode()
    with Path("out").open("wb") as out:
        done = subprocess.run(
            [*TEXTRNN, *line.split()],
            stdout=out,
            stderr=subprocess.PIPE,
            check=False,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered, "PYTHONDONTWRITEBYTECODE": "1"},
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (len(full) - 9, len(full) - 9)),
        )
    assert full.startswith(Path("out").read_bytes())
    assert_refused(Result(done.returncode, "", done.stderr.decode()), "standard output", "File too large")


@pytest.mark.parametrize("line", ["info m.textrnn", "predict m.textrnn d.csv"])
def test_standard_output_is_closed(folder: Path, line: str) -> None:
    done = subprocess.run(["sh", "-c", '"$@" >&-', "sh", *TEXTRNN, *line.split()], stderr=subprocess.PIPE, check=False)
    assert_refused(Result(done.returncode, "", done.stderr.decode()), "standard output is closed")


def test_standard_input_is_closed(folder: Path) -> None:
    result = run_apart("predict", "m.textrnn", "--out", "old.csv", command=["sh", "-c", '"$@" <&-', "sh", *TEXTRNN])
    assert_refused(result, "standard input", "closed")
    assert Path("old.csv").read_bytes() == b"precious"


def quiet_pipe(command: list[str], lines: int, timeout: float = 20) -> tuple[int, bytes, bytes]:
    """Exit code, first lines and standard error of a command whose reader goes away after these lines."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin and process.stdout and process.stderr
        process.stdin.write(b"good\n" * 50)
        process.stdin.flush()
        read = b"".join(process.stdout.readline() for _ in range(lines))
        process.stdout.close()
        try:
            process.stdin.write(b"good\n")
            process.stdin.flush()
            # Standard input stays open: whoever writes to it may still be busy.
            code = process.wait(timeout)
        finally:
            process.kill()
            err = process.stderr.read()
            with suppress(BrokenPipeError):
                process.stdin.close()
    return code, read, err


def test_the_reader_goes_away(folder: Path) -> None:
    """`... | textrnn predict MODEL | head -1` ends at once and in silence, while the input is still open."""
    code, read, err = quiet_pipe([*TEXTRNN, "predict", "m.textrnn"], lines=1)
    assert (code, read, err) == (0, b"label,probability,p(good),p(bad)\n", b"")


@pytest.mark.parametrize("line", ["info m.textrnn --json", "evaluate m.textrnn d.csv --json -"])
def test_nobody_reads(folder: Path, line: str) -> None:
    script = f'"$@" {line} | true; exit ${{PIPESTATUS[0]}}'
    assert run_apart(command=["bash", "-c", script, "bash", *TEXTRNN]) == (0, "", "")


def test_a_training_goes_on_when_nobody_reads_its_report(folder: Path) -> None:
    script = '"$@" train d.csv --effort plain --epochs 5 | true; exit ${PIPESTATUS[0]}'
    assert run_apart(command=["bash", "-c", script, "bash", *TEXTRNN]) == (0, "", "")
    assert "epochs        5" in run_here("info", "d.textrnn").out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("out", [(), ("--out", "old.csv")])
def test_stopped_by_hand(folder: Path, number: signal.Signals, out: tuple[str, ...]) -> None:
    with (
        nothing_changes(folder),
        subprocess.Popen(
            [*TEXTRNN, "predict", "m.textrnn", *out, "--with-text"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process,
    ):
        assert process.stdin and process.stdout and process.stderr
        process.stdin.write(b"good\n" * 3000)
        process.stdin.flush()
        while out and not list(folder.glob(".*.partial")):
            time.sleep(0.01)
        if not out:
            process.stdout.readline()
        process.send_signal(number)
        if not out:
            process.stdout.read()
        assert process.wait(20) == 130
        assert process.stderr.read().strip() == b"interrupted"


def test_more_memory_than_there_is(folder: Path) -> None:
    needs_linux()
    limit = "import resource; resource.setrlimit(resource.RLIMIT_AS, (6 * 2**30,) * 2);"
    command = [sys.executable, "-c", limit + "from textrnn.cli.main import entry; entry()"]
    with nothing_changes(folder):
        result = run_apart(
            "train", "d.csv", "--out", "old.textrnn", "--effort", "plain", "--hidden-size", "65536", command=command
        )
    assert_refused(result, "out of memory", "17179869184 bytes")


def test_a_terminal_without_the_signs(folder: Path) -> None:
    Path("d.csv").write_text("text,label\ngood 😀,bad\nbad 😀,good\n")
    result = run_apart("evaluate", "m.textrnn", "d.csv", env=os.environ | {"PYTHONIOENCODING": "latin-1"})
    assert (result.code, result.err) == (0, "") and "bad \\U0001f600" in result.out


def test_names_that_are_no_text(folder: Path) -> None:
    """File names are bytes; those that are no UTF-8 are legal, and must not end a training with a traceback."""
    try:
        Path("caf\udce9.csv").write_text("text,label\n" + ROWS)
    except OSError:
        pytest.skip("this file system allows no such name")
    result = run_here("train", "caf\udce9.csv", *QUICK)
    assert (result.code, result.err) == (0, "") and Path("caf\udce9.textrnn").exists()
    result = run_here("evaluate", "caf\udce9.textrnn", "caf\udce9.csv", "--html", "e.html", "--json", "-")
    assert (result.code, result.err) == (0, "") and Path("e.html").exists()
    assert_refused(run_here("info", "th\udce9.textrnn"), "th\\udce9.textrnn")


def test_help_is_no_mistake() -> None:
    for line in (
        "--help",
        "train -h",
        "evaluate --help",
        "predict --help",
        "info --help",
        "lesson --help",
        "--version",
    ):
        result = run_here(*line.split())
        assert (result.code, result.err) == (0, "") and result.out
