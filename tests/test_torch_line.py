"""What must work without PyTorch is run in a fresh process in which importing PyTorch fails."""

import subprocess
import sys
from pathlib import Path

import pytest

from builders import header, random_texts, random_weights
from textrnn.runtime import Classifier

WITHOUT_TORCH = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {refused}:
            raise ModuleNotFoundError("refused by the test", name=name)

sys.meta_path.insert(0, Refuse())
"""


def run(
    code: str, *arguments: str, refused: tuple[str, ...] = ("torch",), stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH.format(refused=refused) + code, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def model(tmp_path: Path) -> Path:
    head = header()
    Classifier(head, random_weights(head)).save(tmp_path / "m.textrnn")
    return tmp_path / "m.textrnn"


def test_every_module_above_the_line_imports_without_torch() -> None:
    code = """
import importlib, pkgutil, textrnn
for package in "text", "data", "evaluation", "modelfile", "runtime", "vectors", "explorer", "cli":
    path = importlib.import_module(f"textrnn.{package}").__path__
    for module in pkgutil.iter_modules(path, f"textrnn.{package}."):
        importlib.import_module(module.name)
import textrnn.studies
import textrnn.config, textrnn.errors, textrnn.files, textrnn.history, textrnn.labels, textrnn.sklearn, textrnn.__main__
"""
    result = run(code)
    assert result.returncode == 0, result.stderr


def test_load_predict_evaluate_and_save_without_torch(model: Path, tmp_path: Path) -> None:
    code = """
import textrnn
classifier = textrnn.load(sys.argv[1])
assert classifier.predict("good film").label in ("neg", "pos")
assert 0 <= classifier.evaluate(["good", "bad"], ["pos", "neg"]).accuracy.value <= 1
classifier.save(sys.argv[2])
assert "torch" not in sys.modules
"""
    result = run(code, str(model), str(tmp_path / "copy.textrnn"))
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "copy.textrnn").read_bytes() == model.read_bytes()


def test_a_prediction_imports_nothing_that_it_does_not_need(model: Path) -> None:
    """They were half the time of a cold start."""
    code = """
import textrnn
assert textrnn.load(sys.argv[1]).predict("good film").label in ("neg", "pos")
heavy = {"textrnn.data", "textrnn.evaluation", "numpy.random", "numpy.ma", "rich"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""
    result = run(code, str(model))
    assert result.returncode == 0, result.stderr


def test_compare_and_suspects_of_a_model_without_torch(model: Path) -> None:
    code = """
import textrnn
data = ["good", "bad", "the film", "boring"], ["pos", "neg", "pos", "neg"]
assert textrnn.compare(sys.argv[1], sys.argv[1], *data).p_value == 1
assert isinstance(textrnn.suspects(*data, model=sys.argv[1]), list)
assert "torch" not in sys.modules
try:
    textrnn.suspects(*data, folds=2)
except textrnn.MissingDependencyError as error:
    assert "training needs the library torch" in str(error)
else:
    raise AssertionError
"""
    result = run(code, str(model))
    assert result.returncode == 0, result.stderr


def test_predict_needs_only_the_bare_install(model: Path) -> None:
    """numpy, safetensors, msgspec, click, rich: nothing from the extras."""
    code = "from textrnn.cli.main import entry; sys.argv[:1] = ['textrnn', 'predict']; entry()"
    extras = (
        "torch",
        "sklearn",
        "scipy",
        "matplotlib",
        "jinja2",
        "pyarrow",
        "zstandard",
        "pandas",
        "cleanlab",
        "jaxtyping",
    )
    texts = random_texts(5)
    result = run(code, str(model), refused=extras, stdin="\n".join(texts) + "\n")
    assert result.returncode == 0, result.stderr
    assert len(result.stdout.splitlines()) == 6


def test_train_without_torch_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("text,label\na,1\nb,2\n")
    code = "from textrnn.cli.main import entry; sys.argv[:1] = ['textrnn', 'train']; entry()"
    result = run(code, str(tmp_path / "d.csv"), "--out", str(tmp_path / "m.textrnn"))
    assert result.returncode == 2
    assert result.stderr == (
        "error: training needs the library torch, which is not installed: pip install 'textrnn[train]'\n"
    )
